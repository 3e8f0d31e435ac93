-- The schema of SQLite's migrations up to here, in PostgreSQL's words. From here on each has its own.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,          -- lower case
    password_hash TEXT,                          -- argon2id, PHC string
    operator      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    account TEXT NOT NULL REFERENCES accounts (id),
    "user"  TEXT NOT NULL REFERENCES users (id),
    role    TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    PRIMARY KEY (account, "user")
);
CREATE INDEX members_by_user ON members ("user");

CREATE TABLE sessions (
    hash        TEXT PRIMARY KEY,                -- SHA-256 of the cookie's secret
    "user"      TEXT NOT NULL REFERENCES users (id),
    account     TEXT NOT NULL REFERENCES accounts (id),
    origin      TEXT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    id          TEXT,
    user_agent  TEXT,
    seen_at     BIGINT,
    method      TEXT NOT NULL DEFAULT 'password',
    proved_at   BIGINT NOT NULL DEFAULT 0,
    idle_micros BIGINT NOT NULL DEFAULT 0,
    ends_at     BIGINT NOT NULL DEFAULT 0,
    passkey     TEXT
);
CREATE INDEX sessions_expire ON sessions (expires_at);
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_user ON sessions ("user");
CREATE INDEX sessions_by_passkey ON sessions (passkey);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE,           -- SHA-256 of the token's text
    "user"       TEXT NOT NULL REFERENCES users (id),
    account      TEXT NOT NULL REFERENCES accounts (id),
    name         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    scopes       TEXT NOT NULL DEFAULT '["*"]',
    on_buckets   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE regions (
    name              TEXT PRIMARY KEY,
    s3_endpoint       TEXT NOT NULL,
    s3_region         TEXT NOT NULL,
    website_domain    TEXT,
    executor          TEXT,                      -- agents.id
    epoch             BIGINT NOT NULL DEFAULT 0, -- grows each time the role moves
    executor_free_at  BIGINT,                    -- without one: nobody takes the role before
    created_at        BIGINT NOT NULL,
    next_executor     TEXT,
    release_operation TEXT
);

CREATE TABLE agents (
    id                     TEXT PRIMARY KEY,
    region                 TEXT NOT NULL REFERENCES regions (name),
    host                   TEXT NOT NULL,
    version                TEXT,
    garage_version         TEXT,
    receipt_key            TEXT NOT NULL,
    seal_key               TEXT NOT NULL,
    tls_key                TEXT NOT NULL,        -- SHA-256 of the certificate's SubjectPublicKeyInfo
    renewed_tls_key        TEXT,                 -- of a renewed certificate, until it is first used
    statement              TEXT NOT NULL,        -- signed envelope, JSON
    certificate_expires_at BIGINT,
    connected              BIGINT NOT NULL DEFAULT 0,
    seen_at                BIGINT,
    clock_offset_micros    BIGINT,
    not_offered            TEXT NOT NULL DEFAULT '[]', -- command names, JSON
    quarantined            TEXT,
    revoked_at             BIGINT,
    chain                  BIGINT NOT NULL DEFAULT 0, -- grows each time an operator accepts another chain
    base                   BIGINT NOT NULL DEFAULT 0, -- the sequence that the present chain goes on from
    receipts               BIGINT NOT NULL DEFAULT 0, -- sequence of the last stored receipt
    head                   TEXT,                 -- its identity
    refused_receipts       BIGINT,               -- where its chain ended when it last was turned away
    refused_head           TEXT,
    generation             BIGINT NOT NULL DEFAULT 0, -- of the last stored inventory
    trust_serial           BIGINT NOT NULL DEFAULT 0,
    created_at             BIGINT NOT NULL,
    trouble                TEXT,
    traffic_sequence       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX agents_kept_out ON agents (id)
    WHERE connected = 1 AND (revoked_at IS NOT NULL OR quarantined IS NOT NULL);

CREATE TABLE enrol_tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    region     TEXT NOT NULL REFERENCES regions (name),
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tls_key    TEXT,                             -- the first request's key; another is refused
    agent      TEXT,                             -- the id given to it
    spent_at   BIGINT                            -- when that agent first connected
);

CREATE TABLE certificate_requests (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('hub', 'enrol', 'renew')),
    enrol_token TEXT,                            -- hash, for 'enrol'
    agent       TEXT,                            -- for 'renew'
    body        TEXT NOT NULL,                   -- the request, JSON
    state       TEXT NOT NULL CHECK (state IN ('requested', 'issued', 'refused')),
    answer      TEXT,                            -- certificate chain and statement, or a code; JSON
    created_at  BIGINT NOT NULL
);
CREATE INDEX certificate_requests_open ON certificate_requests (created_at) WHERE state = 'requested';

