//! The agent's own certificate: kept as PEM, checked before it is kept, renewed in time.

use anyhow::{Context as _, bail};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use storm_protocol::{
    encoding,
    frame::Certificate,
    ident::{AgentId, Micros},
};
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer as _, X509Certificate},
};

use crate::{files, identity::TlsKey, state::StateDir};

const CERTIFICATE_FILE: &str = "certificate.pem";
/// The largest certificate file, in bytes.
const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;
/// The most certificates in a chain.
const MAX_CHAIN_LENGTH: usize = 4;
/// Renewal begins at two thirds of a certificate's life.
const RENEW_AT: (i64, i64) = (2, 3);
/// Characters in a line of PEM.
const PEM_LINE: usize = 64;

/// The agent's certificate with its chain.
#[derive(Debug, Clone)]
pub(crate) struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    not_before: Micros,
    not_after: Micros,
}

impl ClientCertificate {
    /// Takes a certificate that the hub sent.
    ///
    /// Errors: it is not for this agent's key and id.
    pub(crate) fn take(sent: &Certificate, key: &TlsKey, agent: AgentId) -> anyhow::Result<Self> {
        let chain = sent
            .chain
            .iter()
            .map(|der| CertificateDer::from(der.0.clone()));
        let taken = Self::of(chain.collect())?;
        let (_, leaf) = X509Certificate::from_der(&taken.chain[0])?;
        if leaf.public_key().subject_public_key.data.as_ref() != key.pair()?.public_key_raw() {
            bail!("the certificate is for another key than this agent's");
        }
        let name = format!("urn:storm:agent:{agent}");
        let names = leaf.subject_alternative_name()?;
        let ours =
            |general: &GeneralName<'_>| matches!(general, GeneralName::URI(uri) if *uri == name);
        if !names.is_some_and(|names| names.value.general_names.iter().any(ours)) {
            bail!("the certificate is for another agent than {agent}");
        }
        Ok(taken)
    }

    /// Reads the certificate kept.
    pub(crate) fn load(state: &StateDir) -> anyhow::Result<Self> {
        let path = state.file(CERTIFICATE_FILE);
        let Some(pem) = files::read_private(&path, MAX_CERTIFICATE_BYTES)? else {
            bail!("{} is missing: enrol this server anew", path.display());
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        chain
            .map_err(anyhow::Error::from)
            .and_then(Self::of)
            .with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes the certificate.
    pub(crate) fn keep(&self, state: &StateDir) -> anyhow::Result<()> {
        let pem: String = self.chain.iter().map(|der| pem_of(der)).collect();
        files::write_private(&state.file(CERTIFICATE_FILE), pem.as_bytes())
    }

    /// The DER certificates, the agent's first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// When it ends.
    pub(crate) fn not_after(&self) -> Micros {
        self.not_after
    }

    /// From when on a new one is to be asked for.
    pub(crate) fn renew_at(&self) -> Micros {
        let life = self.not_after.0.saturating_sub(self.not_before.0);
        Micros(
            self.not_before
                .0
                .saturating_add(life / RENEW_AT.1 * RENEW_AT.0),
        )
    }

    fn of(chain: Vec<CertificateDer<'static>>) -> anyhow::Result<Self> {
        if !(1..=MAX_CHAIN_LENGTH).contains(&chain.len()) {
            bail!("a chain of {} certificates is not expected", chain.len());
        }
        let (not_before, not_after) = {
            let (_, leaf) = X509Certificate::from_der(&chain[0])?;
            let validity = leaf.validity();
            let micros = |seconds: i64| Micros(seconds.saturating_mul(Micros::SECOND));
            (
                micros(validity.not_before.timestamp()),
                micros(validity.not_after.timestamp()),
            )
        };
        Ok(Self {
            chain,
            not_before,
            not_after,
        })
    }
}

fn pem_of(der: &[u8]) -> String {
    let text = encoding::encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
