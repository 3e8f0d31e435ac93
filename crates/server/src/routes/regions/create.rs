//! `POST /api/v1/regions`

use http::{StatusCode, Uri};
use storm_protocol::api::{CreateRegionRequest, Region};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// The longest endpoint or domain, in bytes.
const MAX_ADDRESS_BYTES: usize = 253;
/// The longest S3 region name, in bytes.
const MAX_S3_REGION_BYTES: usize = 64;

/// Make a region.
///
/// For operators. It gets its executor when its first agent enrols.
#[utoipa::path(
    post,
    path = "/api/v1/regions",
    tag = "regions",
    request_body = CreateRegionRequest,
    responses(
        (status = 201, body = Region),
        (status = 409, description = "`region_taken`"),
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateRegion>,
    Json(request): Json<CreateRegionRequest>,
) -> Result<(StatusCode, Json<Region>), ApiError> {
    check(&request)?;
    if !caller.store().create_region(&request, caller.now()).await? {
        let message = format!(
            "There is a region {} already. Choose another name.",
            request.name
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "region_taken",
            message,
        ));
    }
    let region = caller.store().region(&request.name).await?;
    let region =
        region.ok_or_else(|| ApiError::Internal("a new region is not there".to_owned()))?;
    Ok((StatusCode::CREATED, Json(region)))
}

fn check(request: &CreateRegionRequest) -> Result<(), ApiError> {
    let endpoint: Option<Uri> = request.s3_endpoint.parse().ok();
    let sound = endpoint.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.path_and_query().is_none_or(|path| path == "/")
    });
    if !sound || request.s3_endpoint.len() > MAX_ADDRESS_BYTES {
        let why = "expected the address of the S3 service alone, such as https://s3.example.org";
        return Err(ApiError::field("s3_endpoint", why));
    }
    let name = &request.s3_region;
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !(1..=MAX_S3_REGION_BYTES).contains(&name.len()) || !name.bytes().all(of_name) {
        let why =
            format!("expected 1 to {MAX_S3_REGION_BYTES} of letters, digits, '-', '_' and '.'");
        return Err(ApiError::field("s3_region", why));
    }
    let Some(domain) = &request.website_domain else {
        return Ok(());
    };
    let of_domain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    if !(1..=MAX_ADDRESS_BYTES).contains(&domain.len()) || !domain.bytes().all(of_domain) {
        return Err(ApiError::field(
            "website_domain",
            "expected a domain in lower case, such as web.example.org",
        ));
    }
    Ok(())
}
