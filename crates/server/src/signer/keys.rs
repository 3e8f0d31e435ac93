//! The dispatch key and the CA, read once at start and never handed out.

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use rcgen::{CertificateSigningRequestParams, Issuer, KeyPair, PublicKeyData as _};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;
use storm_protocol::{
    encoding::Base64,
    frame::{Certificate, HUB_SERVER_NAME},
    ident::{AgentId, Digest, Micros},
};

use crate::keys::{Files, certificate_params, read_secret, read_signing_key};

/// Days that an agent's certificate is valid.
pub(super) const AGENT_CERTIFICATE_DAYS: i64 = 90;
/// Days that the hub's certificate is valid.
pub(super) const HUB_CERTIFICATE_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 24 * 3600;
/// The largest certificate request, in bytes.
const MAX_REQUEST_BYTES: usize = 8 * 1024;

/// The two keys that the signer holds.
pub(super) struct SigningKeys {
    /// Signs commands and agents' statements.
    pub(super) dispatch: SigningKey,
    authority: Issuer<'static, KeyPair>,
    authority_certificate: CertificateDer<'static>,
}

/// A certificate request whose signature holds.
pub(super) struct Request {
    params: CertificateSigningRequestParams,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(super) key: Digest,
}

impl Request {
    /// Reads PKCS #10 in DER and checks that the asker has the key. Nothing else in it is heeded.
    pub(super) fn parse(der: &Base64) -> Option<Self> {
        if der.0.len() > MAX_REQUEST_BYTES {
            return None;
        }
        let der = CertificateSigningRequestDer::from(der.0.as_slice());
        let params = CertificateSigningRequestParams::from_der(&der).ok()?;
        let key = Digest::of(&params.public_key.subject_public_key_info());
        Some(Self { params, key })
    }
}

impl SigningKeys {
    pub(super) fn read(files: &Files) -> anyhow::Result<Self> {
        let key = read_secret(&files.ca_key())?;
        let key = KeyPair::from_pem(key.expose_secret()).with_context(|| {
            format!(
                "{} is not a key: restore it from a backup",
                files.ca_key().display()
            )
        })?;
        let path = files.ca_certificate();
        let damaged = || {
            format!(
                "{} is not a certificate: restore it from a backup",
                path.display()
            )
        };
        let authority_certificate = CertificateDer::from_pem_file(&path).with_context(damaged)?;
        Ok(Self {
            dispatch: read_signing_key(&files.dispatch_key())?,
            authority: Issuer::from_ca_cert_der(&authority_certificate, key)
                .with_context(damaged)?,
            authority_certificate,
        })
    }

    /// A certificate for an agent, and when it ends.
    pub(super) fn issue_agent(
        &self,
        request: &Request,
        agent: AgentId,
        now: Micros,
    ) -> anyhow::Result<(Certificate, Micros)> {
        let until = now.plus_seconds(AGENT_CERTIFICATE_DAYS * DAY_SECONDS);
        let mut params = certificate_params(&agent.to_string(), now, until)?;
        let uri = format!("urn:storm:agent:{agent}");
        params.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into()?)];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        Ok((self.issue(&params, request)?, until))
    }

    /// A certificate for the hub.
    pub(super) fn issue_hub(&self, request: &Request, now: Micros) -> anyhow::Result<Certificate> {
        let until = now.plus_seconds(HUB_CERTIFICATE_DAYS * DAY_SECONDS);
        let mut params = certificate_params(HUB_SERVER_NAME, now, until)?;
        params.subject_alt_names = vec![rcgen::SanType::DnsName(HUB_SERVER_NAME.try_into()?)];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params, request)
    }

    fn issue(
        &self,
        params: &rcgen::CertificateParams,
        request: &Request,
    ) -> anyhow::Result<Certificate> {
        let mut params = params.clone();
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&request.params.public_key, &self.authority)?;
        Ok(Certificate {
            chain: vec![
                Base64(leaf.der().to_vec()),
                Base64(self.authority_certificate.to_vec()),
            ],
        })
    }
}
