//! The trust document that this agent holds: verified with the pinned root key, never replaced by an
//! older one, kept whole.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use storm_protocol::{
    envelope::{Envelope, VerifyKey},
    error::Refusal,
    json,
    trust::{KeyRole, MAX_TRUST_BYTES, TrustDocument},
};

use crate::{files, state::StateDir};

const TRUST_FILE: &str = "trust.json";
/// The largest file that holds a trust document: base64 and its envelope around it, in bytes.
pub(crate) const MAX_TRUST_FILE_BYTES: usize = MAX_TRUST_BYTES * 2;

/// The document in force.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    root: VerifyKey,
    /// What is trusted.
    pub document: TrustDocument,
}

/// What became of an offered document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is newer and in force now.
    Kept,
    /// It is the one already held.
    Same,
}

/// Why an offered document was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// The pinned root key did not sign it, or it is not a trust document.
    #[error(
        "the trust document is refused ({0}): it must be signed by the root key of this agent's enrolment"
    )]
    NotTrusted(Refusal),
    /// A document that is older than the one held, or another with the same serial.
    #[error(
        "the trust document has serial {offered}, and this agent holds {held}: only a newer one is taken"
    )]
    NotNewer {
        /// The serial held.
        held: u64,
        /// The serial offered.
        offered: u64,
    },
    /// It has no CA certificate or no valid form.
    #[error("the trust document names no CA certificate: no hub could be reached with it")]
    NoAuthority,
    /// It cannot be written.
    #[error(transparent)]
    Storage(#[from] anyhow::Error),
}

impl Trust {
    /// Takes the first document, at enrolment.
    pub(crate) fn first(
        state: &StateDir,
        root: VerifyKey,
        envelope: &Envelope,
    ) -> Result<Self, TrustError> {
        let document = open(envelope, root)?;
        keep(state, envelope)?;
        Ok(Self { root, document })
    }

    /// Whether a document is held, good or not.
    pub(crate) fn is_held(state: &StateDir) -> bool {
        state.file(TRUST_FILE).exists()
    }

    /// Reads the document held.
    ///
    /// Errors: it is missing, loose or not signed by the root key.
    pub(crate) fn load(state: &StateDir, root: VerifyKey) -> anyhow::Result<Self> {
        let path = state.file(TRUST_FILE);
        let Some(bytes) = files::read_private(&path, MAX_TRUST_FILE_BYTES)? else {
            bail!(
                "{} is missing: get it back with `storm-buckets trust export FILE` and \
                 `storm-pulse trust add FILE`",
                path.display()
            );
        };
        let envelope = parse(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
        let document =
            open(&envelope, root).with_context(|| format!("{} cannot be used", path.display()))?;
        Ok(Self { root, document })
    }

    /// Takes a newer document and keeps it on disk.
    pub(crate) fn offer(
        &mut self,
        state: &StateDir,
        envelope: &Envelope,
    ) -> Result<Offered, TrustError> {
        let document = open(envelope, self.root)?;
        if document == self.document {
            return Ok(Offered::Same);
        }
        if document.serial <= self.document.serial {
            return Err(TrustError::NotNewer {
                held: self.document.serial,
                offered: document.serial,
            });
        }
        keep(state, envelope)?;
        self.document = document;
        Ok(Offered::Kept)
    }
}

/// Reads a file that a person brings.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<Envelope> {
    let bytes = files::read_public(path, MAX_TRUST_FILE_BYTES)?;
    parse(&bytes).map_err(|code| {
        anyhow!(
            "{} is not a trust document ({code}): expected the file that `storm-buckets trust export \
             FILE` writes",
            path.display()
        )
    })
}

/// Reads a trust document in its envelope; nothing is known of it yet.
pub(crate) fn parse(bytes: &[u8]) -> Result<Envelope, Refusal> {
    json::from_slice(bytes, MAX_TRUST_FILE_BYTES)
}

/// The document for a person.
pub(crate) fn describe(trust: &Trust) -> String {
    use std::fmt::Write as _;

    let document = &trust.document;
    let mut text = format!(
        "root key   {}\nserial     {}\nissued at  {}\n",
        trust.root.id(),
        document.serial,
        crate::status::instant(document.issued_at),
    );
    for authority in &document.authorities {
        let digest = crate::tls::authority_key_digest(&authority.0);
        let digest = digest.map_or_else(|| "not a certificate".to_owned(), |d| d.to_string());
        let _ = writeln!(text, "authority  {digest}");
    }
    for key in &document.keys {
        let role = match key.role {
            KeyRole::Dispatch => "dispatch",
            KeyRole::Offline => "offline",
        };
        let _ = writeln!(
            text,
            "{role:<9}  {}  from {} until {}",
            key.key,
            crate::status::instant(key.not_before),
            crate::status::instant(key.not_after),
        );
    }
    text
}

fn open(envelope: &Envelope, root: VerifyKey) -> Result<TrustDocument, TrustError> {
    let document = TrustDocument::open(envelope, root).map_err(TrustError::NotTrusted)?;
    let readable =
        |der: &storm_protocol::encoding::Base64| crate::tls::authority_key_digest(&der.0).is_some();
    if document.authorities.iter().any(readable) {
        Ok(document)
    } else {
        Err(TrustError::NoAuthority)
    }
}

fn keep(state: &StateDir, envelope: &Envelope) -> anyhow::Result<()> {
    let bytes = serde_json::to_vec_pretty(envelope)?;
    files::write_private(&state.file(TRUST_FILE), &bytes)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use storm_protocol::{encoding::Base64, envelope::PayloadType, ident::Micros};

    use super::*;
    use crate::tls::tests::Authority;

    fn signed(serial: u64, key: &SigningKey) -> Envelope {
        let document = TrustDocument {
            version: 1,
            serial,
            issued_at: Micros(1),
            authorities: vec![Base64(Authority::new("ca").der())],
            keys: vec![],
        };
        Envelope::sign_json(PayloadType::Trust, &document, key).expect("signs")
    }

    #[test]
    fn a_file_of_another_kind_is_told_what_was_expected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("garbage");
        std::fs::write(&path, "garbage").expect("written");
        let error = read_file(&path).expect_err("it is no document").to_string();
        assert!(error.contains("storm-buckets trust export"), "{error}");
    }

    #[test]
    fn only_a_newer_document_of_the_root_key_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::create(&folder.path().join("state")).expect("a state");
        let root = SigningKey::from_bytes(&[7; 32]);
        let other = SigningKey::from_bytes(&[8; 32]);
        let key = VerifyKey::of(&root);
        let two = signed(2, &root);
        let mut trust = Trust::first(&state, key, &two).expect("taken");

        let refused = trust.offer(&state, &signed(3, &other));
        assert!(matches!(
            refused,
            Err(TrustError::NotTrusted(Refusal::BadSignature))
        ));
        let refused = trust.offer(&state, &signed(1, &root));
        assert!(matches!(
            refused,
            Err(TrustError::NotNewer {
                held: 2,
                offered: 1
            })
        ));
        assert!(matches!(trust.offer(&state, &two), Ok(Offered::Same)));
        assert!(matches!(
            trust.offer(&state, &signed(5, &root)),
            Ok(Offered::Kept)
        ));
        let again = Trust::load(&state, key).expect("kept");
        assert_eq!(again.document.serial, 5);
        assert!(Trust::load(&state, VerifyKey::of(&other)).is_err());
    }
}
