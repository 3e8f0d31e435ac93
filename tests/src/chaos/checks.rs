//! What has to be true once a round's operations have ended.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use storm_protocol::{
    api::{Operation, OperationAnswer, OperationPage, OperationStatus},
    command::RawCommand,
    envelope::Envelope,
    ident::OperationId,
    receipt::{Outcome, Receipt},
};

use super::{
    load::{End, Told},
    model::{Bucket, Key, Model},
    stage::Stage,
    verdict::Verdict,
};
use crate::harness::{
    api::Api,
    node_admin::{Contents, Rights},
    now,
    tools::succeed,
    wait,
};

/// The longest that Garage's lists may differ: a deleted key shows until all nodes have heard.
const EVEN_SECONDS: u64 = 40;
/// Deleted keys whose secrets are tried, the newest.
const GONE_TRIED: usize = 5;
/// Milliseconds by which Garage's idea of an end may differ from ours: it keeps no microseconds.
const END_MILLIS: i64 = 1_000;

/// Waits until no operation is open, takes the new receipts into the model, and compares all.
pub async fn check(stage: &mut Stage, told: &[Told], verdict: &mut Verdict) -> Result<()> {
    all_ended(stage).await?;
    stage.parts.stack.agent.expect(&["audit", "verify"])?;
    let asked = kept(stage, told, verdict).await?;
    take_receipts(stage, &asked, verdict).await?;
    let begun = Instant::now();
    loop {
        let found = differences(stage).await?;
        let Some(first) = found.first() else { break };
        // What the platform asks for by itself may have come meanwhile.
        if begun.elapsed() > Duration::from_secs(EVEN_SECONDS) {
            bail!("Garage and receipts differ {} times: {first}", found.len());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        all_ended(stage).await?;
        take_receipts(stage, &asked, verdict).await?;
    }
    try_secrets(stage, verdict).await
}

/// Each account proves its own chain of receipts, as a customer does.
pub fn prove_chains(stage: &Stage) -> Result<()> {
    let stack = &stage.parts.stack;
    for person in &stage.people {
        let mut verify = person.cli.command(&["audit", "verify"])?;
        verify
            .env("STORM_URL", stack.server.web_url()?)
            .env("STORM_TOKEN", person.api.token())
            .env("STORM_ROOT_KEY", stack.root_key.to_string());
        succeed(&mut verify)?;
    }
    Ok(())
}

async fn all_ended(stage: &Stage) -> Result<()> {
    let api = &stage.parts.stack.api;
    wait::until("all operations to end", async || {
        let path = "/operations?everyones=true&open=true&limit=1000";
        let open: OperationPage = api.get(path).await?;
        match open.items.first() {
            Some(first) => bail!("{} is {:?}", first.command, first.state),
            None => Ok(Some(())),
        }
    })
    .await
}

/// What a client was told still holds, and its secret opens. Gives the operations that were asked for.
async fn kept(
    stage: &mut Stage,
    told: &[Told],
    verdict: &mut Verdict,
) -> Result<BTreeSet<OperationId>> {
    let root = stage.parts.stack.root_key;
    let mut asked = BTreeSet::new();
    for told in told {
        let answer = match &told.end {
            End::Operation(answer) => answer,
            End::None(answer) => {
                verdict.turned_away += u32::from(!answer.status.is_success());
                continue;
            }
        };
        let operation = &answer.operation;
        asked.insert(operation.id);
        Verdict::count(&mut verdict.ended, how(operation));
        let api = &stage.people[told.person].api;
        let now = shown(api, operation.id).await?;
        ensure!(
            now.operation.state == operation.state && now.operation.outcome == operation.outcome,
            "a client was told {operation:?}, and later {:?}",
            now.operation
        );
        // The signer refuses by itself, and an operation that was never sent ends without an agent.
        if operation.receipt.is_some() || operation.state == OperationStatus::Done {
            let receipt = api.verified_receipt(&now.operation, root).await?;
            ensure!(
                Some(&receipt.outcome) == operation.outcome.as_ref(),
                "a client was told {operation:?}, and the agent has signed {receipt:?}"
            );
        }
        let done = operation.state == OperationStatus::Done;
        if let Some(seal) = told.request.seal.as_ref().filter(|_| done) {
            let credential = api.open(&now, seal, root).await;
            let credential =
                credential.with_context(|| format!("no secret of {}", operation.id))?;
            let id = credential.id.to_string();
            stage.model.secrets.insert(id, credential);
        }
    }
    Ok(asked)
}

/// An operation as the API shows it. A connection that idles is closed by the server, now and then in the moment
/// in which it is asked on.
async fn shown(api: &Api, id: OperationId) -> Result<OperationAnswer> {
    match api.operation(id).await {
        Ok(answer) => Ok(answer),
        Err(_) => api.operation(id).await,
    }
}

/// The state, and why.
fn how(operation: &Operation) -> String {
    let state = operation.state.as_str();
    match &operation.outcome {
        Some(Outcome::Failed { code, .. }) => format!("{state} ({})", code.code()),
        Some(Outcome::Refused { code, .. }) => format!("{state} ({})", code.code()),
        Some(Outcome::Done(_)) | None => state.to_owned(),
    }
}

/// Takes the receipts that are new into the model, in the agent's order.
async fn take_receipts(
    stage: &mut Stage,
    asked: &BTreeSet<OperationId>,
    verdict: &mut Verdict,
) -> Result<()> {
    let file = stage.parts.stack.agent.state().join("audit.jsonl");
    let text = fs::read_to_string(file)?;
    let known = stage.receipts.len();
    for line in text.lines().skip(known) {
        let envelope: Envelope = serde_json::from_str(line)?;
        let opened = Receipt::open(&envelope, stage.receipt_key);
        let (receipt, identity) = opened.map_err(|code| anyhow::anyhow!("a receipt: {code:?}"))?;
        stage.chain.append(&receipt, identity)?;
        let chain = stage.account_chains.entry(receipt.account).or_default();
        ensure!(
            receipt.account_sequence == *chain + 1,
            "the account's receipt {} follows {chain}",
            receipt.account_sequence
        );
        *chain += 1;
        verdict.receipts += 1;
        // A refusal is not the end: the hub may have signed the operation again.
        let done = matches!(receipt.outcome, Outcome::Done(_));
        if done {
            ensure!(
                stage.done.insert(receipt.operation),
                "operation {} was done twice",
                receipt.operation
            );
        }
        stage.receipts.push(receipt.operation);
        apply(stage, &receipt, asked).await?;
    }
    Ok(())
}

async fn apply(stage: &mut Stage, receipt: &Receipt, asked: &BTreeSet<OperationId>) -> Result<()> {
    let mut people = stage.people.iter();
    let person = people.find(|person| person.account == receipt.account);
    let person = person.context("a receipt of an account that nobody asked for")?;
    let operation = shown(&person.api, receipt.operation).await;
    let operation = operation.context("a receipt of an operation that the API does not know")?;
    let operation = operation.operation;
    let via = serde_json::to_value(operation.actor.via)?;
    ensure!(
        via == "system" || asked.contains(&operation.id),
        "{} {} was run, and nobody was told so",
        operation.command,
        operation.id
    );
    let raw = RawCommand {
        name: operation.command.clone(),
        parameters: serde_json::value::to_raw_value(&operation.parameters)?,
    };
    let command = raw.parse();
    let command = command.map_err(|code| anyhow::anyhow!("{}: {code:?}", operation.command))?;
    stage.history.push(format!(
        "{} {} {} {} -> {:?}",
        receipt.sequence, operation.id, operation.command, operation.parameters, receipt.outcome
    ));
    stage.model.apply(receipt, &command)
}

/// Where Garage and the model differ, in words.
async fn differences(stage: &Stage) -> Result<Vec<String>> {
    let admin = &stage.parts.stack.cluster.admin;
    let contents = admin.contents().await?;
    let mut found = Vec::new();
    if let Err(error) = contents.check_whole() {
        found.push(error.to_string());
    }
    let (model, now) = (&stage.model, now());
    compare_sets(
        "bucket",
        model.buckets.keys(),
        contents.buckets.keys(),
        &mut found,
    );
    compare_sets("key", model.keys.keys(), contents.keys.keys(), &mut found);
    for (id, bucket) in &model.buckets {
        if contents.buckets.contains_key(id) {
            // It may go just now; the next look says so.
            let rules = admin.get(&format!("GetBucketInfo?id={id}")).await?;
            found.extend(bucket_differs(model, id, bucket, &contents, &rules));
        }
    }
    for (id, key) in &model.keys {
        found.extend(key_differs(id, key, &contents, now));
    }
    Ok(found)
}

fn compare_sets<'a>(
    what: &str,
    expected: impl Iterator<Item = &'a String>,
    seen: impl Iterator<Item = &'a String>,
    found: &mut Vec<String>,
) {
    let (expected, seen): (BTreeSet<_>, BTreeSet<_>) = (expected.collect(), seen.collect());
    for id in expected.difference(&seen) {
        found.push(format!("{what} {id} is gone"));
    }
    for id in seen.difference(&expected) {
        found.push(format!("{what} {id} is a stranger"));
    }
}

