-- Use over time, and what an account may have.
--
-- Bytes stand still between two changes. Hours and days are sparse: a bucket has a row for those in
-- which something changed, and every other one is its last row's closing figures all the way. An
-- account's own rows are dense, so that a chart of a year is one range of an index.

-- Each change, by the account that had the bucket. Kept 48 hours, and the last one before.
CREATE TABLE usage_changes (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,            -- in whole objects
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
) WITHOUT ROWID;
CREATE INDEX usage_changes_by_time ON usage_changes (at);

-- What was last recorded of a bucket, and of whom.
CREATE TABLE usage_now (
    bucket           TEXT PRIMARY KEY,
    account          TEXT NOT NULL,
    region           TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL
) WITHOUT ROWID;

-- One row: all hours before this instant are closed.
CREATE TABLE usage_closed (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    closed_until BIGINT NOT NULL
);

-- Each bucket's figures at that instant, and its day so far up to the last hour with a change.
CREATE TABLE usage_open (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    day_byte_hours   BIGINT NOT NULL,
    day_peak_bytes   BIGINT NOT NULL,
    day_hours        BIGINT NOT NULL,            -- hours of the day that day_byte_hours covers
    PRIMARY KEY (account, bucket)
) WITHOUT ROWID;

CREATE TABLE usage_hours (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,            -- the hour's start
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,            -- at the hour's end, as are the next two
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,            -- unfinished uploads included
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
) WITHOUT ROWID;
CREATE INDEX usage_hours_by_time ON usage_hours (at);

CREATE TABLE usage_days (
    account          TEXT NOT NULL,
    bucket           TEXT NOT NULL,
    at               BIGINT NOT NULL,            -- the day's start, UTC
    region           TEXT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, bucket, at)
) WITHOUT ROWID;

CREATE TABLE account_usage_hours (
    account          TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,            -- the sum of its buckets'
    PRIMARY KEY (account, at)
) WITHOUT ROWID;
CREATE INDEX account_usage_hours_by_time ON account_usage_hours (at);

CREATE TABLE account_usage_days (
    account          TEXT NOT NULL,
    at               BIGINT NOT NULL,
    bytes            BIGINT NOT NULL,
    objects          BIGINT NOT NULL,
    unfinished_bytes BIGINT NOT NULL,
    peak_bytes       BIGINT NOT NULL,
    byte_hours       BIGINT NOT NULL,
    PRIMARY KEY (account, at)
) WITHOUT ROWID;

-- What an account may have; NULL: as much as it likes.
CREATE TABLE account_limits (
    account       TEXT PRIMARY KEY REFERENCES accounts (id),
    storage_bytes BIGINT,
    buckets       BIGINT,
    keys          BIGINT,
    mark          BIGINT NOT NULL DEFAULT 0,     -- 0, 80, 95 or 100: the last one that was told
    marked_at     BIGINT,
    reset_at      BIGINT NOT NULL                -- quotas that were set before this are set anew
) WITHOUT ROWID;

-- A bucket's quota: what its people want, and what was last set in Garage for it, which a storage
-- limit may have made smaller. One that nobody set through us has no row and is what Garage has.
CREATE TABLE bucket_quotas (
    bucket            TEXT PRIMARY KEY,
    own_bytes         BIGINT,
    own_objects       BIGINT,
    effective_bytes   BIGINT,
    effective_objects BIGINT,
    set_at            BIGINT NOT NULL            -- by our clock
) WITHOUT ROWID;

-- The parameters as they were asked for, where others are sent: a storage limit may have made a
-- quota smaller. NULL: those that are sent.
ALTER TABLE operations ADD COLUMN asked TEXT;

-- Open operations that may make one more bucket or key, or set quotas.
CREATE INDEX operations_making ON operations (account, id)
    WHERE state IN ('requested', 'signed', 'sent', 'accepted', 'unknown')
    AND command IN ('bucket.create', 'key.create', 'key.rotate', 'key.set_expiry', 'key.resume',
                    'account.set_quotas');

-- The buckets that there are have what they have since now, as far as is known.
INSERT INTO usage_changes (account, bucket, at, region, bytes, objects, unfinished_bytes)
SELECT account, id, CAST(strftime('%s', 'now') AS INTEGER) * 1000000, region, COALESCE(bytes, 0),
       COALESCE(objects, 0), COALESCE(unfinished_bytes, 0)
FROM buckets WHERE account IS NOT NULL AND gone_at IS NULL;
INSERT INTO usage_now (bucket, account, region, at, bytes, objects, unfinished_bytes)
SELECT bucket, account, region, at, bytes, objects, unfinished_bytes FROM usage_changes;
