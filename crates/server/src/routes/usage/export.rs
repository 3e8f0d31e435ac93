//! `GET /api/v1/usage/export`

use axum::response::{IntoResponse, Response};
use http::header;
use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde::Deserialize;
use storm_protocol::{
    api::UsageExport,
    ident::{AccountId, Micros, Month},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    store::usage::MonthSpan,
    usage::csv,
    web::{Json, Search},
};

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// A table: RFC 4180, with a header.
    Csv,
}

/// Which month, and how.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The month, such as 2026-11; the present one when absent.
    month: Option<Month>,
    /// How it is written; JSON when absent.
    #[param(inline)]
    format: Option<Format>,
    /// Of this account; for operators.
    account: Option<AccountId>,
}

/// A month's use of an account and each of its buckets, for a bill.
///
/// Whole numbers; what is rounded is rounded down, once in each hour of a bucket. Months are UTC.
#[utoipa::path(
    get,
    path = "/api/v1/usage/export",
    tag = "usage",
    params(Filter),
    responses(
        (status = 200, description = "As asked", content(
            (UsageExport = "application/json"),
            (String = "text/csv"),
        )),
        (status = 404, description = "`no_such_account`"),
    ),
)]
pub(crate) async fn export(
    caller: Caller<act::ExportUsage>,
    Search(filter): Search<Filter>,
) -> Result<Response, ApiError> {
    let (store, now) = (caller.store(), caller.now());
    let account = match filter.account {
        Some(account) if account == caller.person.account => account,
        Some(account) => {
            if !caller.person.operator {
                return Err(ApiError::forbidden(
                    "Only an operator of the platform may see what other accounts use.",
                ));
            }
            let known = store.account(account, now).await?;
            known
                .ok_or_else(|| ApiError::not_found("account", account, "/api/v1/accounts"))?
                .id
        }
        None => caller.person.account,
    };
    let month = match filter.month {
        Some(month) => month,
        None => present_month(now)?,
    };
    let span = instants(&month)?;
    let export = store.usage_export(account, &month, span, now).await?;
    Ok(match filter.format.unwrap_or_default() {
        Format::Json => Json(export).into_response(),
        Format::Csv => {
            let name = format!("attachment; filename=\"usage-{month}.csv\"");
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, name.as_str()),
            ];
            (headers, csv::write(&export)).into_response()
        }
    })
}

fn present_month(now: Micros) -> Result<Month, ApiError> {
    let now = Timestamp::from_microsecond(now.0).map_err(internal)?;
    now.strftime("%Y-%m").to_string().parse().map_err(internal)
}

/// The first instants of a month and of the next one, UTC.
fn instants(month: &Month) -> Result<MonthSpan, ApiError> {
    let first: Date = format!("{month}-01").parse().map_err(internal)?;
    let next = first.checked_add(1.month()).map_err(|_| {
        ApiError::field(
            "month",
            "expected one that has a next month, before 9999-12",
        )
    })?;
    let instant = |date: Date| {
        let midnight: Timestamp = format!("{date}T00:00:00Z").parse().map_err(internal)?;
        Ok::<_, ApiError>(Micros(midnight.as_microsecond()))
    };
    Ok(MonthSpan {
        from: instant(first)?,
        to: instant(next)?,
    })
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end_at_midnight_utc() {
        let span = instants(&"2026-11".parse().unwrap()).unwrap();
        assert_eq!(span.from.0, 1_793_491_200 * Micros::SECOND);
        assert_eq!(span.to.0 - span.from.0, 30 * 24 * 3600 * Micros::SECOND);
        let leap = instants(&"2028-02".parse().unwrap()).unwrap();
        assert_eq!(leap.to.0 - leap.from.0, 29 * 24 * 3600 * Micros::SECOND);
        let month = |at| present_month(Micros(at)).unwrap().to_string();
        assert_eq!(month(span.from.0), "2026-11");
        assert_eq!(month(span.from.0 - 1), "2026-10");
        assert!(instants(&"9999-12".parse().unwrap()).is_err());
    }
}
