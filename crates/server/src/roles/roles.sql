-- What each role of storm-buckets may do in its database on PostgreSQL, and nothing else. `storm-buckets db
-- roles` prints this; run it as a superuser, or as the tables' owner once the three roles are there, in one
-- transaction, and again after each upgrade:
--
--     storm-buckets db roles | psql --single-transaction --set ON_ERROR_STOP=1 DATABASE
--
-- The roles are groups that nobody signs in as: `CREATE ROLE storm_web_1 LOGIN PASSWORD '…' IN ROLE storm_web`.
-- A table that is not named here is nobody's but the owner's.

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['storm_web', 'storm_signer', 'storm_hub'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's just came before
            END;
        END IF;
    END LOOP;
    -- Nobody makes things of their own beside ours. (On PostgreSQL 15 and later the schema is the database owner's.)
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = current_schema()), 'USAGE') THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO storm_web, storm_signer, storm_hub', current_schema());
    END IF;
    IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM PUBLIC, storm_web, storm_signer, storm_hub',
                   current_schema());
END
$$;

-- Which migrations ran.
GRANT SELECT ON _sqlx_migrations TO storm_web, storm_signer, storm_hub;

-- Who is signer: the signer's own to write. Whose the database is: the hub compares it.
GRANT SELECT, INSERT, UPDATE (term) ON terms TO storm_signer;
GRANT SELECT (root_key) ON terms TO storm_hub;

-- Hubs and whom they hold. The signer, too, takes those away that give no sign of life.
GRANT SELECT, INSERT, UPDATE (beat), DELETE ON hubs TO storm_hub;
GRANT SELECT, INSERT, UPDATE (hub), DELETE ON hub_agents TO storm_hub;
GRANT SELECT, DELETE ON hubs, hub_agents TO storm_signer;
GRANT SELECT, INSERT, UPDATE (hints) ON region_hints TO storm_hub;
GRANT SELECT, INSERT, UPDATE (counted_at) ON epoch_claims TO storm_hub;
GRANT SELECT, INSERT, UPDATE (agent, progress), DELETE ON job_progress TO storm_hub;
GRANT SELECT ON job_progress TO storm_web;

-- Operations. Web asks; the signer alone writes an envelope; the hub alone writes what came of it.
GRANT SELECT (id, state, account, "user", operator, via, origin, region, agent, attempt, command, parameters,
              seal_to, idempotency_key, request_digest, requested_at, give_up_at, signed_at, finished_at, outcome,
              receipt, sealed, sealed_at, acknowledged_at, lost_agent, asked, token),
      INSERT (id, state, account, "user", operator, via, origin, region, command, parameters, asked, seal_to,
              idempotency_key, request_digest, requested_at, give_up_at, token),
      UPDATE (state, finished_at, outcome, give_up_at, lost_agent, sealed, acknowledged_at)
    ON operations TO storm_web;
GRANT SELECT, DELETE,
      INSERT (id, state, account, "user", operator, via, origin, region, command, parameters, asked, seal_to,
              idempotency_key, request_digest, requested_at, give_up_at, token),
      UPDATE (state, agent, attempt, envelope, signed_at, outcome, finished_at, sealed)
    ON operations TO storm_signer;
GRANT SELECT,
      INSERT (id, state, account, "user", operator, via, region, agent, attempt, command, parameters,
              request_digest, requested_at, give_up_at),
      UPDATE (state, agent, finished_at, outcome, receipt, sealed, sealed_at)
    ON operations TO storm_hub;
GRANT SELECT ON archived_operations TO storm_web, storm_hub;
GRANT SELECT, INSERT, UPDATE (state, operation) ON archived_operations TO storm_signer;

-- Receipts: nobody changes one.
GRANT SELECT ON receipts TO storm_web;
GRANT SELECT, INSERT ON receipts TO storm_hub;

-- Certificates: the hub passes requests on, the signer answers.
GRANT SELECT, UPDATE (state, answer), DELETE ON certificate_requests TO storm_signer;
GRANT SELECT, INSERT (id, kind, enrol_token, agent, body, state, created_at) ON certificate_requests TO storm_hub;
GRANT SELECT (id, region, created_by, created_at, expires_at, agent, spent_at),
      INSERT (id, hash, region, created_by, created_at, expires_at)
    ON enrol_tokens TO storm_web;
GRANT SELECT, UPDATE (tls_key, agent) ON enrol_tokens TO storm_signer;
GRANT SELECT, UPDATE (spent_at) ON enrol_tokens TO storm_hub;

-- Agents and regions. Who an agent is (its keys, its statement) is the signer's to write.
GRANT SELECT, UPDATE (quarantined, refused_receipts, refused_head, chain, base, receipts, head, revoked_at)
    ON agents TO storm_web;
GRANT SELECT,
      INSERT (id, region, host, receipt_key, seal_key, tls_key, statement, certificate_expires_at, created_at),
      UPDATE (connected, statement, certificate_expires_at, renewed_tls_key)
    ON agents TO storm_signer;
