-- What a token leaves of its maker's rights.
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '["*"]';      -- JSON
ALTER TABLE tokens ADD COLUMN on_buckets BIGINT NOT NULL DEFAULT 0;      -- 1: for those below alone
CREATE TABLE token_buckets (
    token  TEXT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    bucket TEXT NOT NULL,
    PRIMARY KEY (token, bucket)
);

-- The token that an operation was asked for with: the signer asks it again.
ALTER TABLE operations ADD COLUMN token TEXT;
