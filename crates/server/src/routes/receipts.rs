//! `GET /api/v1/receipts`

use serde::Deserialize;
use storm_protocol::{
    api::{ReceiptPage, ReceiptRecord},
    ident::AgentId,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::page_size,
    web::{Json, Search},
};

/// Which receipts.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those of this agent.
    agent: Option<AgentId>,
    /// Only those after this place in the account's chain (with `whole`, in the agent's).
    after: Option<u64>,
    /// `next_cursor` of the page before: the same as `after`.
    cursor: Option<u64>,
    /// The agent's chain with everybody's receipts; for operators, and with `agent`.
    whole: Option<bool>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Your account's receipts, in the order of its chains: on each agent from 1, without gaps.
///
/// Verify them with what `/api/v1/trust` gives.
#[utoipa::path(
    get,
    path = "/api/v1/receipts",
    tag = "receipts",
    params(Filter),
    responses((status = 200, body = ReceiptPage)),
)]
pub(crate) async fn receipts(
    caller: Caller<act::ReadReceipts>,
    Search(filter): Search<Filter>,
) -> Result<Json<ReceiptPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
    let after = filter.cursor.or(filter.after).unwrap_or(0);
    let store = caller.store();
    if filter.whole == Some(true) {
        if !caller.person.operator {
            return Err(ApiError::forbidden(
                "Only an operator of the platform may see an agent's whole chain.",
            ));
        }
        let Some(agent) = filter.agent else {
            return Err(ApiError::field(
                "agent",
                "needed with `whole`, since each agent has its own chain",
            ));
        };
        let found = store.receipts_of_agent(agent, after, limit).await?;
        return page(found, size, |record| record.sequence).map(Json);
    }
    let found = store
        .receipts_of_account(caller.person.account, filter.agent, after, limit)
        .await?;
    page(found, size, |record| record.account_sequence).map(Json)
}

/// Cuts before a place that several agents share, so that `after` misses none of them.
fn page(
    mut found: Vec<ReceiptRecord>,
    size: usize,
    place: impl Fn(&ReceiptRecord) -> u64,
) -> Result<ReceiptPage, ApiError> {
    let Some(beyond) = found.get(size).map(&place) else {
        return Ok(ReceiptPage {
            items: found,
            next_cursor: None,
        });
    };
    found.retain(|record| place(record) < beyond);
    let last = found.last().map(&place).ok_or_else(|| {
        ApiError::field(
            "limit",
            "smaller than the number of agents; give a larger one, or name an agent",
        )
    })?;
    Ok(ReceiptPage {
        items: found,
        next_cursor: Some(last.to_string()),
    })
}
