//! A signed-in command: the configuration, the API, and what names on the command line mean there.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Result;
use storm_protocol::{
    api::{
        Bucket, BucketPage, Key, KeyPage, Region, RegionPage, Stray, StrayPage, TrustBundle, Whoami,
    },
    ident::{AccessKeyId, AccountId, BucketId, BucketName, KeyLabel, RegionName},
};

use crate::{
    client::{Api, Credential},
    config::Config,
    environment,
    errors::{Exit, Thing, fault, usage},
    files, output,
    verify::{Trust, VerifyError},
};

const TRUST_FILE: &str = "trust.json";

/// What every command knows.
pub(crate) struct Context {
    /// The configuration file.
    pub(crate) config_path: PathBuf,
    /// Answer with JSON.
    pub(crate) json: bool,
    /// Do not ask before what cannot be taken back.
    pub(crate) yes: bool,
}

impl Context {
    /// Reads the configuration; a token of the environment goes before the one in it.
    pub(crate) fn session(&self) -> Result<Session> {
        if let Some(token) = environment::token()? {
            let config = environment::config(&self.config_path)?;
            let dir = self.dir();
            files::create_private_dir(&dir)?;
            return Ok(Session {
                api: Api::new(config.api_url.clone(), Credential::Token(token))?,
                config,
                dir,
                json: self.json,
            });
        }
        let config = Config::load(&self.config_path)?;
        let credential = Credential::Token(config.token(&self.config_path)?);
        Ok(Session {
            api: Api::new(config.api_url.clone(), credential)?,
            config,
            dir: self.dir(),
            json: self.json,
        })
    }

    /// The directory of the configuration file, where what must outlive a command is kept.
    pub(crate) fn dir(&self) -> PathBuf {
        environment::directory(files::parent(&self.config_path))
    }

    /// Asks for `name` before something that cannot be taken back.
    pub(crate) fn confirm(&self, what: &str, name: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(usage(format!(
                "{what} Nothing was done: there is no terminal to confirm on. Add --yes."
            )));
        }
        let typed = ask(&format!("{what} Type {name} to go on: "))?;
        if typed == name {
            Ok(())
        } else {
            let text = format!("That is not {name}. Nothing was done.");
            Err(fault(Exit::Failed, "not_confirmed", text))
        }
    }
}

/// The error that there is no such bucket, in the region where it was looked for.
fn no_bucket(name: &impl std::fmt::Display, region: Option<&RegionName>) -> anyhow::Error {
    match region {
        Some(region) => Thing::Bucket.missing(&format!("{name} in region {region}")),
        None => Thing::Bucket.missing(name),
    }
}

