//! The ID token: whose word it is, for whom, for which sign-in, until when; and what it says.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError,
    EmptyExtraTokenFields, IdTokenFields, IdTokenVerifier, Nonce, OAuth2TokenResponse as _,
    PkceCodeVerifier, SignatureVerificationError, StandardTokenResponse, TokenResponse as _,
    core::{
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use storm_protocol::ident::Micros;

use super::{Client, OidcError, http::Http, with_causes};
use crate::config::Oidc;

/// Seconds that a provider's clock may be off.
const SKEW_SECONDS: i64 = 60;
/// Seconds that a token may be old: it was made for this very answer.
const MAX_AGE_SECONDS: i64 = 600;
/// The longest subject, in bytes, as the standard says.
const MAX_SUBJECT_BYTES: usize = 255;
/// Signatures that are taken. None that a client's secret could make, and no `none`.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The claims that no standard names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rest(HashMap<String, serde_json::Value>);

impl AdditionalClaims for Rest {}

type Fields = IdTokenFields<
    Rest,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
/// What a code is redeemed for.
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

/// What a provider says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Who it is, for ever, at this issuer.
    pub(crate) subject: String,
    /// Their e-mail address, if the provider has made sure that it is theirs.
    pub(crate) verified_email: Option<String>,
    /// Their groups.
    pub(crate) groups: Vec<String>,
}

/// What is wrong with a token.
#[derive(Debug)]
pub(super) enum Wrong {
    /// No key that is known has signed it.
    UnknownKey,
    /// Anything else.
    Other(String),
}

impl Wrong {
    pub(super) fn into_error(self) -> OidcError {
        OidcError::Untrusted(match self {
            Self::UnknownKey => "no key of the provider has signed it".to_owned(),
            Self::Other(words) => words,
        })
    }
}

/// Redeems a code.
pub(super) async fn exchange(
    client: &Client,
    code: String,
    verifier: PkceCodeVerifier,
    http: &Http,
) -> Result<Tokens, OidcError> {
    let request = client.exchange_code(AuthorizationCode::new(code));
    let request = request.map_err(|error| OidcError::Unreachable(error.to_string()))?;
    let answer = request
        .set_pkce_verifier(verifier)
        .request_async(http)
        .await;
    answer.map_err(|error| match &error {
        // It knows the request and refuses: the code was used, is another client's, or made up.
        openidconnect::RequestTokenError::ServerResponse(_) => {
            OidcError::Untrusted(with_causes(&error))
        }
        openidconnect::RequestTokenError::Request(_)
        | openidconnect::RequestTokenError::Parse(..)
        | openidconnect::RequestTokenError::Other(_) => OidcError::Unreachable(with_causes(&error)),
    })
}

/// What a token is held against.
pub(super) struct Check<'a> {
    pub(super) provider: &'a Oidc,
    pub(super) nonce: &'a Nonce,
    pub(super) proved_since: Option<Micros>,
    pub(super) now: Micros,
}

impl Check<'_> {
    /// What the token says, if all of it is right.
    pub(super) fn said(&self, client: &Client, tokens: &Tokens) -> Result<Said, Wrong> {
        let other = |words: &str| Wrong::Other(words.to_owned());
        let token = tokens
            .id_token()
            .ok_or_else(|| other("there is no ID token"))?;
        let verifier = self.verifier(client);
        let claims = token
            .claims(&verifier, self.nonce)
            .map_err(|error| match error {
                ClaimsVerificationError::SignatureVerification(
                    SignatureVerificationError::NoMatchingKey,
                ) => Wrong::UnknownKey,
                error => Wrong::Other(with_causes(&error)),
            })?;
        // The crate leaves this one to us.
        let for_us = claims
            .authorized_party()
            .is_none_or(|party| **party == self.provider.client_id);
        if !for_us {
            return Err(other("it was made for another client"));
        }
        if let Some(expected) = claims.access_token_hash() {
            let made = token.signing_alg().and_then(|algorithm| {
                let key = token.signing_key(&verifier)?;
                AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                    .map_err(|error| SignatureVerificationError::Other(error.to_string()))
            });
            if made.map_err(|error| Wrong::Other(error.to_string()))? != *expected {
                return Err(other("it came with another one's access token"));
            }
        }
        if let Some(since) = self.proved_since {
            let at = claims.auth_time().map(|at| at.timestamp_micros());
            if at.is_none_or(|at| at < since.plus_seconds(-SKEW_SECONDS).0) {
                return Err(other("the person has not proved anew who they are"));
            }
        }
        let subject = claims.subject().to_string();
        if subject.is_empty() || subject.len() > MAX_SUBJECT_BYTES {
            return Err(other("its subject is none"));
        }
        let verified = claims.email_verified() == Some(true);
        let email = claims.email().filter(|_| verified);
        Ok(Said {
            subject,
            verified_email: email.map(|email| email.to_string()),
            groups: groups(
                claims
                    .additional_claims()
                    .0
                    .get(&self.provider.groups_claim),
            ),
        })
    }

    fn verifier<'a>(&self, client: &'a Client) -> IdTokenVerifier<'a, CoreJsonWebKey> {
        let now = self.now;
        client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || DateTime::<Utc>::from_timestamp_micros(now.0).unwrap_or_default())
            .set_issue_time_verifier_fn(move |at| {
                let at = at.timestamp_micros();
                let from = now.plus_seconds(-MAX_AGE_SECONDS).0;
                let to = now.plus_seconds(SKEW_SECONDS).0;
                let sound = (from..=to).contains(&at);
                sound
                    .then_some(())
                    .ok_or_else(|| "it was made at another time".to_owned())
            })
    }
}

/// A claim's groups: a list of names, or one.
fn groups(claim: Option<&serde_json::Value>) -> Vec<String> {
    let named = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    match claim {
        Some(serde_json::Value::Array(all)) => all.iter().filter_map(named).collect(),
        Some(one) => named(one).into_iter().collect(),
        None => vec![],
    }
}
