//! `GET /api/v1/about`

use storm_protocol::api::{About, SignInProvider};

use crate::{auth::Anyone, web::Json};

/// What the server is.
///
/// For anyone: its version, and the digest of its root key to compare with the one that was written
/// down at first start.
#[utoipa::path(
    get,
    path = "/api/v1/about",
    tag = "server",
    security(()),
    responses((status = 200, body = About)),
)]
pub(crate) async fn about(anyone: Anyone) -> Json<About> {
    let root_key = anyone.app().trust.borrow().root_key.id();
    let providers = anyone.app().config.oidc.iter();
    let providers = providers.map(|provider| SignInProvider {
        name: provider.name.clone(),
        title: provider.title.clone(),
    });
    Json(About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        root_key,
        providers: providers.collect(),
        passkeys: anyone.passkeys().is_ok(),
        sign_up: anyone.app().config.sign_up.open,
    })
}
