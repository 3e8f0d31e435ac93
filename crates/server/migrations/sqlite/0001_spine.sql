-- Instants are microseconds UTC (BIGINT). Ids are the text forms of the protocol's newtypes.
-- Booleans are BIGINT 0 or 1, JSON is TEXT: the same queries run on PostgreSQL.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,          -- lower case
    password_hash TEXT,                          -- argon2id, PHC string
    operator      BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    account TEXT NOT NULL REFERENCES accounts (id),
    "user"  TEXT NOT NULL REFERENCES users (id),
    role    TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    PRIMARY KEY (account, "user")
);

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,                 -- SHA-256 of the cookie's secret
    "user"     TEXT NOT NULL REFERENCES users (id),
    account    TEXT NOT NULL REFERENCES accounts (id),
    origin     TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expire ON sessions (expires_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE,           -- SHA-256 of the token's text
    "user"       TEXT NOT NULL REFERENCES users (id),
    account      TEXT NOT NULL REFERENCES accounts (id),
    name         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT
);

CREATE TABLE regions (
    name             TEXT PRIMARY KEY,
    s3_endpoint      TEXT NOT NULL,
    s3_region        TEXT NOT NULL,
    website_domain   TEXT,
    executor         TEXT,                       -- agents.id
    epoch            BIGINT NOT NULL DEFAULT 0,  -- grows each time the role moves
    executor_free_at BIGINT,                     -- without one: nobody takes the role before
    created_at       BIGINT NOT NULL
);

CREATE TABLE agents (
    id                     TEXT PRIMARY KEY,
    region                 TEXT NOT NULL REFERENCES regions (name),
    host                   TEXT NOT NULL,
    version                TEXT,
    garage_version         TEXT,
    receipt_key            TEXT NOT NULL,
    seal_key               TEXT NOT NULL,
    tls_key                TEXT NOT NULL,        -- SHA-256 of the certificate's SubjectPublicKeyInfo
    renewed_tls_key        TEXT,                 -- of a renewed certificate, until it is first used
    statement              TEXT NOT NULL,        -- signed envelope, JSON
    certificate_expires_at BIGINT,
    connected              BIGINT NOT NULL DEFAULT 0,
    seen_at                BIGINT,
    clock_offset_micros    BIGINT,
    not_offered            TEXT NOT NULL DEFAULT '[]', -- command names, JSON
    quarantined            TEXT,
    revoked_at             BIGINT,
    chain                  BIGINT NOT NULL DEFAULT 0,  -- grows each time an operator accepts another chain
    base                   BIGINT NOT NULL DEFAULT 0,  -- the sequence that the present chain goes on from
    receipts               BIGINT NOT NULL DEFAULT 0,  -- sequence of the last stored receipt
    head                   TEXT,                       -- its identity
    refused_receipts       BIGINT,                     -- where its chain ended when it last was turned away
    refused_head           TEXT,
    generation             BIGINT NOT NULL DEFAULT 0,  -- of the last stored inventory
    trust_serial           BIGINT NOT NULL DEFAULT 0,
    created_at             BIGINT NOT NULL
);

-- Whom the hub has to cut off.
CREATE INDEX agents_kept_out ON agents (id)
    WHERE connected = 1 AND (revoked_at IS NOT NULL OR quarantined IS NOT NULL);

CREATE TABLE enrol_tokens (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    region     TEXT NOT NULL REFERENCES regions (name),
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tls_key    TEXT,                             -- the first request's key; another is refused
    agent      TEXT,                             -- the id given to it
    spent_at   BIGINT                            -- when that agent first connected
);

-- What the hub asks of the signer: certificates. The hub has no CA key.
CREATE TABLE certificate_requests (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('hub', 'enrol', 'renew')),
    enrol_token TEXT,                            -- hash, for 'enrol'
    agent       TEXT,                            -- for 'renew'
    body        TEXT NOT NULL,                   -- the request, JSON
    state       TEXT NOT NULL CHECK (state IN ('requested', 'issued', 'refused')),
    answer      TEXT,                            -- certificate chain and statement, or a code; JSON
    created_at  BIGINT NOT NULL
);
CREATE INDEX certificate_requests_open ON certificate_requests (created_at) WHERE state = 'requested';