fn bucket_differs(
    model: &Model,
    id: &str,
    bucket: &Bucket,
    contents: &Contents,
    rules: &Value,
) -> Option<String> {
    let seen = contents.buckets.get(id)?;
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let list = |name: &str| rules[name].as_array().cloned().unwrap_or_default();
    let page = rules["websiteConfig"]["indexDocument"].as_str();
    let found = Bucket {
        account: bucket.account,
        names: seen.aliases.iter().cloned().collect(),
        quota: bucket.quota,
        cors: list("corsRules")
            .iter()
            .map(|rule| number(&rule["MaxAgeSeconds"]))
            .collect(),
        lifecycle: list("lifecycleRules")
            .iter()
            .map(|rule| number(&rule["Expiration"]["Days"]))
            .collect(),
        website: page
            .filter(|_| rules["websiteAccess"] == true)
            .map(str::to_owned),
        objects: bucket.objects,
        fewer: bucket.fewer,
    };
    let quota = (seen.quota_bytes, seen.quota_objects);
    if found != *bucket || !bucket.quota.allows(quota) || seen.has_local_alias {
        return Some(format!(
            "bucket {id} has to be {bucket:?}, and is {found:?} with {quota:?}"
        ));
    }
    let keys = model.keys.iter().filter_map(|(key, known)| {
        let given = known.grants.get(id)?;
        Some((key.clone(), *given))
    });
    let expected: std::collections::BTreeMap<String, Rights> = keys.collect();
    (expected != seen.keys).then(|| {
        format!(
            "the keys of bucket {id} have to be {expected:?}, and are {:?}",
            seen.keys
        )
    })
}

