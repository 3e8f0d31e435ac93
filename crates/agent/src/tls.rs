//! TLS towards the hub: 1.3 alone, one private CA, no resumption. At enrolment the CA is the one whose
//! key the token names; afterwards it is what the trust document holds.

mod certificate;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _};
use storm_protocol::{ident::Digest, trust::TrustDocument};
use x509_parser::prelude::{FromDer as _, X509Certificate};

pub(crate) use certificate::ClientCertificate;

use crate::identity::TlsKey;

/// How an enrolled agent connects: it trusts the document's authorities and shows its certificate.
pub(crate) fn channel_config(
    trust: &TrustDocument,
    certificate: &ClientCertificate,
    key: &TlsKey,
) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in &trust.authorities {
        // A certificate in a form that we do not read must not keep us from the others.
        let _ = roots.add(CertificateDer::from(authority.0.as_slice()));
    }
    if roots.is_empty() {
        bail!("the trust document names no CA certificate that can be read");
    }
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .context("the TLS key cannot be read")?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificate.chain().to_vec(), key)
        .context("the TLS key and the certificate do not belong together")?;
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// How an agent connects to enrol: without a certificate, to a server whose chain ends in the CA
/// whose SubjectPublicKeyInfo has the digest `authority_key`.
pub(crate) fn enrol_config(authority_key: Digest) -> anyhow::Result<ClientConfig> {
    let provider = provider();
    let verifier = PinnedAuthority {
        key: authority_key,
        provider: Arc::clone(&provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo; `None` when it is no certificate.
pub(crate) fn authority_key_digest(der: &[u8]) -> Option<Digest> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(Digest::of(certificate.public_key().raw))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Accepts a chain only when it ends in the one CA whose key is known by its digest.
#[derive(Debug)]
struct PinnedAuthority {
    key: Digest,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pinned = |der: &&CertificateDer<'_>| authority_key_digest(der) == Some(self.key);
        let authority = intermediates
            .iter()
            .find(pinned)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod tests;
