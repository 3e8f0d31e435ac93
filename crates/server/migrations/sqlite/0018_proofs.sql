-- How a session was begun, when its person last proved who they are, how long it lasts unused, and when it
-- ends at the latest; expires_at moves on with its use.
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN idle_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET ends_at = expires_at;
