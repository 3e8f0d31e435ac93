//! The configuration file, read once at start. What is wrong in it is said in one sentence that
//! names the file and the key.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use storm_protocol::api::AccountLimits;
use tracing_subscriber::filter::Targets;

use crate::keys::read_secret;

pub(crate) mod database;
mod oidc;
mod status;

pub use self::{database::Database, oidc::Oidc, status::Status};

/// Where the configuration is looked for when the command line does not say.
pub const DEFAULT_PATH: &str = "/etc/storm-buckets/config.toml";

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Keys, trust document and database live here.
    pub data_dir: PathBuf,
    /// Where accounts, operations and receipts are kept.
    #[serde(default)]
    pub database: Database,
    /// The API and the page.
    #[serde(default)]
    pub web: Web,
    /// The agents' listener.
    #[serde(default)]
    pub hub: Hub,
    /// Health, readiness and figures, for machines.
    #[serde(default)]
    pub status: Status,
    /// What one person, account, token or address may ask for.
    #[serde(default)]
    pub limits: Limits,
    /// Sessions of people who signed in.
    #[serde(default)]
    pub sessions: Sessions,
    /// E-mail.
    #[serde(default)]
    pub mail: Mail,
    /// Companies whose people sign in at a provider of their own.
    #[serde(default)]
    pub oidc: Vec<Oidc>,
    /// The log on standard error.
    #[serde(default)]
    pub log: Log,
    /// The audit trail.
    #[serde(default)]
    pub audit: Audit,
    /// What was asked for.
    #[serde(default)]
    pub operations: Operations,
    /// Accounts.
    #[serde(default)]
    pub accounts: Accounts,
    /// Accounts that people make for themselves.
    #[serde(default)]
    pub sign_up: SignUp,
}

/// Accounts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Days that the buckets of an account that is being closed are kept.
    pub closing_days: u16,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { closing_days: 30 }
    }
}

/// Accounts that people make for themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignUp {
    /// Whether they may.
    pub open: bool,
    /// How many in a day; ten times as many e-mails go out for them.
    pub accounts_a_day: NonZeroU32,
    /// What such an account may have.
    pub limits: Option<AccountLimits>,
}

impl Default for SignUp {
    fn default() -> Self {
        const ACCOUNTS: NonZeroU32 = NonZeroU32::new(100).unwrap();
        Self {
            open: false,
            accounts_a_day: ACCOUNTS,
            limits: None,
        }
    }
}

impl SignUp {
    /// What such an account may have.
    pub(crate) fn limits(&self) -> AccountLimits {
        self.limits.clone().unwrap_or(AccountLimits {
            storage_bytes: None,
            buckets: None,
            keys: None,
        })
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.open && self.limits().storage_bytes.is_none() {
            bail!(
                "[sign_up] open = true lets strangers store all they like: say in [sign_up.limits] \
                 storage_bytes how much that is"
            );
        }
        Ok(())
    }
}

/// The audit trail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Days that its events are kept. Receipts are kept for ever.
    pub keep_days: NonZeroU32,
}

impl Default for Audit {
    fn default() -> Self {
        const DAYS: NonZeroU32 = NonZeroU32::new(400).unwrap();
        Self { keep_days: DAYS }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operations {
    /// Days after its end that an operation goes into the archive, where it can still be read; its
    /// idempotency key is forgotten then.
    pub archive_days: NonZeroU32,
}

impl Default for Operations {
    fn default() -> Self {
        const DAYS: NonZeroU32 = NonZeroU32::new(90).unwrap();
        Self { archive_days: DAYS }
    }
}

/// The API and the page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// How browsers and the CLI reach it; `https` unless it is this machine alone.
    pub public_url: String,
}

/// The agents' listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hub {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// How agents reach it: `https://HOST:PORT`. TLS ends here, never in a proxy.
    pub public_url: String,
}

/// How often a person may ask, whichever sessions and tokens they use; and an account, a token, an address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests in a second, in the long run; four times as many at once.
    pub requests_per_second: NonZeroU32,
    /// Changes among them; five times as many at once.
    pub changes_per_second: NonZeroU32,
    /// Requests in a second of all people of an account together; four times as many at once.
    pub account_requests_per_second: NonZeroU32,
    /// Requests in a second with one API token; four times as many at once. Fewer than a person's, so that a
    /// program that runs wild leaves its maker the dashboard.
    pub token_requests_per_second: NonZeroU32,
    /// Requests in a second from one address, signed in or not; four times as many at once. This machine's
    /// own, as behind a proxy that does not say who asks, are not counted.
    pub address_requests_per_second: NonZeroU32,
}

/// Sessions of people who signed in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    /// Hours that a session lasts unused.
    pub idle_hours: NonZeroU32,
    /// Days that one lasts at most.
    pub longest_days: NonZeroU32,
}

