//! `storm offline`: commands signed on a machine of your own, run with `storm-pulse exec` on the node
//! without any control plane, and their secrets opened.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use storm_protocol::{
    api::TrustBundle,
    command::RawCommand,
    encoding,
    envelope::{
        Actor, Audience, CommandPayload, Envelope, MAX_OFFLINE_VALIDITY_SECONDS, PayloadType,
        VERSION, VerifyKey, Via,
    },
    ident::{AccountId, AgentId, Digest, OperationId, RegionName, UserId},
    receipt::Outcome,
    seal::{OpenKey, SealContext, Sealed},
};
use zeroize::Zeroizing;

use crate::{
    asked::new_key,
    clock,
    config::Config,
    errors::{ApiError, Exit, fault, operation_words, usage},
    files, output,
    session::{self, Context},
    units,
    verify::{Trust, VerifyError},
};

/// What can be done without the control plane.
#[derive(Debug, Subcommand)]
pub(crate) enum OfflineCommand {
    /// Make a signing key; add its public half with `storm-buckets trust add-offline-key`
    Keygen(Keygen),
    /// Sign a command; run it on the node with `storm-pulse exec`
    Sign(Box<Sign>),
    /// Open the secret in what `storm-pulse exec --json` printed
    Open(Open),
}

/// A new signing key.
#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Where to put it (mode 0600)
    file: PathBuf,
}

/// A command to sign. Agent and region: `storm agent list --json`; epoch: `storm region show --json`;
/// account and user: `storm whoami --json`.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The signing key, as `storm offline keygen` made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The agent that is to run it
    #[arg(long, value_name = "ID")]
    agent: AgentId,
    /// The agent's region
    #[arg(long)]
    region: RegionName,
    /// The region's executor epoch
    #[arg(long, value_name = "N")]
    epoch: u64,
    /// The account on whose behalf
    #[arg(long, value_name = "ID")]
    account: AccountId,
    /// You
    #[arg(long, value_name = "ID")]
    user: UserId,
    /// As an operator, who may touch what is not the account's
    #[arg(long)]
    operator: bool,
    /// How long it may be run, 24h at most
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = units::parse_duration)]
    valid: u32,
    /// Where to put the one-time key (mode 0600) that opens the secret, when the command makes one
    #[arg(long, value_name = "FILE")]
    seal_key_file: Option<PathBuf>,
    /// The command's name, as `storm-pulse commands` lists it
    #[arg(value_name = "COMMAND-NAME")]
    command: String,
    /// Its parameters, a JSON object
    #[arg(value_name = "PARAMETERS-JSON")]
    parameters: String,
    /// Where to put the signed command
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// A secret to open.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The one-time key that `storm offline sign` made
    #[arg(long, value_name = "FILE")]
    seal_key_file: PathBuf,
    /// What `storm-pulse exec --json` printed
    #[arg(long, value_name = "FILE")]
    receipt: PathBuf,
    /// A trust bundle (the server's /api/v1/trust) [default: the server's, or the one seen last]
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The root key's digest [default: the one pinned at login]
    #[arg(long, value_name = "DIGEST")]
    root_key: Option<Digest>,
}

/// The file with a one-time key: what it opens, and what must have been done for it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealKeyFile {
    operation: OperationId,
    account: AccountId,
    agent: AgentId,
    region: RegionName,
    intent: Digest,
    open_key: String,
}

/// The part of what `storm-pulse exec --json` prints that is used.
#[derive(Deserialize)]
struct Executed {
    receipt: Envelope,
    sealed: Option<Sealed>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: OfflineCommand) -> Result<()> {
    match command {
        OfflineCommand::Keygen(args) => keygen(context, &args),
        OfflineCommand::Sign(args) => sign(context, *args),
        OfflineCommand::Open(args) => open(context, &args).await,
    }
}

