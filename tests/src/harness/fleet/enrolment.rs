//! Enrolment in bulk: the keys and certificates that the signer would make, and the rows that it would
//! write, with the keys of a data directory whose server does not run.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey as _};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType,
};
use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use storm_protocol::{
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    ident::{AgentId, Digest, Micros, RegionName},
    seal::OpenKey,
    trust::{AgentStatement, TrustDocument},
};

use super::{
    super::{garage::S3_REGION, now, random, tls},
    AGENTS_PER_REGION,
    member::Member,
};

/// Seconds that a certificate lasts, as the signer's do.
const CERTIFICATE_SECONDS: i64 = 90 * 24 * 3600;

/// What certifies agents.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    dispatch: SigningKey,
    verifier: Arc<WebPkiServerVerifier>,
}

/// Makes `agents` agents and writes them into the database of `data`.
pub(super) async fn enrol(
    data: &Path,
    trust: &TrustDocument,
    agents: usize,
) -> Result<Vec<Arc<Member>>> {
    let authority = Authority::read(data, trust)?;
    let options = SqliteConnectOptions::new().filename(data.join("storm.db"));
    let mut database = options.connect().await?;
    let mut transaction = database.begin().await?;
    let mut members = Vec::with_capacity(agents);
    for number in 0..agents {
        let region: RegionName = format!("fleet-{:05}", number / AGENTS_PER_REGION).parse()?;
        let member = authority.enrol(&mut transaction, number, region).await?;
        members.push(Arc::new(member));
    }
    transaction.commit().await?;
    database.close().await?;
    Ok(members)
}

impl Authority {
    fn read(data: &Path, trust: &TrustDocument) -> Result<Self> {
        let key = KeyPair::from_pem(&std::fs::read_to_string(data.join("keys/ca.key"))?)?;
        let certificate = CertificateDer::from_pem_file(data.join("keys/ca.pem"))?;
        let dispatch = std::fs::read_to_string(data.join("keys/dispatch.key"))?;
        let dispatch = SigningKey::from_pkcs8_pem(&dispatch).ok();
        let mut roots = RootCertStore::empty();
        for authority in &trust.authorities {
            roots.add(CertificateDer::from(authority.0.clone()))?;
        }
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&certificate, key)?,
            certificate,
            dispatch: dispatch.context("the dispatch key cannot be read")?,
            verifier: WebPkiServerVerifier::builder_with_provider(Arc::new(roots), tls::provider())
                .build()?,
        })
    }

    async fn enrol(
        &self,
        database: &mut SqliteConnection,
        number: usize,
        region: RegionName,
    ) -> Result<Member> {
        let now = now();
        let agent = AgentId::new(now, random()?);
        let receipt_key = SigningKey::from_bytes(&random()?);
        let tls_key = KeyPair::generate()?;
        let until = Micros(now.0 + CERTIFICATE_SECONDS * Micros::SECOND);
        let statement = AgentStatement {
            version: VERSION,
            agent,
            region: region.clone(),
            receipt_key: VerifyKey::of(&receipt_key),
            seal_key: OpenKey::generate().seal_key(),
            issued_at: now,
        };
        if number.is_multiple_of(AGENTS_PER_REGION) {
            insert_region(database, &region, agent, now).await?;
        }
        sqlx::query(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, \
             certificate_expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(agent.to_string())
        .bind(region.as_str())
        .bind(format!("node-{number}"))
        .bind(statement.receipt_key.to_string())
        .bind(statement.seal_key.to_string())
        .bind(Digest::of(&tls_key.subject_public_key_info()).to_string())
        .bind(serde_json::to_string(&Envelope::sign_json(
            PayloadType::Agent,
            &statement,
            &self.dispatch,
        )?)?)
        .bind(until.0)
        .bind(now.0)
        .execute(database)
        .await?;
        let config = self.client_config(agent, &tls_key, until)?;
        Ok(Member::new(agent, region, receipt_key, config))
    }

    /// How the agent connects: as the real one, but for the verifier, which all of them share.
    fn client_config(
        &self,
        agent: AgentId,
        key: &KeyPair,
        until: Micros,
    ) -> Result<Arc<ClientConfig>> {
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let Ok(seconds) = u64::try_from(until.0 / Micros::SECOND) else {
            bail!("a certificate that ends before 1970");
        };
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        params.not_after = epoch + std::time::Duration::from_secs(seconds);
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, agent.to_string());
        let name = format!("urn:storm:agent:{agent}");
        params.subject_alt_names = vec![SanType::URI(name.try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(key, &self.issuer)?.der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let verifier = Arc::clone(&self.verifier);
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&TLS13])?
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(vec![leaf, self.certificate.clone()], private)?;
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// A region whose first agent leads it.
async fn insert_region(
    database: &mut SqliteConnection,
    region: &RegionName,
    executor: AgentId,
    now: Micros,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO regions (name, s3_endpoint, s3_region, executor, epoch, created_at) \
         VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(region.as_str())
    .bind(format!("https://{region}.example.org"))
    .bind(S3_REGION)
    .bind(executor.to_string())
    .bind(now.0)
    .execute(database)
    .await?;
    Ok(())
}
