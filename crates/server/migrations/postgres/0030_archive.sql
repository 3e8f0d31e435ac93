-- Operations that ended long ago, out of the way of everything that works on `operations`: what the API
-- answers about them, without the envelope. They keep their ids and their order; receipts stay where they are.
CREATE TABLE archived_operations (
    id        TEXT NOT NULL PRIMARY KEY,
    account   TEXT NOT NULL REFERENCES accounts (id),
    state     TEXT NOT NULL,
    operation TEXT NOT NULL                      -- JSON, as the API answers it
);
CREATE INDEX archived_operations_by_account ON archived_operations (account, id);
CREATE INDEX archived_operations_by_state ON archived_operations (account, state, id);
CREATE INDEX archived_operations_not_done ON archived_operations (id) WHERE state IN ('failed', 'refused', 'expired');

-- A page of one state reads no other states' rows, however many there are.
CREATE INDEX operations_ended ON operations (account, state, id) WHERE finished_at IS NOT NULL;
-- Whether people suspended a key themselves.
CREATE INDEX operations_suspending ON operations (account, id) WHERE command IN ('key.suspend', 'key.resume');
-- The largest first.
CREATE INDEX buckets_by_size ON buckets (account, (COALESCE(bytes, -1)) DESC, id) WHERE gone_at IS NULL;
-- What was refused or failed, among much that was not.
CREATE INDEX audit_events_not_done ON audit_events (account, id) WHERE result <> 'done';
-- A person's API tokens in an account.
CREATE INDEX tokens_by_account ON tokens (account, "user", id);
-- Pages of a large fleet.
CREATE INDEX agents_in_order ON agents (region, id) WHERE revoked_at IS NULL;