fn keygen(context: &Context, args: &Keygen) -> Result<()> {
    let seed = Zeroizing::new(clock::random::<32>()?);
    let key = SigningKey::from_bytes(&seed);
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| anyhow::anyhow!("The key cannot be written: {error}."))?;
    files::create_private(&args.file, pem.as_bytes())?;
    let public = VerifyKey::of(&key);
    if context.json {
        return output::json(&json!({ "public_key": public, "key_id": public.id() }));
    }
    output::line(&public.to_string())?;
    output::note(&format!(
        "The signing key is in {}. Trust its public half, on the server:\n  \
         storm-buckets trust add-offline-key {public}",
        args.file.display()
    ));
    Ok(())
}

fn sign(context: &Context, args: Sign) -> Result<()> {
    if i64::from(args.valid) > MAX_OFFLINE_VALIDITY_SECONDS || args.valid == 0 {
        return Err(usage("--valid: expected a duration of 1s to 24h."));
    }
    let raw = RawCommand {
        name: args.command,
        parameters: RawValue::from_string(args.parameters)
            .map_err(|error| usage(format!("PARAMETERS-JSON is not JSON: {error}.")))?,
    };
    let command = raw.parse().map_err(|refusal| {
        usage(format!(
            "{} ({}): {} See: storm-pulse commands",
            raw.name,
            refusal.code(),
            refusal.sentence()
        ))
    })?;
    let key = signing_key(&args.key)?;
    let open_key = match (command.makes_secret(), &args.seal_key_file) {
        (true, Some(path)) => Some((OpenKey::generate(), path)),
        (true, None) => {
            return Err(usage(format!(
                "{} makes a secret: say with --seal-key-file where to put the key that opens it.",
                command.name()
            )));
        }
        (false, Some(_)) => {
            return Err(usage(format!(
                "{} makes no secret: leave --seal-key-file out.",
                command.name()
            )));
        }
        (false, None) => None,
    };
    if args.output.exists() {
        let text = format!(
            "{} exists already and was left as it is. Choose another name.",
            args.output.display()
        );
        return Err(fault(Exit::Conflict, "file_exists", text));
    }
    let now = clock::now();
    let payload = CommandPayload {
        version: VERSION,
        operation: OperationId::new(now, clock::random()?),
        attempt: 1,
        audience: Audience {
            agent: args.agent,
            region: args.region,
            epoch: args.epoch,
        },
        issued_at: now,
        expires_at: now.plus_seconds(i64::from(args.valid)),
        actor: Actor {
            account: args.account,
            user: args.user,
            operator: args.operator,
            via: Via::Offline,
        },
        command: command.to_raw(),
        seal_to: open_key.as_ref().map(|(key, _)| key.seal_key()),
    };
    let envelope = Envelope::sign_json(PayloadType::Command, &payload, &key)?;
    if let Some((open_key, path)) = &open_key {
        let file = SealKeyFile {
            operation: payload.operation,
            account: payload.actor.account,
            agent: payload.audience.agent,
            region: payload.audience.region.clone(),
            intent: payload.intent(),
            open_key: encoding::encode(open_key.expose()),
        };
        files::create_private(path, &Zeroizing::new(serde_json::to_vec(&file)?))?;
    }
    if let Err(error) = files::create_private(&args.output, &serde_json::to_vec(&envelope)?) {
        if let Some((_, path)) = &open_key {
            // Without the command its key opens nothing.
            let _ = std::fs::remove_file(path);
        }
        return Err(error);
    }
    if context.json {
        return output::json(&json!({
            "operation": payload.operation, "expires_at": payload.expires_at,
            "output": args.output, "seal_key_file": args.seal_key_file,
        }));
    }
    output::line(&format!(
        "Signed {} as operation {}, to be run until {}.",
        command.name(),
        payload.operation,
        units::instant(payload.expires_at)
    ))?;
    output::note(&format!(
        "On the node: storm-pulse exec {}",
        args.output.display()
    ));
    Ok(())
}

