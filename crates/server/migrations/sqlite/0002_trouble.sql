-- Why an agent takes no change at the moment, in its own words; NULL when it does.
ALTER TABLE agents ADD COLUMN trouble TEXT;