CREATE TABLE operations (
    id              TEXT PRIMARY KEY,            -- UUID v7: sorts by time
    state           TEXT NOT NULL,
    account         TEXT NOT NULL REFERENCES accounts (id),
    "user"          TEXT NOT NULL REFERENCES users (id),
    operator        BIGINT NOT NULL,
    via             TEXT NOT NULL,
    origin          TEXT,
    region          TEXT NOT NULL REFERENCES regions (name),
    agent           TEXT,
    attempt         BIGINT NOT NULL DEFAULT 0,
    command         TEXT NOT NULL,
    parameters      TEXT NOT NULL,               -- JSON, byte for byte what is signed
    seal_to         TEXT,
    idempotency_key TEXT,
    request_digest  TEXT NOT NULL,               -- of command, region and parameters
    requested_at    BIGINT NOT NULL,
    give_up_at      BIGINT NOT NULL,             -- expires when not taken by then
    signed_at       BIGINT,
    finished_at     BIGINT,
    envelope        TEXT,                        -- the last signed one, JSON
    outcome         TEXT,                        -- JSON
    receipt         TEXT,                        -- signed envelope, JSON
    sealed          TEXT,                        -- sealed secret until acknowledged or 24 h, JSON
    sealed_at       BIGINT,                      -- when it came, by our clock
    acknowledged_at BIGINT
);
CREATE UNIQUE INDEX operations_idempotent ON operations (account, "user", idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX operations_by_account ON operations (account, id);
-- What signer and hub look for at each wake: a look costs what waits, not what ever was.
CREATE INDEX operations_requested ON operations (account, id) WHERE state = 'requested';
CREATE INDEX operations_signed ON operations (agent, id) WHERE state = 'signed';
CREATE INDEX operations_unanswered ON operations (agent, id) WHERE state IN ('sent', 'accepted', 'unknown');
-- How many an account has open, and how many of them an agent has.
CREATE INDEX operations_open ON operations (account, region, state)
    WHERE state IN ('requested', 'signed', 'sent', 'accepted');
CREATE INDEX operations_sealed ON operations (sealed_at) WHERE sealed IS NOT NULL;

CREATE TABLE receipts (
    agent            TEXT NOT NULL REFERENCES agents (id),
    chain            BIGINT NOT NULL,            -- agents.chain when it came
    sequence         BIGINT NOT NULL,
    account          TEXT NOT NULL,
    account_sequence BIGINT NOT NULL,
    operation        TEXT NOT NULL,
    identity         TEXT NOT NULL,
    receipt          TEXT NOT NULL,
    stored_at        BIGINT NOT NULL,
    PRIMARY KEY (agent, chain, sequence)
);
CREATE INDEX receipts_by_account ON receipts (account, agent, chain, account_sequence);

CREATE TABLE buckets (
    id                 TEXT PRIMARY KEY,
    region             TEXT NOT NULL REFERENCES regions (name),
    account            TEXT,                     -- NULL: nobody's yet
    name               TEXT,                     -- the first alias, for sorting and search
    aliases            TEXT NOT NULL DEFAULT '[]',
    bytes              BIGINT,
    objects            BIGINT,
    unfinished_bytes   BIGINT,
    unfinished_uploads BIGINT,
    quota_bytes        BIGINT,
    quota_objects      BIGINT,
    created_at         BIGINT NOT NULL,
    seen_at            BIGINT,
    gone_at            BIGINT
);
CREATE INDEX buckets_by_account ON buckets (account, name, id) WHERE gone_at IS NULL;
CREATE INDEX buckets_by_name ON buckets (region, name);

CREATE TABLE keys (
    id              TEXT PRIMARY KEY,
    region          TEXT NOT NULL REFERENCES regions (name),
    account         TEXT,
    label           TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT,
    operation       TEXT,                        -- the one that made it
    acknowledged_at BIGINT,
    seen_at         BIGINT,
    gone_at         BIGINT
);
CREATE INDEX keys_by_account ON keys (account, id) WHERE gone_at IS NULL;

CREATE TABLE grants (
    region TEXT NOT NULL REFERENCES regions (name),
    bucket TEXT NOT NULL,
    key    TEXT NOT NULL,
    read   BIGINT NOT NULL,
    write  BIGINT NOT NULL,
    owner  BIGINT NOT NULL,
    PRIMARY KEY (bucket, key, region)
);
CREATE INDEX grants_by_key ON grants (key, region);

CREATE TABLE security_events (
    id      TEXT PRIMARY KEY,                    -- UUID v7
    at      BIGINT NOT NULL,
    kind    TEXT NOT NULL,                       -- sign_in_failed, enrol_refused, agent_revoked, ...
    subject TEXT,
    origin  TEXT,
    detail  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX security_events_by_time ON security_events (at);
