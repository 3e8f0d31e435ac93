-- Passkeys: public keys that their people's devices sign with.
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

-- What authenticators were asked to sign. A row is deleted when it is answered, whatever the answer.
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

-- The passkey that began a session; deleting it ends the session.
ALTER TABLE sessions ADD COLUMN passkey TEXT;
CREATE INDEX sessions_by_passkey ON sessions (passkey);
