-- What the platform asks by itself is asked by a user that nobody can sign in as.
INSERT INTO users (id, email, password_hash, operator, created_at)
VALUES ('00000000-0000-7000-8000-000000000000', 'system', NULL, 1, 0) ON CONFLICT DO NOTHING;

-- What was asked for through us, apart from what a cluster has. NULL: nothing was, no opinion.
CREATE TABLE bucket_wanted (
    region        TEXT NOT NULL REFERENCES regions (name),
    bucket        TEXT NOT NULL,
    quota_set     BIGINT NOT NULL DEFAULT 0,     -- whether the two limits are an opinion
    quota_bytes   BIGINT,                        -- as we last had it set in Garage
    quota_objects BIGINT,
    cors          TEXT,                          -- rules, JSON
    lifecycle     TEXT,                          -- rules, JSON
    website       TEXT,                          -- JSON; 'null': off
    grants_known  BIGINT NOT NULL DEFAULT 0,     -- whether a key without a given grant was given none
    PRIMARY KEY (region, bucket)
);

-- The rights that were given through us; without any right, it was taken away through us.
CREATE TABLE given_grants (
    region TEXT NOT NULL REFERENCES regions (name),
    bucket TEXT NOT NULL,
    key    TEXT NOT NULL,
    read   BIGINT NOT NULL,
    write  BIGINT NOT NULL,
    owner  BIGINT NOT NULL,
    PRIMARY KEY (region, bucket, key)
);
CREATE INDEX given_grants_by_key ON given_grants (key, region);

ALTER TABLE buckets ADD COLUMN local_aliases TEXT NOT NULL DEFAULT '[]'; -- key and name, JSON
-- Since when found and wanted differ; shown as drift once that has stood for a while.
ALTER TABLE buckets ADD COLUMN differs_since BIGINT;
ALTER TABLE buckets ADD COLUMN drift BIGINT NOT NULL DEFAULT 0;
-- Gone without our doing.
ALTER TABLE buckets ADD COLUMN vanished BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN vanished BIGINT NOT NULL DEFAULT 0;
-- Nobody's, and to be left alone.
ALTER TABLE buckets ADD COLUMN ignored BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN ignored BIGINT NOT NULL DEFAULT 0;
-- When to ask for the adoption of a bucket that a sweep gave to an account, and the how-manieth time
-- that is.
ALTER TABLE buckets ADD COLUMN adopt_at BIGINT;
ALTER TABLE buckets ADD COLUMN adopt_tries BIGINT NOT NULL DEFAULT 0;
-- When it was last taken from an account: a sweep may have seen the rights that it had until then.
ALTER TABLE buckets ADD COLUMN released_at BIGINT;

CREATE INDEX buckets_differing ON buckets (differs_since) WHERE differs_since IS NOT NULL AND drift = 0;
CREATE INDEX buckets_drifting ON buckets (account, id) WHERE drift = 1 AND gone_at IS NULL;
CREATE INDEX buckets_vanished ON buckets (account, id) WHERE vanished = 1;
CREATE INDEX keys_vanished ON keys (account, id) WHERE vanished = 1;
CREATE INDEX buckets_to_adopt ON buckets (adopt_at) WHERE adopt_at IS NOT NULL;
CREATE INDEX buckets_of_nobody ON buckets (id) WHERE account IS NULL AND gone_at IS NULL;
CREATE INDEX keys_of_nobody ON keys (id) WHERE account IS NULL AND gone_at IS NULL;
