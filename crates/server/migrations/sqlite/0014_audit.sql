-- Who did, or tried, what. Rows are only ever added, until their time is over.
CREATE TABLE audit_events (
    id        TEXT PRIMARY KEY,             -- version 7: sorts by time
    at        BIGINT NOT NULL,
    account   TEXT,                         -- whose it is; NULL: nobody's, for operators
    "user"    TEXT,
    email     TEXT,                         -- as it was then: people go, rows stay
    token     TEXT,
    via       TEXT NOT NULL,
    origin    TEXT,
    act       TEXT NOT NULL,
    thing     TEXT,
    operation TEXT,
    result    TEXT NOT NULL,                -- done, or why not
    count     BIGINT NOT NULL               -- of refusals alike within a minute
);
CREATE INDEX audit_events_by_account ON audit_events (account, id);
CREATE INDEX audit_events_by_user ON audit_events ("user", id);
CREATE INDEX audit_events_by_act ON audit_events (account, act, id);
CREATE INDEX audit_events_by_thing ON audit_events (thing, id);
CREATE INDEX audit_events_by_operation ON audit_events (operation);
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
