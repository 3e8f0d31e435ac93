//! `GET /api/v1/operations`

use serde::Deserialize;
use storm_protocol::api::{OperationPage, OperationStatus};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    store::views::Which,
    web::{Json, Search},
};

/// Which operations.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state.
    state: Option<OperationStatus>,
    /// Whoever's they are. For operators, and without `state`.
    #[serde(default)]
    everyones: bool,
    /// With `everyones`: only those that have not ended.
    #[serde(default)]
    open: bool,
    /// With `everyones`: only those that failed, were refused or expired.
    #[serde(default)]
    not_done: bool,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

impl Filter {
    /// Which of everyone's operations are asked for; `None`: the account's own.
    fn which(&self, caller: &Caller<act::ListOperations>) -> Result<Option<Which>, ApiError> {
        let which = match (self.open, self.not_done) {
            (false, false) => Which::All,
            (true, false) => Which::Open,
            (false, true) => Which::NotDone,
            (true, true) => {
                return Err(ApiError::field(
                    "open, not_done",
                    "expected one of them at most",
                ));
            }
        };
        if !self.everyones {
            let all = which == Which::All;
            return all
                .then_some(None)
                .ok_or_else(|| ApiError::field("open, not_done", "expected everyones with it"));
        }
        if self.state.is_some() {
            return Err(ApiError::field("state", "not with everyones"));
        }
        if !caller.person.operator {
            let words = "Only an operator of the platform sees the operations of other accounts.";
            return Err(ApiError::forbidden(words));
        }
        Ok(Some(which))
    }
}

/// Your account's operations, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/operations",
    tag = "operations",
    params(Filter),
    responses((status = 200, body = OperationPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ListOperations>,
    Search(filter): Search<Filter>,
) -> Result<Json<OperationPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let before = place(filter.cursor.as_deref())?
        .map(|[id]| id.parse())
        .transpose();
    let before = before.map_err(|error| ApiError::field("cursor", error))?;
    let found = match filter.which(&caller)? {
        Some(which) => {
            let everyones = caller.store().everyones_operations(which, before, size + 1);
            everyones.await?
        }
        None => {
            let account = caller.person.account;
            let own = caller
                .store()
                .operations(account, filter.state, before, size + 1);
            own.await?
        }
    };
    let progress = &caller.app().bus.progress;
    let found = found
        .into_iter()
        .map(|found| progress.with(found))
        .collect();
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(OperationPage { items, next_cursor }))
}
