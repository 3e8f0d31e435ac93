//! The audit trail.

use storm_protocol::ident::AccountId;

use crate::{
    auth::{Caller, act},
    error::ApiError,
};

/// The longest `result` and `thing`, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// Which events: what listing and exporting them have in common, flat as a query is.
macro_rules! filter {
    ($(#[$meta:meta])+ $name:ident { $($(#[$field_meta:meta])+ $field:ident: $type:ty,)+ }) => {
        $(#[$meta])+
        #[derive(serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            /// Since this instant.
            from: Option<storm_protocol::ident::Micros>,
            /// Before this instant.
            to: Option<storm_protocol::ident::Micros>,
            /// Of this person.
            user: Option<storm_protocol::ident::UserId>,
            /// What: a name, or `bucket.*`.
            act: Option<storm_protocol::ident::Scope>,
            /// `done`, `failed` for all else, or a code.
            result: Option<String>,
            /// About this thing or operation.
            thing: Option<String>,
            /// Of this account; for operators, who see all accounts when it is absent.
            account: Option<storm_protocol::ident::AccountId>,
            $($(#[$field_meta])+ $field: $type,)+
        }

        impl $name {
            /// What of it the caller may see.
            fn wanted(
                &self,
                caller: &crate::auth::Caller<crate::auth::act::ReadAudit>,
            ) -> Result<crate::store::audit::Wanted, crate::error::ApiError> {
                super::check(&self.result, &self.thing)?;
                Ok(crate::store::audit::Wanted {
                    account: super::visible(caller, self.account)?,
                    from: self.from,
                    to: self.to,
                    user: self.user,
                    act: self.act.clone(),
                    result: self.result.clone(),
                    thing: self.thing.clone(),
                    before: None,
                })
            }
        }
    };
}

pub(crate) mod export;
pub(crate) mod list;

/// The account whose events the caller may see; `None`: all.
fn visible(
    caller: &Caller<act::ReadAudit>,
    asked: Option<AccountId>,
) -> Result<Option<AccountId>, ApiError> {
    let own = caller.person.account;
    if caller.person.operator {
        return Ok(asked);
    }
    match asked {
        Some(account) if account != own => Err(ApiError::forbidden(
            "Only an operator of the platform may see what was done in other accounts.",
        )),
        Some(_) | None => Ok(Some(own)),
    }
}

fn check(result: &Option<String>, thing: &Option<String>) -> Result<(), ApiError> {
    for (field, text) in [("result", result), ("thing", thing)] {
        if text
            .as_ref()
            .is_some_and(|text| text.len() > MAX_TEXT_BYTES)
        {
            let why = format!("expected at most {MAX_TEXT_BYTES} bytes");
            return Err(ApiError::field(field, why));
        }
    }
    Ok(())
}
