-- Authenticator apps, one a person. One that was begun and not confirmed does not count yet.
CREATE TABLE totp_factors (
    "user"       TEXT PRIMARY KEY REFERENCES users (id),
    sealed       TEXT NOT NULL,                  -- the secret, sealed with keys/second-factor.key
    last_step    BIGINT NOT NULL DEFAULT 0,      -- of the newest code that was taken
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT
);

-- Codes for when the second factor is lost. One that is taken is deleted.
CREATE TABLE recovery_codes (
    "user" TEXT NOT NULL REFERENCES users (id),
    hash   TEXT NOT NULL,                        -- SHA-256; a code has 80 random bits
    PRIMARY KEY ("user", hash)
);

-- People who have proved the first half of who they are.
CREATE TABLE sign_in_challenges (
    hash       TEXT PRIMARY KEY,                 -- SHA-256 of its secret
    "user"     TEXT NOT NULL REFERENCES users (id),
    method     TEXT NOT NULL,                    -- how they proved the first half
    tries      BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_challenges_by_user ON sign_in_challenges ("user");
CREATE INDEX sign_in_challenges_by_age ON sign_in_challenges (expires_at);
