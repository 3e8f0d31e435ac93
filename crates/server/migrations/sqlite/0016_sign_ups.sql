-- Who asked for an account of their own. One an address: a new one takes the old one's place. One whose address
-- somebody here has leads nowhere, and is kept all the same.
CREATE TABLE sign_ups (
    email      TEXT PRIMARY KEY,                 -- lower case
    hash       TEXT NOT NULL UNIQUE,             -- SHA-256 of the link's secret
    name       TEXT NOT NULL,                    -- what the account is to be called
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ups_by_age ON sign_ups (created_at);

-- Accounts that were made so.
CREATE TABLE signed_up_accounts (
    account TEXT PRIMARY KEY REFERENCES accounts (id),
    made_at BIGINT NOT NULL
);
CREATE INDEX signed_up_accounts_by_age ON signed_up_accounts (made_at);
