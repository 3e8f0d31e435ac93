-- E-mail that is to go out. What it says, links too, is forgotten once it is sent or given up.
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

-- Who was asked into an account. One that is accepted or withdrawn is deleted.
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
CREATE INDEX members_by_user ON members ("user");