fn signing_key(path: &std::path::Path) -> Result<SigningKey> {
    let bytes = files::read_private(path)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    SigningKey::from_pkcs8_pem(text).map_err(|_| {
        let text = format!(
            "{} is not a signing key as storm offline keygen makes them (Ed25519, PKCS #8, PEM).",
            path.display()
        );
        fault(Exit::Failed, "bad_key_file", text)
    })
}

async fn open(context: &Context, args: &Open) -> Result<()> {
    let bad = |path: &std::path::Path, what: &str| {
        let text = format!("{} is not {what}.", path.display());
        fault(Exit::Failed, "bad_file", text)
    };
    let bytes = files::read_private(&args.seal_key_file)?;
    let file: SealKeyFile = serde_json::from_slice(&bytes)
        .map_err(|_| bad(&args.seal_key_file, "a key file of storm offline sign"))?;
    let open_key = open_key(file.open_key.clone())
        .ok_or_else(|| bad(&args.seal_key_file, "a key file of storm offline sign"))?;
    let executed: Executed = serde_json::from_slice(&files::read(&args.receipt)?)
        .map_err(|_| bad(&args.receipt, "what storm-pulse exec --json prints"))?;
    let trust = trust(context, args).await?;
    let (receipt, _) = trust.receipt(&executed.receipt)?;
    let ours = receipt.operation == file.operation
        && receipt.account == file.account
        && receipt.agent == file.agent
        && receipt.region == file.region
        && receipt.intent == file.intent;
    if !ours {
        return Err(VerifyError::Mismatch("it is of another command").into());
    }
    let Outcome::Done(result) = &receipt.outcome else {
        return Err(operation_words(&receipt.outcome));
    };
    let sealed = executed.sealed.ok_or_else(|| {
        let text = "There is no sealed secret in it: the agent keeps it for a time only.";
        fault(Exit::Failed, "secret_gone", text)
    })?;
    let key = new_key(result);
    if receipt.sealed != Some(sealed.digest()) || key.as_ref() != Some(&sealed.key) {
        let what = "the sealed secret is not the one that the agent sealed";
        return Err(VerifyError::Mismatch(what).into());
    }
    let place = SealContext {
        operation: receipt.operation,
        account: receipt.account,
        region: &receipt.region,
        agent: receipt.agent,
        key: &sealed.key,
    };
    let secret = sealed
        .open(&open_key, &place)
        .map_err(|error| VerifyError::Secret(error.to_string()))?;
    if context.json {
        return output::json(&json!({
            "operation": receipt.operation, "storm_region": receipt.region,
            "access_key_id": sealed.key, "secret_access_key": secret.expose_secret(),
        }));
    }
    output::facts(&[
        ("Access key id", sealed.key.to_string()),
        ("Secret", secret.expose_secret().to_owned()),
    ])?;
    output::note(&format!(
        "Receipt verified. When the secret is kept, delete {}.",
        args.seal_key_file.display()
    ));
    Ok(())
}

fn open_key(text: String) -> Option<OpenKey> {
    let text = Zeroizing::new(text);
    let bytes = Zeroizing::new(encoding::decode(&text)?);
    Some(OpenKey::from_bytes(bytes.as_slice().try_into().ok()?))
}

/// Who is trusted: the file that was named, the server's word, or, with no server, what it said last.
async fn trust(context: &Context, args: &Open) -> Result<Trust> {
    let pinned = match args.root_key {
        Some(pinned) => pinned,
        None => Config::load(&context.config_path)?.root_key,
    };
    if let Some(path) = &args.trust {
        let bundle: TrustBundle = serde_json::from_slice(&files::read(path)?).map_err(|_| {
            let text = format!("{} is not a trust bundle.", path.display());
            fault(Exit::Failed, "bad_file", text)
        })?;
        return Ok(Trust::open(&bundle, pinned)?);
    }
    match context.session()?.trust().await {
        Err(error) if matches!(error.downcast_ref(), Some(ApiError::Unreachable { .. })) => {
            let kept = session::kept_trust(&context.dir())?.ok_or(error)?;
            Ok(Trust::open(&kept, pinned)?)
        }
        other => other,
    }
}
