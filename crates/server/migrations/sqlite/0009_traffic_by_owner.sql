-- Requests belong to the account that had the bucket at the time: whoever has it later does not learn
-- of them, and each account's bill says its own.
CREATE TABLE traffic_of (
    account        TEXT NOT NULL,
    bucket         TEXT NOT NULL,                -- '': all of the account's together
    step           BIGINT NOT NULL,              -- seconds: 60, 3600, 86400
    at             BIGINT NOT NULL,              -- the step's beginning
    method         TEXT NOT NULL,                -- read, write, delete, other
    status         BIGINT NOT NULL,              -- hundreds of the HTTP status
    requests       BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    sent_bytes     BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, step, at, method, status)
) WITHOUT ROWID;
INSERT INTO traffic_of
SELECT b.account, b.id, t.step, t.at, t.method, t.status, t.requests, t.received_bytes, t.sent_bytes
FROM traffic t JOIN buckets b ON b.id = t.subject WHERE b.account IS NOT NULL;
INSERT INTO traffic_of
SELECT a.id, '', t.step, t.at, t.method, t.status, t.requests, t.received_bytes, t.sent_bytes
FROM traffic t JOIN accounts a ON a.id = t.subject;
DROP TABLE traffic;
ALTER TABLE traffic_of RENAME TO traffic;
-- What is to be forgotten one day.
CREATE INDEX traffic_by_age ON traffic (step, at) WHERE step < 86400;
-- A month of all of an account's buckets.
CREATE INDEX traffic_by_day ON traffic (account, at) WHERE step = 86400;