impl Default for Sessions {
    fn default() -> Self {
        const HOURS: NonZeroU32 = NonZeroU32::new(12).unwrap();
        const DAYS: NonZeroU32 = NonZeroU32::new(30).unwrap();
        Self {
            idle_hours: HOURS,
            longest_days: DAYS,
        }
    }
}

/// E-mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// The sender: `Storm Buckets <buckets@example.org>`.
    pub from: String,
    /// The server that takes it; without one each message becomes a file in `mail` under `data_dir`.
    pub smtp: Option<Smtp>,
}

/// A server that takes e-mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port; 465, 587 or 25 by `tls` when absent.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// The user to sign in as.
    pub user: Option<String>,
    /// A file (mode 0600) that holds the password.
    pub password_file: Option<PathBuf>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// TLS from the first byte.
    #[default]
    Implicit,
    /// TLS after STARTTLS, which has to work.
    Starttls,
    /// None; for a server on this machine.
    None,
}

impl Mail {
    /// Where messages go, for a person.
    pub(crate) fn way(&self, config: &Config) -> String {
        match &self.smtp {
            Some(smtp) => smtp.host.clone(),
            None => config.mail_folder().display().to_string(),
        }
    }
}

impl Smtp {
    /// User and password, if there are any.
    pub fn credentials(&self) -> anyhow::Result<Option<(String, SecretString)>> {
        let Some((user, file)) = self.user_and_file()? else {
            return Ok(None);
        };
        let text = read_secret(file).context("[mail.smtp] password_file")?;
        let password = text.expose_secret().trim_end_matches(['\r', '\n']);
        Ok(Some((user.to_owned(), SecretString::from(password))))
    }

    fn user_and_file(&self) -> anyhow::Result<Option<(&str, &Path)>> {
        match (&self.user, &self.password_file) {
            (None, None) => Ok(None),
            (Some(user), Some(file)) => Ok(Some((user, file))),
            (Some(_), None) | (None, Some(_)) => {
                bail!("[mail.smtp] user and password_file go together: give both, or neither")
            }
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.tls == MailTls::None && !is_loopback(&self.host) {
            bail!(
                "[mail.smtp] tls = \"none\" and {} is not this machine: links that sign people in would \
                 cross the network in the clear; use implicit or starttls",
                self.host
            );
        }
        self.user_and_file().map(drop)
    }
}

/// The log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How its lines look.
    pub format: LogFormat,
    /// From which level on, as in `info` or `info,sqlx=warn`.
    pub level: LogLevel,
}

/// From which level on there are lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct LogLevel(pub String);

impl Default for LogLevel {
    fn default() -> Self {
        Self("info,sqlx=warn".to_owned())
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
        }
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            public_url: "https://127.0.0.1:8443".to_owned(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "Storm Buckets <storm-buckets@localhost>".to_owned(),
            smtp: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const REQUESTS: NonZeroU32 = NonZeroU32::new(50).unwrap();
        const CHANGES: NonZeroU32 = NonZeroU32::new(10).unwrap();
        const ACCOUNT: NonZeroU32 = NonZeroU32::new(200).unwrap();
        const TOKEN: NonZeroU32 = NonZeroU32::new(40).unwrap();
        const ADDRESS: NonZeroU32 = NonZeroU32::new(200).unwrap();
        Self {
            requests_per_second: REQUESTS,
            changes_per_second: CHANGES,
            account_requests_per_second: ACCOUNT,
            token_requests_per_second: TOKEN,
            address_requests_per_second: ADDRESS,
        }
    }
}

impl Config {
    /// Reads and checks `file`.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "the configuration {} cannot be read; name one with --config",
                file.display()
            )
        })?;
        Self::parse(&text).with_context(|| format!("in {}", file.display()))
    }

    /// Reads and checks a configuration's text.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            anyhow::anyhow!("line {line}: {}", error.message().trim().replace('\n', " "))
        })?;
        config.check()?;
        for url in [&mut config.web.public_url, &mut config.hub.public_url] {
            url.truncate(url.trim_end_matches('/').len());
        }
        Ok(config)
    }

    /// Where e-mail goes when no server takes it.
    pub(crate) fn mail_folder(&self) -> PathBuf {
        self.data_dir.join("mail")
    }

    fn check(&self) -> anyhow::Result<()> {
        self.database.check()?;
        if let Err(error) = self.mail.from.parse::<lettre::message::Mailbox>() {
            bail!(
                "[mail] from \"{}\" is not an e-mail address ({error})",
                self.mail.from
            );
        }
        self.sign_up.check()?;
        if let Some(smtp) = &self.mail.smtp {
            smtp.check()?;
        }
        oidc::check(&self.oidc)?;
        if let Err(error) = self.log.level.0.parse::<Targets>() {
            bail!(
                "[log] level = \"{}\" is no level such as info or debug ({error})",
                self.log.level.0
            );
        }
        if !self.data_dir.is_absolute() {
            bail!(
                "data_dir = \"{}\" is not an absolute path; write it from the root",
                self.data_dir.display()
            );
        }
        let web = PublicUrl::parse("[web] public_url", &self.web.public_url)?;
        if !matches!(web.scheme, "http" | "https") {
            bail!(
                "[web] public_url \"{}\" has to begin with https://",
                self.web.public_url
            );
        }
        if web.scheme == "http" && !web.is_loopback() {
            bail!(
                "[web] public_url \"{}\" is plain http and not this machine: passwords and one-time \
                 keys would cross the network in the clear, and browsers refuse to open secrets there; \
                 put a TLS proxy in front and write https://",
                self.web.public_url
            );
        }
        let hub = PublicUrl::parse("[hub] public_url", &self.hub.public_url)?;
        if !matches!(hub.scheme, "https" | "wss") {
            bail!(
                "[hub] public_url \"{}\" has to begin with https://",
                self.hub.public_url
            );
        }
        Ok(())
    }
}

