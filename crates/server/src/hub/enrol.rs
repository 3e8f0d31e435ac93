//! A connection without a certificate: it may ask for one, once.

use std::net::SocketAddr;

use storm_protocol::{
    frame::{ClosingCode, Enrol, Enrolled, PROTOCOL_VERSION, ToAgent},
    ident::Digest,
    trust::EnrolToken,
};

use super::{
    Hub,
    certificates::ask,
    connection::{End, Socket},
};
use crate::store::certificates::{Answer, Asked, EnrolRequest};

/// The longest name of a host, in bytes.
const MAX_HOST_BYTES: usize = 255;

/// Answers a wish to enrol; the connection ends either way.
pub(super) async fn answer(hub: &Hub, socket: &mut Socket, enrol: Enrol, from: SocketAddr) -> End {
    match try_answer(hub, enrol, from).await {
        Ok(enrolled) => match socket.send(&ToAgent::Enrolled(Box::new(enrolled))).await {
            Ok(()) => End::Gone,
            Err(end) => end,
        },
        Err(end) => end,
    }
}

async fn try_answer(hub: &Hub, enrol: Enrol, from: SocketAddr) -> Result<Enrolled, End> {
    if enrol.version != PROTOCOL_VERSION {
        return Err(End::protocol(format!(
            "This hub speaks version {PROTOCOL_VERSION} of the frames."
        )));
    }
    if enrol.host.len() > MAX_HOST_BYTES || enrol.host.chars().any(char::is_control) {
        return Err(End::protocol(
            "The host's name is too long or not printable.",
        ));
    }
    let token = hash(enrol.secret);
    if !hub.app.store.knows_enrol_token(token).await? {
        tracing::warn!(%from, "somebody tried to enrol with an unknown token");
        return Err(End::Close(
            ClosingCode::TokenInvalid,
            "There is no such enrolment token, or it has expired. Make a new one.".to_owned(),
        ));
    }
    let asked = Asked::Enrol(EnrolRequest {
        token,
        request: enrol.request,
        receipt_key: enrol.receipt_key,
        seal_key: enrol.seal_key,
        host: enrol.host,
        origin: from.ip().to_string(),
    });
    let answer = ask(&hub.app, &asked).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "an agent could not enrol");
        End::Close(
            ClosingCode::Busy,
            "The agent could not be enrolled now. Come back later.".to_owned(),
        )
    })?;
    match answer {
        Answer::Enrolled {
            agent,
            region,
            certificate,
            statement,
        } => {
            let trust = hub.app.trust.borrow().clone();
            Ok(Enrolled {
                agent,
                region,
                certificate,
                root_key: trust.root_key,
                trust: trust.envelope.clone(),
                statement,
            })
        }
        Answer::Refused { code, message } => Err(End::Close(code, message)),
        Answer::Certificate(_) => Err(End::protocol("The signer answered something else.")),
    }
}

/// The database knows tokens by the hash of their secret alone.
fn hash(secret: Digest) -> Digest {
    let nothing = Digest([0; 32]);
    EnrolToken {
        secret: secret.0,
        root_key: nothing,
        ca_key: nothing,
    }
    .hash()
}
