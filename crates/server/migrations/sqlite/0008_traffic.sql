-- Requests, as the proxies before Garage logged them: sums by minute for 48 hours, by hour for 90 days,
-- by day for ever.
CREATE TABLE traffic (
    subject        TEXT NOT NULL,                -- a bucket's id, or an account's: the sum of its buckets
    step           BIGINT NOT NULL,              -- seconds: 60, 3600, 86400
    at             BIGINT NOT NULL,              -- the step's beginning
    method         TEXT NOT NULL,                -- read, write, delete, other
    status         BIGINT NOT NULL,              -- hundreds of the HTTP status
    requests       BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    sent_bytes     BIGINT NOT NULL,
    PRIMARY KEY (subject, step, at, method, status)
) WITHOUT ROWID;
-- What is to be forgotten one day.
CREATE INDEX traffic_by_age ON traffic (step, at) WHERE step < 86400;

-- The agent's last frame of counts that is stored; 0 where no proxy ever reported.
ALTER TABLE agents ADD COLUMN traffic_sequence BIGINT NOT NULL DEFAULT 0;