GRANT SELECT,
      UPDATE (connected, trouble, seen_at, version, garage_version, not_offered, trust_serial, clock_offset_micros,
              renewed_tls_key, tls_key, quarantined, refused_receipts, refused_head, receipts, head, generation,
              traffic_sequence)
    ON agents TO storm_hub;
GRANT SELECT, INSERT (name, s3_endpoint, s3_region, website_domain, created_at),
      UPDATE (executor, executor_free_at, next_executor, release_operation)
    ON regions TO storm_web;
GRANT SELECT, UPDATE (executor, epoch, executor_free_at) ON regions TO storm_signer;
GRANT SELECT, UPDATE (executor, epoch, executor_free_at, next_executor) ON regions TO storm_hub;

-- People and how they prove who they are: web's. What nobody needs to know of them stays there.
GRANT SELECT, INSERT (id, email, password_hash, created_at), UPDATE (password_hash) ON users TO storm_web;
GRANT SELECT (id, email, operator) ON users TO storm_signer;
GRANT SELECT (id) ON users TO storm_hub;
GRANT SELECT, INSERT, UPDATE (role), DELETE ON members TO storm_web;
GRANT SELECT, DELETE ON members TO storm_signer;
GRANT SELECT ON members TO storm_hub;
GRANT SELECT, INSERT, UPDATE (account, seen_at, expires_at, proved_at), DELETE ON sessions TO storm_web;
GRANT SELECT (account), DELETE ON sessions TO storm_signer;
GRANT SELECT, INSERT, UPDATE (last_used_at), DELETE ON tokens TO storm_web;
GRANT SELECT (id, account, expires_at, scopes, on_buckets), DELETE ON tokens TO storm_signer;
GRANT SELECT, INSERT, DELETE ON token_buckets TO storm_web;
GRANT SELECT, DELETE ON token_buckets TO storm_signer;
GRANT SELECT, INSERT, DELETE ON invitations TO storm_web;
GRANT SELECT (account), DELETE ON invitations TO storm_signer;
GRANT SELECT, INSERT, UPDATE (hash, created_at, expires_at), DELETE ON password_resets TO storm_web;
GRANT SELECT, INSERT, UPDATE (hash, name, created_at, expires_at), DELETE ON sign_ups TO storm_web;
GRANT SELECT, INSERT ON signed_up_accounts TO storm_web;
GRANT SELECT, INSERT, DELETE,
      UPDATE (polled_at, interval_seconds, state, "user", account, scopes, token_ends_at, expires_at)
    ON device_authorizations TO storm_web;
GRANT SELECT, INSERT, UPDATE (sealed, last_step, created_at, confirmed_at), DELETE ON totp_factors TO storm_web;
GRANT SELECT, INSERT, DELETE ON recovery_codes TO storm_web;
GRANT SELECT, INSERT, UPDATE (tries), DELETE ON sign_in_challenges TO storm_web;
GRANT SELECT, INSERT, UPDATE (name, passkey, synced, last_used_at), DELETE ON passkeys TO storm_web;
GRANT SELECT, INSERT, DELETE ON passkey_challenges TO storm_web;
GRANT SELECT, INSERT, DELETE ON oidc_flows TO storm_web;
GRANT SELECT, INSERT, UPDATE (issuer, subject, linked_at, tokens_until) ON oidc_people TO storm_web;

-- Accounts.
GRANT SELECT, INSERT, UPDATE (name) ON accounts TO storm_web;
GRANT SELECT ON accounts TO storm_signer, storm_hub;
GRANT SELECT, INSERT,
      UPDATE (state, reason, since, clears_at, by_operator, suspended_before, counted_at)
    ON account_states TO storm_web;
GRANT SELECT, UPDATE (state, since, clears_at, clearing_since, counted_at) ON account_states TO storm_signer;
GRANT SELECT ON account_states TO storm_hub;
GRANT SELECT, INSERT, UPDATE (storage_bytes, buckets, keys, mark, reset_at) ON account_limits TO storm_web;
GRANT SELECT, UPDATE (mark, marked_at, reset_at) ON account_limits TO storm_signer;
GRANT SELECT ON account_limits TO storm_hub;
GRANT SELECT, INSERT, DELETE ON suspended_keys TO storm_signer;

-- E-mail, which holds links that are secrets: whoever queues one cannot read it again.
GRANT SELECT (account, state, created_at), INSERT ON mails TO storm_web;
-- How many wait, for whoever watches over the platform.
GRANT SELECT (state, created_at) ON mails TO storm_hub;
GRANT SELECT, INSERT, DELETE,
      UPDATE (state, attempts, error, next_try_at, ended_at, body_text, body_html)
    ON mails TO storm_signer;

-- The trails. Nobody changes what was written; the signer drops what is old.
GRANT SELECT, INSERT ON audit_events TO storm_web;
GRANT SELECT (id), DELETE ON audit_events TO storm_signer;
GRANT SELECT, INSERT ON security_events TO storm_web;
GRANT SELECT (id, at), INSERT, DELETE ON security_events TO storm_signer, storm_hub;