fn key_differs(
    id: &str,
    key: &Key,
    contents: &Contents,
    now: storm_protocol::ident::Micros,
) -> Option<String> {
    let seen = contents.keys.get(id)?;
    let name = format!("{}/{}", key.account, key.label);
    let ends = seen.expiration.as_ref().and_then(|text| {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(instant.as_millisecond())
    });
    let same_end = match (key.ends.filter(|_| !key.suspended), ends) {
        (Some(expected), Some(ends)) => (expected.0 / 1000 - ends).abs() <= END_MILLIS,
        (None, None) => true,
        (None, Some(_)) => key.suspended,
        (Some(_), None) => false,
    };
    let same = seen.name == name && same_end && seen.expired != key.works_at(now);
    (!same).then(|| format!("key {id} has to be {key:?}, and is {seen:?}"))
}

/// Every secret that came to a client does what its key may, and nothing once the key is gone.
async fn try_secrets(stage: &Stage, verdict: &mut Verdict) -> Result<()> {
    let (model, stack) = (&stage.model, &stage.parts.stack);
    let Some((any, seen)) = model.buckets.iter().next() else {
        return Ok(());
    };
    let some_name = seen.names.first().context("a bucket has a name")?;
    for (id, key) in &model.keys {
        let Some(credential) = model.secrets.get(id) else {
            bail!("the secret of key {id} came to nobody: {key:?}");
        };
        let place = key.grants.iter().next().and_then(|(bucket, given)| {
            let name = model.buckets.get(bucket)?.names.first()?;
            Some((bucket, name, given.read))
        });
        let (_, name, read) = place.unwrap_or((any, some_name, false));
        let expected = if read && key.works_at(now()) {
            200
        } else {
            403
        };
        let path = format!("{name}?list-type=2");
        let tools = stack.tools(credential)?;
        wait::until("a secret to do what its key may", async || {
            let status = tools.status("GET", &path, None)?;
            ensure!(
                status == expected,
                "the secret of {id} answers {status} instead of {expected} on {name}: {key:?}"
            );
            Ok(Some(()))
        })
        .await?;
        verdict.secrets += 1;
    }
    for id in model.gone.iter().rev().take(GONE_TRIED) {
        let Some(credential) = model.secrets.get(id) else {
            continue;
        };
        let path = format!("{some_name}?list-type=2");
        let status = stack.tools(credential)?.status("GET", &path, None)?;
        ensure!(
            status == 403,
            "the secret of {id}, which is gone, answers {status}"
        );
        verdict.secrets += 1;
    }
    Ok(())
}
