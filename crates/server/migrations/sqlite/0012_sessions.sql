-- Sessions as their person sees them.
ALTER TABLE sessions ADD COLUMN id TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
ALTER TABLE sessions ADD COLUMN seen_at BIGINT;
-- Those that have no name cannot be listed: their people sign in again.
DELETE FROM sessions;
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_user ON sessions ("user");

-- Links that set a new password. One a person: a new one takes the old one's place.
CREATE TABLE password_resets (
    "user"     TEXT PRIMARY KEY REFERENCES users (id),
    hash       TEXT NOT NULL UNIQUE,             -- SHA-256 of the link's secret
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
