//! The whole surface of the web tier, in one function.

use axum::{Router, middleware, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Gate, audit, floods},
    dashboard, openapi,
    routes::{
        about, accounts, agents, audit as trail, buckets, device, enrol_tokens, events, grants,
        invitations, keys, members, oidc, operations, passkeys, password, receipts, regions,
        security_events, session, sessions, sign_in_methods, sign_ups, strays, tokens, trust,
        usage, whoami,
    },
    web,
};

/// The web tier of `app`. Serve it with `listener::serve`, which tells each request the client's
/// address: limits and origins go by it.
pub fn router(app: App) -> Router {
    through(Gate::new(app))
}

/// The web tier behind `gate`.
pub(crate) fn through(gate: Gate) -> Router {
    let (api, _) = api().split_for_parts();
    api.route("/", get(dashboard::index))
        .route("/assets/{*file}", get(dashboard::asset))
        .route("/page.css", get(web::page_style))
        .route("/healthz", get(web::healthz))
        .route("/readyz", get(web::readyz))
        .route("/api/openapi.json", get(openapi::document))
        .fallback(dashboard::elsewhere)
        .layer(middleware::from_fn_with_state(gate.clone(), floods::admit))
        .layer(middleware::from_fn_with_state(gate.clone(), audit::trace))
        .layer(middleware::from_fn_with_state(gate.clone(), web::guard))
        .with_state(gate)
}

/// Every route of the API, with its description.
pub(crate) fn api() -> OpenApiRouter<Gate> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(about::about))
        .routes(routes!(session::create::create, session::delete::delete))
        .routes(routes!(session::reauthenticate::reauthenticate))
        .routes(routes!(session::second_factor::second_factor))
        .routes(routes!(session::passkey::begin::begin))
        .routes(routes!(session::passkey::finish::finish))
        .routes(routes!(
            session::passkey::reauthenticate_begin::reauthenticate_begin
        ))
        .routes(routes!(session::passkey::reauthenticate::reauthenticate))
        .routes(routes!(passkeys::list::list, passkeys::create::create))
        .routes(routes!(passkeys::begin::begin))
        .routes(routes!(passkeys::rename::rename))
        .routes(routes!(passkeys::delete::delete))
        .routes(routes!(sign_in_methods::list::list))
        .routes(routes!(
            sign_in_methods::create_totp::create_totp,
            sign_in_methods::delete_totp::delete_totp
        ))
        .routes(routes!(sign_in_methods::confirm_totp::confirm_totp))
        .routes(routes!(
            sign_in_methods::renew_recovery_codes::renew_recovery_codes
        ))
        .routes(routes!(oidc::start::start))
        .routes(routes!(oidc::callback::callback))
        .routes(routes!(sessions::list::list))
        .routes(routes!(sessions::end::end))
        .routes(routes!(sessions::end_others::end_others))
        .routes(routes!(password::change::change, password::remove::remove))
        .routes(routes!(password::forgotten::forgotten))
        .routes(routes!(password::reset::reset))
        .routes(routes!(whoami::whoami))
        .routes(routes!(trust::trust))
        .routes(routes!(regions::list::list, regions::create::create))
        .routes(routes!(regions::get::get))
        .routes(routes!(regions::health::health))
        .routes(routes!(regions::refresh::refresh))
        .routes(routes!(regions::ping::ping))
        .routes(routes!(regions::move_executor::move_executor))
        .routes(routes!(buckets::list::list, buckets::create::create))
        .routes(routes!(buckets::get::get, buckets::delete::delete))
        .routes(routes!(buckets::set_quota::set_quota))
        .routes(routes!(buckets::settings::settings))
        .routes(routes!(buckets::set_cors::set_cors))
        .routes(routes!(buckets::check_cors::check_cors))
        .routes(routes!(buckets::set_lifecycle::set_lifecycle))
        .routes(routes!(buckets::set_website::set_website))
        .routes(routes!(buckets::add_alias::add_alias))
        .routes(routes!(buckets::remove_alias::remove_alias))
        .routes(routes!(buckets::cleanup_uploads::cleanup_uploads))
        .routes(routes!(buckets::restore::restore))
        .routes(routes!(buckets::accept::accept))
        .routes(routes!(buckets::adopt::adopt))
        .routes(routes!(buckets::release::release))
        .routes(routes!(strays::list::list))
        .routes(routes!(strays::ignore::ignore))
        .routes(routes!(buckets::clear::clear))
        .routes(routes!(buckets::measure::measure))
        .routes(routes!(buckets::requests::requests))
        .routes(routes!(grants::list::list))
        .routes(routes!(grants::set::set))
        .routes(routes!(keys::list::list, keys::create::create))
        .routes(routes!(keys::get::get, keys::delete::delete))
        .routes(routes!(keys::rotate::rotate))
        .routes(routes!(keys::create_temporary::create_temporary))
        .routes(routes!(keys::rename::rename))
        .routes(routes!(keys::set_expiry::set_expiry))
        .routes(routes!(keys::suspend::suspend))
        .routes(routes!(keys::resume::resume))
        .routes(routes!(keys::revoke_leaked::revoke_leaked))
        .routes(routes!(operations::list::list))
        .routes(routes!(operations::get::get))
        .routes(routes!(operations::cancel::cancel))
        .routes(routes!(operations::acknowledge::acknowledge))
        .routes(routes!(receipts::receipts))
        .routes(routes!(security_events::security_events))
        .routes(routes!(tokens::list::list, tokens::create::create))
        .routes(routes!(tokens::delete::delete))
        .routes(routes!(device::begin::begin))
        .routes(routes!(device::token::token))
        .routes(routes!(device::look_up::look_up))
        .routes(routes!(device::approve::approve))
        .routes(routes!(device::deny::deny))
        .routes(routes!(agents::list::list))
        .routes(routes!(agents::revoke::revoke))
        .routes(routes!(agents::lost::lost))
        .routes(routes!(agents::end_quarantine::end_quarantine))
        .routes(routes!(
            enrol_tokens::list::list,
            enrol_tokens::create::create
        ))
        .routes(routes!(accounts::own::own))
        .routes(routes!(accounts::list_own::list_own))
        .routes(routes!(accounts::switch::switch))
        .routes(routes!(accounts::leave::leave))
        .routes(routes!(accounts::transfer::transfer))
        .routes(routes!(members::list::list))
        .routes(routes!(members::set_role::set_role))
        .routes(routes!(members::remove::remove))
        .routes(routes!(
            invitations::list::list,
            invitations::create::create
        ))
        .routes(routes!(invitations::look_up::look_up))
        .routes(routes!(invitations::accept::accept))
        .routes(routes!(invitations::withdraw::withdraw))
        .routes(routes!(accounts::list::list, accounts::create::create))
        .routes(routes!(accounts::rename::rename))
        .routes(routes!(accounts::get::get))
        .routes(routes!(accounts::set_limits::set_limits))
        .routes(routes!(sign_ups::create::create))
        .routes(routes!(sign_ups::confirm::confirm))
        .routes(routes!(accounts::suspend::suspend))
        .routes(routes!(accounts::resume::resume))
        .routes(routes!(accounts::close::close))
        .routes(routes!(accounts::close::close_any))
        .routes(routes!(accounts::cancel_close::cancel_close))
        .routes(routes!(accounts::cancel_close::cancel_close_any))
        .routes(routes!(trail::list::list))
        .routes(routes!(trail::export::export))
        .routes(routes!(usage::chart::chart))
        .routes(routes!(usage::export::export))
        .routes(routes!(events::events))
}
