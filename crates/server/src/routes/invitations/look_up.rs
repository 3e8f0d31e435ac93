//! `POST /api/v1/invitations/look-up`

use storm_protocol::api::{InvitationOffer, LookUpInvitationRequest};

use super::accept::not_good;
use crate::{
    auth::{Anyone, secret::StoredSecret},
    error::ApiError,
    web::Json,
};

/// See what an invitation asks, before answering it.
///
/// With the secret of its link, which only whoever has the address holds: they hear whether they are known
/// here under it.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/look-up",
    tag = "people",
    security(()),
    request_body = LookUpInvitationRequest,
    responses(
        (status = 200, body = InvitationOffer),
        (status = 404, description = "`no_such_invitation`"),
    ),
)]
pub(crate) async fn look_up(
    anyone: Anyone,
    Json(request): Json<LookUpInvitationRequest>,
) -> Result<Json<InvitationOffer>, ApiError> {
    let app = anyone.app();
    let secret = StoredSecret::of_link(&request.token).ok_or_else(not_good)?;
    let offer = app.store.invitation_offer(secret, app.clock.now()).await?;
    offer.map(Json).ok_or_else(not_good)
}
