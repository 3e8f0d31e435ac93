//! Agents, for operators.

pub(crate) mod end_quarantine;
pub(crate) mod list;
pub(crate) mod lost;
pub(crate) mod revoke;

use storm_protocol::{api::Agent, ident::AgentId};

use crate::{
    app::Change,
    auth::{Caller, ForOperators},
    error::ApiError,
};

/// The agent as it is now.
async fn read<N: ForOperators>(caller: &Caller<N>, id: AgentId) -> Result<Agent, ApiError> {
    let agent = caller.store().agent(id).await?;
    agent.ok_or_else(|| ApiError::not_found("agent", id, "/api/v1/agents"))
}

/// Has the roles look at what an operator decided.
fn tell<N: ForOperators>(caller: &Caller<N>, id: AgentId) {
    let bus = &caller.app().bus;
    bus.signer.notify_one();
    bus.tell(Change::Agent(id));
}