-- What is in the clusters, as the hub hears it.
GRANT SELECT, UPDATE (differs_since, drift, ignored) ON buckets TO storm_web;
GRANT SELECT, UPDATE (adopt_at, adopt_tries, differs_since, drift) ON buckets TO storm_signer;
GRANT SELECT, INSERT, UPDATE ON buckets TO storm_hub;
GRANT SELECT, UPDATE (acknowledged_at, ignored) ON keys TO storm_web;
GRANT SELECT ON keys TO storm_signer;
GRANT SELECT, INSERT, UPDATE ON keys TO storm_hub;
GRANT SELECT ON grants, bucket_settings TO storm_web, storm_signer;
GRANT SELECT, INSERT, UPDATE (read, write, owner), DELETE ON grants TO storm_hub;
GRANT SELECT, INSERT, UPDATE (cors, lifecycle, website, other_rules) ON bucket_settings TO storm_hub;

-- What it should be.
GRANT SELECT, INSERT (region, bucket), UPDATE (quota_bytes, quota_objects, cors, lifecycle, website, grants_known)
    ON bucket_wanted TO storm_web;
GRANT SELECT ON bucket_wanted, given_grants TO storm_signer;
GRANT SELECT, INSERT, DELETE,
      UPDATE (quota_set, quota_bytes, quota_objects, cors, lifecycle, website, grants_known)
    ON bucket_wanted TO storm_hub;
GRANT SELECT, INSERT, UPDATE (read, write, owner) ON given_grants TO storm_web;
GRANT SELECT, INSERT, UPDATE (read, write, owner), DELETE ON given_grants TO storm_hub;
GRANT SELECT, INSERT, UPDATE (own_bytes, own_objects) ON bucket_quotas TO storm_web;
GRANT SELECT, INSERT, UPDATE (own_bytes, own_objects, effective_bytes, effective_objects, set_at), DELETE
    ON bucket_quotas TO storm_signer, storm_hub;

-- Use and traffic: the hub counts, the signer closes hours and days, web shows.
GRANT SELECT ON usage_changes, usage_now, usage_closed, usage_open, usage_hours, usage_days, account_usage_hours,
      account_usage_days, traffic TO storm_web;
GRANT SELECT, DELETE ON usage_changes TO storm_signer;
GRANT SELECT ON usage_now TO storm_signer;
GRANT SELECT, INSERT, UPDATE (closed_until) ON usage_closed TO storm_signer;
GRANT SELECT, INSERT, DELETE,
      UPDATE (bytes, objects, unfinished_bytes, day_byte_hours, day_peak_bytes, day_hours)
    ON usage_open TO storm_signer;
GRANT SELECT, INSERT, DELETE ON usage_hours, account_usage_hours TO storm_signer;
GRANT SELECT, INSERT ON usage_days, account_usage_days TO storm_signer;
GRANT SELECT, INSERT, UPDATE (bytes, objects, unfinished_bytes) ON usage_changes TO storm_hub;
GRANT SELECT, INSERT, DELETE,
      UPDATE (account, region, at, bytes, objects, unfinished_bytes)
    ON usage_now TO storm_hub;
GRANT SELECT ON usage_closed TO storm_hub;
GRANT SELECT, INSERT, UPDATE (requests, received_bytes, sent_bytes), DELETE ON traffic TO storm_hub;

-- Of the rows that a role may write, some are another's. (The owner is not held by these.)
ALTER TABLE operations ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS everybody_sees ON operations;
DROP POLICY IF EXISTS web_asks ON operations;
DROP POLICY IF EXISTS web_moves ON operations;
DROP POLICY IF EXISTS signer_asks ON operations;
DROP POLICY IF EXISTS signer_moves ON operations;
DROP POLICY IF EXISTS signer_archives ON operations;
DROP POLICY IF EXISTS hub_adopts ON operations;
DROP POLICY IF EXISTS hub_moves ON operations;
CREATE POLICY everybody_sees ON operations FOR SELECT TO storm_web, storm_signer, storm_hub USING (true);
-- Web asks for people, never as the platform itself, and never says that something was signed or sent.
CREATE POLICY web_asks ON operations FOR INSERT TO storm_web
    WITH CHECK (state = 'requested' AND via IN ('web', 'cli', 'api'));
CREATE POLICY web_moves ON operations FOR UPDATE TO storm_web
    USING (true) WITH CHECK (state NOT IN ('signed', 'sent', 'accepted'));
CREATE POLICY signer_asks ON operations FOR INSERT TO storm_signer
    WITH CHECK (state = 'requested' AND via = 'system');
CREATE POLICY signer_moves ON operations FOR UPDATE TO storm_signer USING (true);
CREATE POLICY signer_archives ON operations FOR DELETE TO storm_signer USING (finished_at IS NOT NULL);
-- The hub writes down what was signed offline. The signer signs no such operation, whatever becomes of its state.
CREATE POLICY hub_adopts ON operations FOR INSERT TO storm_hub
    WITH CHECK (state = 'unknown' AND via = 'offline');
CREATE POLICY hub_moves ON operations FOR UPDATE TO storm_hub USING (true) WITH CHECK (state <> 'signed');
