//! `storm-pulse enroll`: from a token to an identity. Keys are on disk before anything is sent, and
//! each step can be done again, so that a failure on the way burns nothing.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use storm_protocol::{
    encoding::Base64,
    envelope::{VERSION, VerifyKey},
    frame::{ClosingCode, Enrol, Enrolled, PROTOCOL_VERSION, ToAgent, ToHub},
    ident::Digest,
    trust::{AgentStatement, EnrolToken, TrustDocument},
};
use tokio::time::timeout;

use crate::{
    channel::{ChannelError, HubAddress, Link, Transient, first_frame},
    config::Config,
    exit::{Code, OrStop as _, Stop, stop},
    garage::{TokenMaker, load_token},
    identity::{Enrolment, Keys},
    print,
    state::StateDir,
    tls::{self, ClientCertificate},
    trust::Trust,
};

/// Seconds for the hub to answer: its signer has to issue a certificate.
const ANSWER_TIMEOUT_SECONDS: u64 = 60;
/// The longest host name that is sent, in characters.
const MAX_HOST_CHARS: usize = 64;

/// What the command line says.
pub(crate) struct Request {
    /// The hub: `https://HOST:PORT`.
    pub url: String,
    /// The token's text.
    pub token: String,
    /// Garage's configuration, where it is not the configured one.
    pub garage_config: Option<PathBuf>,
    /// The end of the chain of the agent that this one replaces.
    pub predecessor: Option<Digest>,
}

/// Enrols this server.
pub(crate) async fn enroll(config: &Config, request: Request) -> Result<(), Stop> {
    let address = HubAddress::parse(&request.url)
        .map_err(anyhow::Error::msg)
        .or_stop(Code::Usage)?;
    let Some(token) = EnrolToken::parse(request.token.trim()) else {
        // The token itself is a secret, also with a slip in it.
        return stop(
            Code::Usage,
            "that is no whole enrolment token: expected ste1. and three parts of 64 hex digits with \
             dots between them, as `storm agent enrol-token create` prints it",
        );
    };
    let state = StateDir::create(&config.state_dir)?;
    state.must_be_ours()?;
    let _lock = state.lock()?;
    if let Some(before) = Enrolment::find(&state).or_stop(Code::Usage)? {
        return enrolled_before(&before, &token);
    }
    make_token(config, &state, request.garage_config).await?;
    let keys = Keys::load_or_make(&state).or_stop(Code::Usage)?;
    let enrolled = match ask(&address, &token, &keys).await {
        Ok(enrolled) => enrolled,
        Err(error) => return refused(&error),
    };
    let enrolment = Enrolment {
        version: VERSION,
        agent: enrolled.agent,
        region: enrolled.region.clone(),
        hub: address.to_string(),
        root_key: enrolled.root_key,
        token: token.hash(),
        statement: enrolled.statement.clone(),
        predecessor_head: request.predecessor,
    };
    let certificate = check(&enrolled, &token, &keys)
        .context("what the hub answered is not what the token promises; nothing was kept of it")
        .or_stop(Code::Refused)?;
    Trust::first(&state, enrolled.root_key, &enrolled.trust).or_stop(Code::Refused)?;
    certificate.keep(&state)?;
    // Last: from here on the agent is enrolled.
    enrolment.keep(&state)?;
    print::line(&format!(
        "Enrolled as agent {} in region {}.\nStart it: systemctl enable --now storm-pulse (or: \
         storm-pulse run)",
        enrolment.agent, enrolment.region
    ))
}

fn enrolled_before(before: &Enrolment, token: &EnrolToken) -> Result<(), Stop> {
    if before.token == token.hash() {
        return print::line(&format!(
            "Already enrolled with this token, as agent {} in region {}. Start it: storm-pulse run",
            before.agent, before.region
        ));
    }
    stop(
        Code::Failed,
        format!(
            "this server is enrolled as agent {} in region {}: to enrol it as another, choose \
             another state_dir",
            before.agent, before.region
        ),
    )
}

/// Makes the Garage token, unless there is one.
async fn make_token(
    config: &Config,
    state: &StateDir,
    garage_config: Option<PathBuf>,
) -> Result<(), Stop> {
    let file = config.token_file();
    if file.exists() {
        load_token(&file).or_stop(Code::Usage)?;
        return Ok(());
    }
    let maker = TokenMaker {
        binary: config.garage.binary.clone(),
        config: garage_config.unwrap_or_else(|| config.garage.config.clone()),
        file,
        owner: state.owner()?,
    };
    maker
        .create(&token_name())
        .await
        .context(
            "the agent has no Garage token yet (nothing was sent to the control plane; run \
             `storm-pulse token create` as a user who may read Garage's configuration, then enrol \
             again)",
        )
        .map(drop)?;
    Ok(())
}

