-- When an agent's word last made its region's epoch a later one.
CREATE TABLE epoch_claims (
    agent TEXT NOT NULL PRIMARY KEY,
    counted_at BIGINT NOT NULL
);