CREATE TABLE operations (
    id              TEXT PRIMARY KEY,            -- UUID v7: sorts by time
    state           TEXT NOT NULL,
    account         TEXT NOT NULL REFERENCES accounts (id),
    "user"          TEXT NOT NULL REFERENCES users (id),
    operator        BIGINT NOT NULL,
    via             TEXT NOT NULL,
    origin          TEXT,
    region          TEXT NOT NULL REFERENCES regions (name),
    agent           TEXT,
    attempt         BIGINT NOT NULL DEFAULT 0,
    command         TEXT NOT NULL,
    parameters      TEXT NOT NULL,               -- JSON, byte for byte what is signed
    seal_to         TEXT,
    idempotency_key TEXT,
    request_digest  TEXT NOT NULL,               -- of command, region and parameters
    requested_at    BIGINT NOT NULL,
    give_up_at      BIGINT NOT NULL,             -- expires when not taken by then
    signed_at       BIGINT,
    finished_at     BIGINT,
    envelope        TEXT,                        -- the last signed one, JSON
    outcome         TEXT,                        -- JSON
    receipt         TEXT,                        -- signed envelope, JSON
    sealed          TEXT,                        -- sealed secret until acknowledged or 24 h, JSON
    sealed_at       BIGINT,                      -- when it came, by our clock
    acknowledged_at BIGINT,
    lost_agent      TEXT,
    asked           TEXT,
    token           TEXT
);
CREATE UNIQUE INDEX operations_idempotent ON operations (account, "user", idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX operations_by_account ON operations (account, id);
CREATE INDEX operations_requested ON operations (account, id) WHERE state = 'requested';
CREATE INDEX operations_signed ON operations (agent, id) WHERE state = 'signed';
CREATE INDEX operations_unanswered ON operations (agent, id) WHERE state IN ('sent', 'accepted', 'unknown');
CREATE INDEX operations_open ON operations (account, region, state)
    WHERE state IN ('requested', 'signed', 'sent', 'accepted');
CREATE INDEX operations_sealed ON operations (sealed_at) WHERE sealed IS NOT NULL;
CREATE INDEX operations_making ON operations (account, id)
    WHERE state IN ('requested', 'signed', 'sent', 'accepted', 'unknown')
    AND command IN ('bucket.create', 'key.create', 'key.rotate', 'key.set_expiry', 'key.resume',
                    'account.set_quotas');
CREATE INDEX operations_not_done ON operations (id) WHERE state IN ('failed', 'refused', 'expired');

CREATE TABLE receipts (
    agent            TEXT NOT NULL REFERENCES agents (id),
    chain            BIGINT NOT NULL,            -- agents.chain when it came
    sequence         BIGINT NOT NULL,
    account          TEXT NOT NULL,
    account_sequence BIGINT NOT NULL,
    operation        TEXT NOT NULL,
    identity         TEXT NOT NULL,
    receipt          TEXT NOT NULL,
    stored_at        BIGINT NOT NULL,
    PRIMARY KEY (agent, chain, sequence)
);
CREATE INDEX receipts_by_account ON receipts (account, agent, chain, account_sequence);

CREATE TABLE buckets (
    id                 TEXT PRIMARY KEY,
    region             TEXT NOT NULL REFERENCES regions (name),
    account            TEXT,                     -- NULL: nobody's yet
    name               TEXT,                     -- the first alias, for sorting and search
    aliases            TEXT NOT NULL DEFAULT '[]',
    bytes              BIGINT,
    objects            BIGINT,
    unfinished_bytes   BIGINT,
    unfinished_uploads BIGINT,
    quota_bytes        BIGINT,
    quota_objects      BIGINT,
    created_at         BIGINT NOT NULL,
    seen_at            BIGINT,
    gone_at            BIGINT,
    website            BIGINT NOT NULL DEFAULT 0,
    local_aliases      TEXT NOT NULL DEFAULT '[]',
    differs_since      BIGINT,
    drift              BIGINT NOT NULL DEFAULT 0,
    vanished           BIGINT NOT NULL DEFAULT 0,
    ignored            BIGINT NOT NULL DEFAULT 0,
    adopt_at           BIGINT,
    adopt_tries        BIGINT NOT NULL DEFAULT 0,
    released_at        BIGINT
);
CREATE INDEX buckets_by_account ON buckets (account, name, id) WHERE gone_at IS NULL;
CREATE INDEX buckets_by_name ON buckets (region, name);
CREATE INDEX buckets_differing ON buckets (differs_since) WHERE differs_since IS NOT NULL AND drift = 0;
CREATE INDEX buckets_drifting ON buckets (account, id) WHERE drift = 1 AND gone_at IS NULL;
CREATE INDEX buckets_vanished ON buckets (account, id) WHERE vanished = 1;
CREATE INDEX buckets_to_adopt ON buckets (adopt_at) WHERE adopt_at IS NOT NULL;
CREATE INDEX buckets_of_nobody ON buckets (id) WHERE account IS NULL AND gone_at IS NULL;

CREATE TABLE keys (
    id              TEXT PRIMARY KEY,
    region          TEXT NOT NULL REFERENCES regions (name),
    account         TEXT,
    label           TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT,
    operation       TEXT,                        -- the one that made it
    acknowledged_at BIGINT,
    seen_at         BIGINT,
    gone_at         BIGINT,
    create_buckets  BIGINT NOT NULL DEFAULT 0,
    temporary       BIGINT NOT NULL DEFAULT 0,
    suspended       BIGINT NOT NULL DEFAULT 0,
    vanished        BIGINT NOT NULL DEFAULT 0,
    ignored         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX keys_by_account ON keys (account, id) WHERE gone_at IS NULL;
CREATE INDEX keys_temporary ON keys (region, expires_at) WHERE temporary = 1 AND gone_at IS NULL;
CREATE INDEX keys_vanished ON keys (account, id) WHERE vanished = 1;
CREATE INDEX keys_of_nobody ON keys (id) WHERE account IS NULL AND gone_at IS NULL;

CREATE TABLE grants (
    region TEXT NOT NULL REFERENCES regions (name),
    bucket TEXT NOT NULL,
    key    TEXT NOT NULL,
    read   BIGINT NOT NULL,
    write  BIGINT NOT NULL,
    owner  BIGINT NOT NULL,
    PRIMARY KEY (bucket, key, region)
);
CREATE INDEX grants_by_key ON grants (key, region);

CREATE TABLE security_events (
    id      TEXT PRIMARY KEY,                    -- UUID v7
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,                       -- sign_in_failed, enrol_refused, agent_revoked, ...
    subject TEXT,
    origin  TEXT,
    detail  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX security_events_by_time ON security_events (at);

CREATE TABLE bucket_settings (
    region      TEXT NOT NULL REFERENCES regions (name),
    bucket      TEXT NOT NULL,
    cors        TEXT NOT NULL DEFAULT '[]',      -- rules, JSON
    lifecycle   TEXT NOT NULL DEFAULT '[]',      -- rules, JSON
    website     TEXT,                            -- JSON; NULL: off
    other_rules BIGINT NOT NULL DEFAULT 0,       -- rules besides that we cannot say
    PRIMARY KEY (region, bucket)
);

CREATE TABLE bucket_wanted (
    region        TEXT NOT NULL REFERENCES regions (name),
    bucket        TEXT NOT NULL,
    quota_set     BIGINT NOT NULL DEFAULT 0,     -- whether the two limits are an opinion
    quota_bytes   BIGINT,                        -- as we last had it set in Garage
    quota_objects BIGINT,
    cors          TEXT,                          -- rules, JSON
    lifecycle     TEXT,                          -- rules, JSON
    website       TEXT,                          -- JSON; 'null': off
    grants_known  BIGINT NOT NULL DEFAULT 0,     -- whether a key without a given grant was given none
    PRIMARY KEY (region, bucket)
);

CREATE TABLE given_grants (
    region TEXT NOT NULL REFERENCES regions (name),
    bucket TEXT NOT NULL,
    key    TEXT NOT NULL,
    read   BIGINT NOT NULL,
    write  BIGINT NOT NULL,
    owner  BIGINT NOT NULL,
    PRIMARY KEY (region, bucket, key)
);
CREATE INDEX given_grants_by_key ON given_grants (key, region);

CREATE TABLE usage_changes (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,            -- in whole objects
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
);
CREATE INDEX usage_changes_by_time ON usage_changes (at);

CREATE TABLE usage_now (
    bucket           TEXT PRIMARY KEY,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL
);

CREATE TABLE usage_closed (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    closed_until BIGINT NOT NULL
);

CREATE TABLE usage_open (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    day_byte_hours   BIGINT NOT NULL,
    day_peak_bytes   BIGINT NOT NULL,
    day_hours        BIGINT NOT NULL,            -- hours of the day that day_byte_hours covers
    PRIMARY KEY (account, bucket)
);

CREATE TABLE usage_hours (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,            -- the hour's start
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,            -- at the hour's end, as are the next two
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,            -- unfinished uploads included
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
);
CREATE INDEX usage_hours_by_time ON usage_hours (at);

CREATE TABLE usage_days (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,            -- the day's start, UTC
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
);

CREATE TABLE account_usage_hours (
    account          TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,            -- the sum of its buckets'
    PRIMARY KEY (account, at)
);
CREATE INDEX account_usage_hours_by_time ON account_usage_hours (at);

CREATE TABLE account_usage_days (
    account          TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, at)
);

CREATE TABLE account_limits (
    account       TEXT PRIMARY KEY REFERENCES accounts (id),
    storage_bytes BIGINT,
    buckets       BIGINT,
    keys          BIGINT,
    mark          BIGINT NOT NULL DEFAULT 0,     -- 0, 80, 95 or 100: the last one that was told
    marked_at     BIGINT,
    reset_at      BIGINT NOT NULL                -- quotas that were set before this are set anew
);

CREATE TABLE bucket_quotas (
    bucket            TEXT PRIMARY KEY,
    own_bytes         BIGINT,
    own_objects       BIGINT,
    effective_bytes   BIGINT,
    effective_objects BIGINT,
    set_at            BIGINT NOT NULL            -- by our clock
);

CREATE TABLE traffic (
    account        TEXT NOT NULL,
    bucket         TEXT NOT NULL,                -- '': all of the account's together
    step           BIGINT NOT NULL,              -- seconds: 60, 3600, 86400
    at             BIGINT NOT NULL,              -- the step's beginning
    method         TEXT NOT NULL,                -- read, write, delete, other
    status         BIGINT NOT NULL,              -- hundreds of the HTTP status
    requests       BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    sent_bytes     BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, step, at, method, status)
);
CREATE INDEX traffic_by_age ON traffic (step, at) WHERE step < 86400;
CREATE INDEX traffic_by_day ON traffic (account, at) WHERE step = 86400;

CREATE TABLE token_buckets (
    token  TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    bucket TEXT NOT NULL,
    PRIMARY KEY (token, bucket)
);

CREATE TABLE mails (
    id          TEXT PRIMARY KEY,
    account     TEXT,                            -- on whose behalf
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body_text   TEXT,
    body_html   TEXT,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    attempts    BIGINT NOT NULL DEFAULT 0,
    next_try_at BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    error       TEXT
);
CREATE INDEX mails_queued ON mails (next_try_at) WHERE state = 'queued';
CREATE INDEX mails_by_age ON mails (created_at);
CREATE INDEX mails_by_account ON mails (account, created_at);

CREATE TABLE invitations (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,             -- SHA-256 of the link's secret
    account    TEXT NOT NULL REFERENCES accounts (id),
    email      TEXT NOT NULL,                    -- lower case
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    invited_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (account, email)
);
CREATE INDEX invitations_by_account ON invitations (account, id);

CREATE TABLE password_resets (
    "user"     TEXT PRIMARY KEY REFERENCES users (id),
    hash       TEXT NOT NULL UNIQUE,             -- SHA-256 of the link's secret
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE audit_events (
    id        TEXT PRIMARY KEY,                  -- version 7: sorts by time
    at        BIGINT NOT NULL,
    account   TEXT,                              -- whose it is; NULL: nobody's, for operators
    "user"    TEXT,
    email     TEXT,                              -- as it was then: people go, rows stay
    token     TEXT,
    via       TEXT NOT NULL,
    origin    TEXT,
    act       TEXT NOT NULL,
    thing     TEXT,
    operation TEXT,
    result    TEXT NOT NULL,                     -- done, or why not
    count     BIGINT NOT NULL                    -- of refusals alike within a minute
);
CREATE INDEX audit_events_by_account ON audit_events (account, id);
CREATE INDEX audit_events_by_user ON audit_events ("user", id);
CREATE INDEX audit_events_by_act ON audit_events (account, act, id);
CREATE INDEX audit_events_by_thing ON audit_events (thing, id);
CREATE INDEX audit_events_by_operation ON audit_events (operation);

CREATE TABLE account_states (
    account          TEXT PRIMARY KEY REFERENCES accounts (id),
    state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'closing', 'closed')),
    reason           TEXT,                       -- of a suspension, for its people
    since            BIGINT NOT NULL,
    clears_at        BIGINT,                     -- when a closing clears its buckets
    clearing_since   BIGINT,                     -- from here on it cannot be cancelled
    by_operator      BIGINT NOT NULL DEFAULT 0,  -- who began the closing
    suspended_before BIGINT NOT NULL DEFAULT 0,  -- what a cancelled closing goes back to
    counted_at       BIGINT
);

