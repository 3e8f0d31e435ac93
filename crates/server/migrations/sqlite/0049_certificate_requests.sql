-- Counted at each request: what one token, or one agent, has asked for.
CREATE INDEX certificate_requests_of_token ON certificate_requests (enrol_token) WHERE enrol_token IS NOT NULL;
CREATE INDEX certificate_requests_of_agent ON certificate_requests (agent) WHERE agent IS NOT NULL;