/// What matters of a URL in the configuration: no path, no query, no user.
struct PublicUrl<'a> {
    scheme: &'a str,
    host: &'a str,
}

impl<'a> PublicUrl<'a> {
    fn parse(key: &'static str, text: &'a str) -> anyhow::Result<Self> {
        let wrong =
            || anyhow::anyhow!("{key} \"{text}\" is not a URL of the form https://HOST[:PORT]");
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let authority: http::uri::Authority =
            rest.trim_end_matches('/').parse().map_err(|_| wrong())?;
        if rest.contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        let length = authority.host().len();
        Ok(Self {
            scheme,
            host: &rest[..length],
        })
    }

    fn is_loopback(&self) -> bool {
        is_loopback(self.host)
    }
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Config;
    use crate::store::Place;

    fn error(text: &str) -> String {
        format!("{:#}", Config::parse(text).unwrap_err())
    }

    #[test]
    fn defaults_are_this_machine_alone() {
        let config = Config::parse("data_dir = \"/var/lib/storm-buckets\"").unwrap();
        assert_eq!(config.web.listen.to_string(), "127.0.0.1:8080");
        let place = config.place().unwrap();
        assert!(
            matches!(place, Place::File(file) if file == Path::new("/var/lib/storm-buckets/storm.db"))
        );
    }

    #[test]
    fn a_trailing_slash_is_dropped() {
        let config =
            Config::parse("data_dir = \"/d\"\n[web]\npublic_url = \"https://buckets.example/\"")
                .unwrap();
        assert_eq!(config.web.public_url, "https://buckets.example");
    }

    #[test]
    fn wrong_keys_are_named_with_their_line() {
        let words = error("data_dir = \"/d\"\n[web]\nlisten_on = \"x\"");
        assert!(
            words.contains("line 3") && words.contains("listen_on"),
            "{words}"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for host in ["127.0.0.1:8080", "localhost", "[::1]:80"] {
            let text = format!("data_dir = \"/d\"\n[web]\npublic_url = \"http://{host}\"");
            assert!(Config::parse(&text).is_ok(), "{host}");
        }
        for host in ["buckets.example", "10.0.0.1:8080", "localhost.example"] {
            let text = format!("data_dir = \"/d\"\n[web]\npublic_url = \"http://{host}\"");
            assert!(error(&text).contains("plain http"), "{host}");
        }
    }

    #[test]
    fn links_that_sign_people_in_do_not_cross_a_network_in_the_clear() {
        let smtp = |more: &str| format!("data_dir = \"/d\"\n[mail.smtp]\nhost = {more}");
        assert!(Config::parse(&smtp("\"localhost\"\ntls = \"none\"")).is_ok());
        assert!(Config::parse(&smtp("\"mail.example.org\"")).is_ok());
        let open = smtp("\"mail.example.org\"\ntls = \"none\"");
        assert!(error(&open).contains("in the clear"));
        let half = smtp("\"mail.example.org\"\nuser = \"u\"");
        assert!(error(&half).contains("go together"));
        let from = "data_dir = \"/d\"\n[mail]\nfrom = \"nobody\"";
        assert!(error(from).contains("[mail] from"));
    }

    #[test]
    fn a_relative_data_dir_and_a_plain_hub_are_refused() {
        assert!(error("data_dir = \"d\"").contains("absolute"));
        let plain = "data_dir = \"/d\"\n[hub]\npublic_url = \"http://127.0.0.1:1\"";
        assert!(error(plain).contains("https://"));
        let user = "data_dir = \"/d\"\n[hub]\npublic_url = \"https://a@b\"";
        assert!(error(user).contains("https://HOST"));
    }
}
