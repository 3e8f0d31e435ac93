-- What is set on buckets and keys besides their limits and rights, as last heard.
ALTER TABLE buckets ADD COLUMN website BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN create_buckets BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN temporary BIGINT NOT NULL DEFAULT 0;
-- A suspended key's expires_at is the end that it had: in Garage it has none but the suspension.
ALTER TABLE keys ADD COLUMN suspended BIGINT NOT NULL DEFAULT 0;

-- Apart from the buckets, so that a list of many stays light.
CREATE TABLE bucket_settings (
    region      TEXT NOT NULL REFERENCES regions (name),
    bucket      TEXT NOT NULL,
    cors        TEXT NOT NULL DEFAULT '[]',      -- rules, JSON
    lifecycle   TEXT NOT NULL DEFAULT '[]',      -- rules, JSON
    website     TEXT,                            -- JSON; NULL: off
    other_rules BIGINT NOT NULL DEFAULT 0,       -- rules besides that we cannot say
    PRIMARY KEY (region, bucket)
);

-- A bucket's living temporary keys are counted before another is made.
CREATE INDEX keys_temporary ON keys (region, expires_at) WHERE temporary = 1 AND gone_at IS NULL;