/// What the Garage token is called in Garage.
pub(crate) fn token_name() -> String {
    format!("storm-pulse on {}", host())
}

async fn ask(
    address: &HubAddress,
    token: &EnrolToken,
    keys: &Keys,
) -> Result<Box<Enrolled>, ChannelError> {
    let local = |error: anyhow::Error| Transient::Local(format!("{error:#}"));
    let config = tls::enrol_config(token.ca_key).map_err(local)?;
    let mut link = Link::dial(address, config).await?;
    let frame = Enrol {
        version: PROTOCOL_VERSION,
        secret: Digest(token.secret),
        request: Base64(keys.tls.certificate_request().map_err(local)?),
        receipt_key: VerifyKey::of(&keys.receipt),
        seal_key: keys.open.seal_key(),
        host: host(),
    };
    link.send(&ToHub::Enrol(frame)).await?;
    let limit = Duration::from_secs(ANSWER_TIMEOUT_SECONDS);
    let Ok(answer) = timeout(limit, first_frame(&mut link)).await else {
        return Err(Transient::TooSlow("the hub's answer", ANSWER_TIMEOUT_SECONDS).into());
    };
    match answer? {
        ToAgent::Enrolled(enrolled) => {
            link.close().await;
            Ok(enrolled)
        }
        ToAgent::Closing(closing) => Err(ChannelError::closing(closing.code, closing.message)),
        ToAgent::Welcome(_)
        | ToAgent::HeartbeatSeen(_)
        | ToAgent::Command(_)
        | ToAgent::Query(_)
        | ToAgent::ReceiptsKept(_)
        | ToAgent::ReceiptsWanted(_)
        | ToAgent::InventoryKept(_)
        | ToAgent::Trust(_)
        | ToAgent::Renewed(_)
        | ToAgent::Executor(_)
        | ToAgent::Moved
        | ToAgent::TrafficKept(_) => Err(Transient::Unexpected("an identity").into()),
    }
}

/// Whether the answer fits the token and our keys: root key, trust document, CA, statement,
/// certificate.
fn check(
    enrolled: &Enrolled,
    token: &EnrolToken,
    keys: &Keys,
) -> anyhow::Result<ClientCertificate> {
    if enrolled.root_key.id() != token.root_key {
        bail!("the root key is another than the token names");
    }
    let trust = TrustDocument::open(&enrolled.trust, enrolled.root_key)
        .context("the root key did not sign the trust document")?;
    let pinned = |der: &Base64| tls::authority_key_digest(&der.0) == Some(token.ca_key);
    if !trust.authorities.iter().any(pinned) {
        bail!("the trust document does not name the CA that the token names");
    }
    let statement = AgentStatement::open(&enrolled.statement, &trust)
        .context("no dispatch key signed the agent's statement")?;
    let ours = statement.agent == enrolled.agent
        && statement.region == enrolled.region
        && statement.receipt_key == VerifyKey::of(&keys.receipt)
        && statement.seal_key == keys.open.seal_key();
    if !ours {
        bail!("the agent's statement is about other keys than ours");
    }
    ClientCertificate::take(&enrolled.certificate, &keys.tls, enrolled.agent)
}

fn refused(error: &ChannelError) -> Result<(), Stop> {
    match error {
        ChannelError::Fatal(fatal) => {
            let advice = match fatal.code {
                ClosingCode::TokenInvalid => {
                    "the token is unknown or has expired: get a new one with `storm agent \
                     enrol-token create`"
                }
                ClosingCode::TokenSpent => {
                    "the token was used by another server or state_dir: if that was not you, tell \
                     your operator; else get a new one"
                }
                ClosingCode::NotEnrolled
                | ClosingCode::Revoked
                | ClosingCode::Quarantined
                | ClosingCode::Replaced
                | ClosingCode::Protocol
                | ClosingCode::Restarting
                | ClosingCode::Busy => "ask your operator",
            };
            stop(Code::Refused, format!("{fatal}; {advice}"))
        }
        ChannelError::Transient(transient) => stop(
            Code::Failed,
            format!(
                "not enrolled: {transient}. The token is still good: run the same command again"
            ),
        ),
    }
}

fn host() -> String {
    let names = rustix::system::uname();
    let name = names.nodename().to_string_lossy();
    name.chars().take(MAX_HOST_CHARS).collect()
}
