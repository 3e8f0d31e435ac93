-- An executor that is asked to give up its role: for which agent (agents.id), by which operation.
ALTER TABLE regions ADD COLUMN next_executor TEXT;
ALTER TABLE regions ADD COLUMN release_operation TEXT;
-- The agent that had taken the operation and was declared lost: what it did of it is not known.
ALTER TABLE operations ADD COLUMN lost_agent TEXT;
