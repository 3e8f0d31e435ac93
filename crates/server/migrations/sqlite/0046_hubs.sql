-- The processes that hold agents' sockets. A hub is there as long as its row is, and never comes back under
-- the same id. Others watch its beat.
CREATE TABLE hubs (
    id TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    beat BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);
-- The hub that holds an agent's socket: the last one that let it in.
CREATE TABLE hub_agents (
    agent TEXT NOT NULL PRIMARY KEY,
    hub TEXT NOT NULL
);
CREATE INDEX hub_agents_by_hub ON hub_agents (hub);
-- How many hints there were whose executor was at another hub.
CREATE TABLE region_hints (
    region TEXT NOT NULL PRIMARY KEY,
    hints BIGINT NOT NULL
);
-- How far jobs are, for processes that hold no agent.
CREATE TABLE job_progress (
    operation TEXT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL,
    progress TEXT NOT NULL
);
