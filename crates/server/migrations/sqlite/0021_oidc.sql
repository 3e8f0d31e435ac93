-- Sign-ins at a company's provider that are under way. Nothing here says what they carry: nonce and proof key
-- are made from the browser's secret, which is in its cookie alone.
CREATE TABLE oidc_flows (
    state      TEXT PRIMARY KEY,                 -- SHA-256 of it
    browser    TEXT NOT NULL,                    -- SHA-256 of the secret in the browser's cookie
    provider   TEXT NOT NULL,
    session    TEXT,                             -- SHA-256; the session whose person proves again who they are
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_flows_by_end ON oidc_flows (expires_at);

-- Who is known by a provider's word, not by a password.
CREATE TABLE oidc_people (
    "user"    TEXT PRIMARY KEY REFERENCES users (id),
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);
