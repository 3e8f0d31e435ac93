-- Until when a provider's word counts for its people's API tokens; each sign-in there renews it. Whoever was
-- linked before has the usual 30 days from then on.
ALTER TABLE oidc_people ADD COLUMN tokens_until BIGINT NOT NULL DEFAULT 0;
UPDATE oidc_people SET tokens_until = linked_at + 2592000000000;
