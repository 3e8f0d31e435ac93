-- An account that has been here for a year: two more regions, buckets of all sizes, keys, people, and
-- what was stored and asked every day. Figures are made of the numbers of buckets and days, so that each
-- run shows the same.

INSERT INTO regions (name, s3_endpoint, s3_region, website_domain, executor, epoch, created_at)
SELECT column1, 'https://s3.' || column1 || '.example.net', column1, 'web.' || column1 || '.example.net',
       column2, 1, (SELECT created_at FROM accounts)
FROM (VALUES ('falkenstein', '0190a000-0000-7000-8000-000000000001'),
             ('helsinki', '0190a000-0000-7000-8000-000000000002'));

INSERT INTO agents (id, region, host, version, garage_version, receipt_key, seal_key, tls_key, statement,
                    connected, seen_at, created_at)
SELECT r.executor, r.name, r.name || '-1', a.version, a.garage_version, a.receipt_key || r.name, a.seal_key,
       a.tls_key || r.name, a.statement, r.name = 'falkenstein', a.seen_at, a.created_at
FROM regions r, (SELECT * FROM agents) a WHERE r.name IN ('falkenstein', 'helsinki');

UPDATE accounts SET name = 'Nordlicht Labs';
INSERT INTO account_limits (account, storage_bytes, buckets, keys, reset_at)
SELECT id, 8000000000000, 100, 200, 0 FROM accounts WHERE true
ON CONFLICT (account) DO UPDATE SET storage_bytes = 8000000000000, buckets = 100, keys = 200;

CREATE TEMP TABLE made (number, name, region, bytes, objects, quota, growth);
INSERT INTO made VALUES
    (1, 'media-originals', 'falkenstein', 2410000000000, 1184203, 3000000000000, 0.0035),
    (2, 'backups-office', 'helsinki', 1190000000000, 48210, NULL, 0.002),
    (3, 'artifacts', 'falkenstein', 612000000000, 902377, 640000000000, 0.006),
    (4, 'media-proxies', 'falkenstein', 284000000000, 1184190, NULL, 0.004),
    (5, 'backups-laptops', 'helsinki', 141000000000, 20477, 200000000000, 0.001),
    (6, 'logs-2026', 'falkenstein', 96400000000, 412008, 100000000000, 0.008),
    (7, 'website-nordlicht', 'falkenstein', 841000000, 3120, NULL, 0.0002),
    (8, 'terraform-state', 'falkenstein', 18400000, 214, 1000000000, 0.001),
    (9, 'exports-for-the-accounting-office-of-nordlicht-labs-2026', 'helsinki', 5120000000, 96, NULL, 0.003),
    (10, 'scratch', 'helsinki', 0, 0, 20000000000, 0);

INSERT INTO buckets (id, region, account, name, aliases, bytes, objects, unfinished_bytes, unfinished_uploads,
                     quota_bytes, created_at, seen_at, website)
SELECT printf('%08x%056x', number * 371948273 % 4294967296, number), region, (SELECT id FROM accounts), name, json_array(name), bytes, objects,
       CASE number WHEN 1 THEN 18300000000 WHEN 3 THEN 2100000000 ELSE 0 END,
       CASE number WHEN 1 THEN 12 WHEN 3 THEN 3 ELSE 0 END,
       quota, (unixepoch() - 380 * 86400) * 1000000, unixepoch() * 1000000 - 41000000, number = 7
FROM made;

CREATE TEMP TABLE keys_made (number, label, region);
INSERT INTO keys_made VALUES
    (1, 'render farm', 'falkenstein'), (2, 'restic office', 'helsinki'), (3, 'gitlab runner', 'falkenstein'),
    (4, 'laptop of Mira', 'helsinki'), (5, 'website deploy', 'falkenstein'), (6, 'auditor, until March', 'helsinki');
