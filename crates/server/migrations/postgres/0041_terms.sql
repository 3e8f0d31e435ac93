-- Of the roles that one process at a time has: how often it was taken. Who writes in an older term is refused.
CREATE TABLE terms (
    role TEXT NOT NULL PRIMARY KEY,
    term BIGINT NOT NULL,
    -- The root key that agents of this database trust.
    root_key TEXT NOT NULL
);