CREATE TABLE suspended_keys (
    region  TEXT NOT NULL REFERENCES regions (name),
    key     TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (region, key)
);
CREATE INDEX suspended_keys_by_account ON suspended_keys (account);

CREATE TABLE sign_ups (
    email      TEXT PRIMARY KEY,                 -- lower case
    hash       TEXT NOT NULL UNIQUE,             -- SHA-256 of the link's secret
    name       TEXT NOT NULL,                    -- what the account is to be called
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ups_by_age ON sign_ups (created_at);

CREATE TABLE signed_up_accounts (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    made_at BIGINT NOT NULL
);
CREATE INDEX signed_up_accounts_by_age ON signed_up_accounts (made_at);

CREATE TABLE device_authorizations (
    device_hash      TEXT PRIMARY KEY,           -- SHA-256 of the program's code
    user_hash        TEXT NOT NULL UNIQUE,       -- SHA-256 of the code that people compare
    client           TEXT NOT NULL,
    host             TEXT NOT NULL,
    scopes           TEXT,                       -- JSON; as asked, then as given; NULL: all
    token_days       BIGINT NOT NULL,
    origin           TEXT,
    network          TEXT NOT NULL,              -- whose rows are counted together
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    polled_at        BIGINT,
    interval_seconds BIGINT NOT NULL,
    state            TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied')),
    "user"           TEXT,                       -- who approved it, in which account
    account          TEXT,
    token_ends_at    BIGINT
);
CREATE INDEX device_authorizations_by_network ON device_authorizations (network);
CREATE INDEX device_authorizations_by_age ON device_authorizations (expires_at);

CREATE TABLE totp_factors (
    "user"       TEXT PRIMARY KEY REFERENCES users (id),
    sealed       TEXT NOT NULL,                  -- the secret, sealed with keys/second-factor.key
    last_step    BIGINT NOT NULL DEFAULT 0,      -- of the newest code that was taken
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT
);

CREATE TABLE recovery_codes (
    "user" TEXT NOT NULL REFERENCES users (id),
    hash   TEXT NOT NULL,                        -- SHA-256; a code has 80 random bits
    PRIMARY KEY ("user", hash)
);

CREATE TABLE sign_in_challenges (
    hash       TEXT PRIMARY KEY,                 -- SHA-256 of its secret
    "user"     TEXT NOT NULL REFERENCES users (id),
    method     TEXT NOT NULL,                    -- how they proved the first half
    tries      BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_challenges_by_user ON sign_in_challenges ("user");
CREATE INDEX sign_in_challenges_by_age ON sign_in_challenges (expires_at);

CREATE TABLE passkeys (
    id           TEXT PRIMARY KEY,
    "user"       TEXT NOT NULL REFERENCES users (id),
    credential   TEXT NOT NULL UNIQUE,           -- what its authenticator calls it, base64url
    name         TEXT NOT NULL,
    passkey      TEXT NOT NULL,                  -- public key, counter and the like, JSON
    synced       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_by_user ON passkeys ("user");

CREATE TABLE passkey_challenges (
    hash       TEXT PRIMARY KEY,                 -- SHA-256 of its secret
    purpose    TEXT NOT NULL,                    -- create | sign_in | reauthenticate
    "user"     TEXT REFERENCES users (id),       -- whose answer alone counts; a sign-in is anybody's
    state      TEXT NOT NULL,                    -- what the answer has to fit, JSON
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_by_user ON passkey_challenges ("user");
CREATE INDEX passkey_challenges_by_end ON passkey_challenges (expires_at);
CREATE INDEX passkey_challenges_by_purpose ON passkey_challenges (purpose, expires_at);

CREATE TABLE oidc_flows (
    state      TEXT PRIMARY KEY,                 -- SHA-256 of it
    browser    TEXT NOT NULL,                    -- SHA-256 of the secret in the browser's cookie
    provider   TEXT NOT NULL,
    session    TEXT,                             -- SHA-256; the session whose person proves again who they are
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_flows_by_end ON oidc_flows (expires_at);

CREATE TABLE oidc_people (
    "user"       TEXT PRIMARY KEY REFERENCES users (id),
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    linked_at    BIGINT NOT NULL,
    tokens_until BIGINT NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
);

CREATE FUNCTION audit_events_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are never changed'; END $$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
FOR EACH ROW EXECUTE FUNCTION audit_events_stay();

INSERT INTO users (id, email, password_hash, operator, created_at)
VALUES ('00000000-0000-7000-8000-000000000000', 'system', NULL, 1, 0);
