-- What an operator looks through: few among all operations, and written once, when one ends.
CREATE INDEX operations_not_done ON operations (id) WHERE state IN ('failed', 'refused', 'expired');
