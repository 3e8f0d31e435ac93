-- What an account has is summed up from the index alone: it stands on each page of accounts.
DROP INDEX buckets_by_size;
CREATE INDEX buckets_by_size ON buckets (account, (COALESCE(bytes, -1)) DESC, id, bytes, unfinished_bytes, objects)
    WHERE gone_at IS NULL;
CREATE INDEX keys_counted ON keys (account, expires_at) WHERE gone_at IS NULL AND temporary = 0;
