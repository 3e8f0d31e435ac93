-- Until when the days of a closing are counted; see store/closing_days.rs.
ALTER TABLE account_states ADD COLUMN counted_at BIGINT;
