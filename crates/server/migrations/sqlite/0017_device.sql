-- Programs that wait to be let in by somebody who is signed in elsewhere. A row goes with the answer that is
-- fetched, and otherwise once its time is over; no token stands here, it is made when it is fetched.
CREATE TABLE device_authorizations (
    device_hash      TEXT PRIMARY KEY,           -- SHA-256 of the program's code
    user_hash        TEXT NOT NULL UNIQUE,       -- SHA-256 of the code that people compare
    client           TEXT NOT NULL,
    host             TEXT NOT NULL,
    scopes           TEXT,                       -- JSON; as asked, then as given; NULL: all
    token_days       BIGINT NOT NULL,
    origin           TEXT,
    network          TEXT NOT NULL,              -- whose rows are counted together
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    polled_at        BIGINT,
    interval_seconds BIGINT NOT NULL,
    state            TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied')),
    "user"           TEXT,                       -- who approved it, in which account
    account          TEXT,
    token_ends_at    BIGINT
);
CREATE INDEX device_authorizations_by_network ON device_authorizations (network);
CREATE INDEX device_authorizations_by_age ON device_authorizations (expires_at);