INSERT INTO keys (id, region, account, label, created_at, expires_at, acknowledged_at, seen_at, suspended)
SELECT printf('GK%08x%016x', number * 738197503 % 4294967296, number * 48271), region, (SELECT id FROM accounts), label,
       (unixepoch() - number * 40 * 86400) * 1000000,
       CASE number WHEN 6 THEN (unixepoch() + 90 * 86400) * 1000000 WHEN 3 THEN (unixepoch() + 5 * 86400) * 1000000 END,
       unixepoch() * 1000000, unixepoch() * 1000000, number = 4
FROM keys_made;
INSERT INTO grants (region, bucket, key, read, write, owner)
SELECT m.region, printf('%08x%056x', m.number * 371948273 % 4294967296, m.number), printf('GK%08x%016x', k.number * 738197503 % 4294967296, k.number * 48271), 1,
       k.number <> 6, k.number = 1
FROM made m JOIN keys_made k ON k.region = m.region AND (m.number + k.number) % 3 <> 0;

-- A year of what was stored, until an hour ago.
INSERT INTO usage_closed (one, closed_until) VALUES (1, unixepoch() / 3600 * 3600 * 1000000)
ON CONFLICT (one) DO UPDATE SET closed_until = excluded.closed_until;
CREATE TEMP TABLE ago AS
WITH RECURSIVE n (days) AS (SELECT 0 UNION ALL SELECT days + 1 FROM n WHERE days < 370) SELECT days FROM n;
CREATE TEMP TABLE ago_hours AS
WITH RECURSIVE n (hours) AS (SELECT 1 UNION ALL SELECT hours + 1 FROM n WHERE hours < 340) SELECT hours FROM n;

INSERT INTO usage_days (account, bucket, at, region, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)
SELECT (SELECT id FROM accounts), printf('%08x%056x', number * 371948273 % 4294967296, number), (unixepoch() / 86400 - days) * 86400 * 1000000,
       region, used, CAST(objects * used / max(bytes, 1) AS INTEGER), 0, used, used * 24
FROM (SELECT *, CAST(bytes * (1 - min(0.9, growth * days * 0.4)) * (1 + 0.012 * ((days * 13 + number) % 5)) AS INTEGER) AS used
      FROM made, ago WHERE days > 0);
INSERT INTO usage_hours (account, bucket, at, region, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)
SELECT (SELECT id FROM accounts), printf('%08x%056x', number * 371948273 % 4294967296, number), (unixepoch() / 3600 - hours) * 3600 * 1000000,
       region, used, CAST(objects * used / max(bytes, 1) AS INTEGER), 0, used, used
FROM (SELECT *, CAST(bytes * (1 - growth * hours / 60.0) * (1 + 0.002 * ((hours * 7 + number) % 5)) AS INTEGER) AS used
      FROM made, ago_hours);
INSERT INTO account_usage_days (account, at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)
SELECT account, at, sum(bytes), sum(objects), 0, sum(peak_bytes), sum(byte_hours) FROM usage_days GROUP BY account, at
ON CONFLICT (account, at) DO NOTHING;
INSERT INTO account_usage_hours (account, at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)
SELECT account, at, sum(bytes), sum(objects), 0, sum(peak_bytes), sum(byte_hours) FROM usage_hours GROUP BY account, at
ON CONFLICT (account, at) DO NOTHING;
INSERT INTO usage_now (bucket, account, region, at, bytes, objects, unfinished_bytes)
SELECT id, account, region, seen_at, bytes, objects, unfinished_bytes FROM buckets WHERE region IN ('falkenstein', 'helsinki');
INSERT INTO usage_open (account, bucket, region, bytes, objects, unfinished_bytes, day_byte_hours, day_peak_bytes, day_hours)
SELECT account, id, region, bytes, objects, unfinished_bytes, bytes * (unixepoch() % 86400 / 3600), bytes,
       unixepoch() % 86400 / 3600
FROM buckets WHERE region IN ('falkenstein', 'helsinki');

DROP TABLE made;
DROP TABLE keys_made;
DROP TABLE ago;
DROP TABLE ago_hours;