/// Asks on the terminal; the question goes to stderr.
pub(crate) fn ask(question: &str) -> Result<String> {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(question.as_bytes())?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// A configuration with its API.
pub(crate) struct Session {
    /// The API.
    pub(crate) api: Api,
    /// The configuration.
    pub(crate) config: Config,
    /// Where what must outlive a command is kept.
    pub(crate) dir: PathBuf,
    /// Answer with JSON.
    pub(crate) json: bool,
}

impl Session {
    /// Fetches who is trusted and verifies it against the pinned root key; refuses an older trust
    /// document than one seen before.
    pub(crate) async fn trust(&self) -> Result<Trust> {
        let bundle: TrustBundle = self.api.get("/trust").await?;
        let trust = Trust::open(&bundle, self.config.root_key)?;
        let path = self.dir.join(TRUST_FILE);
        let known = kept_trust(&self.dir)?;
        if let Some(known) = &known
            && let Ok(seen) = Trust::open(known, self.config.root_key)
            && seen.serial() > trust.serial()
        {
            let (seen, found) = (seen.serial(), trust.serial());
            return Err(VerifyError::OldTrust { seen, found }.into());
        }
        if known.as_ref() != Some(&bundle) {
            files::write_private(&path, &serde_json::to_vec(&bundle)?)?;
        }
        Ok(trust)
    }

    /// The account that receipts have to name.
    pub(crate) async fn account(&self) -> Result<AccountId> {
        match self.config.account {
            Some(account) => Ok(account),
            None => Ok(self.api.get::<Whoami>("/whoami").await?.account),
        }
    }

    /// A region by its name, the configured one, or the only one. `how` says how to name one on
    /// this command line, such as `--region`.
    pub(crate) async fn region(&self, named: Option<&RegionName>, how: &str) -> Result<Region> {
        if let Some(name) = named.or(self.config.region.as_ref()) {
            let region = self.api.get(&format!("/regions/{name}")).await;
            return region.map_err(Thing::Region.named(name));
        }
        let mut regions = self.api.list::<RegionPage>("/regions", &[]).await?;
        match (regions.pop(), regions.is_empty()) {
            (Some(region), true) => Ok(region),
            (None, _) => Err(fault(
                Exit::NotFound,
                "no_region",
                "There is no region yet. An operator makes one with: storm region create",
            )),
            (Some(last), false) => {
                regions.push(last);
                let names: Vec<_> = regions.iter().map(|r| r.name.as_str()).collect();
                Err(usage(format!(
                    "There is more than one region: {}. Name one, as in: {how} {}",
                    names.join(", "),
                    names.first().unwrap_or(&"NAME")
                )))
            }
        }
    }

    /// The bucket that is meant.
    pub(crate) async fn bucket(
        &self,
        meant: &BucketRef,
        region: Option<&RegionName>,
    ) -> Result<Bucket> {
        match meant {
            BucketRef::Id(id) => {
                let bucket = self.api.get::<Bucket>(&format!("/buckets/{id}")).await;
                let bucket = bucket.map_err(Thing::Bucket.named(id))?;
                match region.filter(|region| **region != bucket.region) {
                    Some(region) => Err(no_bucket(id, Some(region))),
                    None => Ok(bucket),
                }
            }
            BucketRef::Name(name) => self.bucket_named(name, region, false).await,
        }
    }

    /// The id of the bucket that is meant, whoever's it is (operators).
    pub(crate) async fn anyones_bucket(
        &self,
        meant: &BucketRef,
        region: Option<&RegionName>,
    ) -> Result<BucketId> {
        match meant {
            BucketRef::Id(id) => Ok(*id),
            BucketRef::Name(name) => Ok(self.bucket_named(name, region, true).await?.id),
        }
    }

    /// The id of the bucket of nobody that is meant (operators).
    pub(crate) async fn stray_bucket(
        &self,
        meant: &BucketRef,
        region: Option<&RegionName>,
    ) -> Result<BucketId> {
        let name = match meant {
            BucketRef::Id(id) => return Ok(*id),
            BucketRef::Name(name) => name,
        };
        let region = region.or(self.config.region.as_ref());
        let filters = [("region", region.map(RegionName::as_str))];
        let strays = self.api.list::<StrayPage>("/strays", &filters).await?;
        let called = |stray: &Stray| stray.name.as_deref() == Some(name.as_str());
        let found = strays.into_iter().filter(called).filter_map(|stray| {
            let bucket = stray.bucket?;
            Some((stray.region, bucket))
        });
        only(Thing::Stray, name, found.collect())
    }

    async fn bucket_named(
        &self,
        name: &BucketName,
        region: Option<&RegionName>,
        everyones: bool,
    ) -> Result<Bucket> {
        let region = region.or(self.config.region.as_ref());
        let filters = [
            ("name", Some(name.as_str())),
            ("region", region.map(RegionName::as_str)),
            ("everyones", everyones.then_some("true")),
        ];
        let mut found = self.api.list::<BucketPage>("/buckets", &filters).await?;
        found.retain(|bucket| bucket.name.as_ref() == Some(name) || bucket.aliases.contains(name));
        match region {
            Some(region) if found.is_empty() => Err(no_bucket(name, Some(region))),
            Some(_) | None => {
                let found = found.into_iter();
                let found = found.map(|bucket| (bucket.region.clone(), bucket));
                only(Thing::Bucket, name, found.collect())
            }
        }
    }

    /// The key that is meant.
    pub(crate) async fn key(&self, meant: &KeyRef, region: Option<&RegionName>) -> Result<Key> {
        let label = match meant {
            KeyRef::Id(id) => {
                let key = self.api.get(&format!("/keys/{id}")).await;
                return key.map_err(Thing::Key.named(id));
            }
            KeyRef::Label(label) => label,
        };
        let mut found = self.keys(region).await?;
        found.retain(|key| key.label == *label);
        match (found.pop(), found.is_empty()) {
            (Some(key), true) => Ok(key),
            (None, _) => Err(Thing::Key.missing(label)),
            (Some(last), false) => {
                found.push(last);
                let ids: Vec<_> = found.iter().map(|key| key.id.as_str()).collect();
                Err(usage(format!(
                    "More than one key is called {label}: {}. Name one by its id.",
                    ids.join(", ")
                )))
            }
        }
    }

    /// All keys, or a region's.
    pub(crate) async fn keys(&self, region: Option<&RegionName>) -> Result<Vec<Key>> {
        let region = region.or(self.config.region.as_ref());
        let filters = [("region", region.map(RegionName::as_str))];
        Ok(self.api.list::<KeyPage>("/keys", &filters).await?)
    }

    /// Prints `value` as JSON when that was asked for, else what `people` prints.
    pub(crate) fn show<T: serde::Serialize>(
        &self,
        value: &T,
        people: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if self.json {
            output::json(value)
        } else {
            people()
        }
    }
}

/// The only one of the buckets called `name`, each with its region; an error when there is none, or
/// more than one.
fn only<T>(thing: Thing, name: &BucketName, mut found: Vec<(RegionName, T)>) -> Result<T> {
    match (found.pop(), found.is_empty()) {
        (Some((_, one)), true) => Ok(one),
        (None, _) => Err(thing.missing(name)),
        (Some(last), false) => {
            found.push(last);
            let regions: Vec<_> = found.iter().map(|found| found.0.as_str()).collect();
            Err(usage(format!(
                "There is a bucket {name} in more than one region: {}. Name one, as in: --region {}",
                regions.join(", "),
                regions.first().unwrap_or(&"NAME")
            )))
        }
    }
}

/// The trust bundle that was verified last, kept beside the configuration.
pub(crate) fn kept_trust(dir: &Path) -> Result<Option<TrustBundle>> {
    let bytes = files::read_if_there(&dir.join(TRUST_FILE))?;
    // One that cannot be read is as none: it is only ever compared, and verified before.
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// A bucket on the command line: its name, or its id in 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BucketRef {
    /// Its id.
    Id(BucketId),
    /// Its name.
    Name(BucketName),
}

impl FromStr for BucketRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse()
            .map(Self::Name)
            .map_err(|error| format!("{error}, or a bucket id of 64 lower-case hex digits"))
    }
}

/// A key on the command line: its id, or its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyRef {
    /// Its id.
    Id(AccessKeyId),
    /// Its label.
    Label(KeyLabel),
}

impl FromStr for KeyRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse()
            .map(Self::Label)
            .map_err(|error| format!("{error}, or a key id: GK and 24 lower-case hex digits"))
    }
}
