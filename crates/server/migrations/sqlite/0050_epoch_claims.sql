-- When an agent's word last made its region's epoch a later one.
ALTER TABLE agents ADD COLUMN epoch_passed_at BIGINT;
