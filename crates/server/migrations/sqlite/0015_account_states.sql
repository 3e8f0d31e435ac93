-- What became of accounts; one without a row is active.
CREATE TABLE account_states (
    account          TEXT PRIMARY KEY REFERENCES accounts (id),
    state            TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'closing', 'closed')),
    reason           TEXT,                       -- of a suspension, for its people
    since            BIGINT NOT NULL,
    clears_at        BIGINT,                     -- when a closing clears its buckets
    clearing_since   BIGINT,                     -- from here on it cannot be cancelled
    by_operator      BIGINT NOT NULL DEFAULT 0,  -- who began the closing
    suspended_before BIGINT NOT NULL DEFAULT 0   -- what a cancelled closing goes back to
);

-- Keys that work no longer because their account was suspended; their people had not suspended them.
CREATE TABLE suspended_keys (
    region  TEXT NOT NULL REFERENCES regions (name),
    key     TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (region, key)
);
CREATE INDEX suspended_keys_by_account ON suspended_keys (account);
