//! The configuration file. Each member is documented in packaging/storm-pulse.toml.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use storm_protocol::command::Row;

use crate::{
    channel::HubAddress,
    exit::{Code, OrStop as _, Stop, stop},
    files,
    garage::Endpoint,
    s3::S3,
};

/// Where the configuration lies unless `--config` says otherwise.
pub(crate) const DEFAULT_PATH: &str = "/etc/storm-pulse/config.toml";
/// The largest configuration file, in bytes.
const MAX_CONFIG_BYTES: usize = 64 * 1024;
/// The most hubs that the configuration may name.
const MAX_HUBS: usize = 16;
const METRICS_PATH: &str = "/metrics";
/// The commands that speak S3.
const S3_COMMANDS: [&str; 2] = ["bucket.clear", "bucket.measure_prefix"];
/// Jobs that run at the same time unless the configuration says otherwise.
const DEFAULT_JOBS: usize = 4;
/// The most jobs that the configuration may let run at the same time.
const MAX_JOBS: usize = 32;

/// The agent's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Keys, journal, receipts, spool: 0700.
    pub state_dir: PathBuf,
    /// The hubs that the agent may connect to, `https://HOST:PORT` each; without them the one that it was
    /// enrolled at.
    #[serde(default)]
    pub hub_urls: Vec<String>,
    /// The Garage of this node.
    pub garage: Garage,
    /// What the agent may be asked to do.
    #[serde(default)]
    pub commands: Commands,
    /// Long work.
    #[serde(default)]
    pub jobs: Jobs,
    /// The log of the running agent, on standard error.
    #[serde(default)]
    pub log: Log,
    /// The proxy's log from which requests are counted; without it none are.
    pub traffic: Option<TrafficConfig>,
}

/// How to reach Garage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Garage {
    /// The admin API: `unix:/path` or `http://host:port`.
    pub admin: String,
    /// Where the admin token lies; `garage-token` in the state directory by default.
    pub token_file: Option<PathBuf>,
    /// Garage's own configuration, read by `garage` alone, to make the token.
    #[serde(default = "default_garage_config")]
    pub config: PathBuf,
    /// The program, to make the token.
    #[serde(default = "default_garage_binary")]
    pub binary: PathBuf,
    /// Where metrics are, when not at `/metrics` of the admin API.
    pub metrics_url: Option<String>,
    /// Where S3 is, for the commands that need it: `http://host:port`. Without it they are off.
    pub s3: Option<String>,
    /// The name of the S3 region, as Garage's configuration has it.
    #[serde(default = "default_s3_region")]
    pub s3_region: String,
}

/// Restrictions of the whitelist.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    /// Commands that this agent refuses.
    #[serde(default)]
    pub disabled: Vec<String>,
}

/// The log of the running agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// How its lines look.
    pub format: LogForm,
    /// From which level on there are lines; `info` when absent. `STORM_LOG` counts before it.
    pub level: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogForm {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Long work: commands that tell how far they are and can be cancelled.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jobs {
    /// How many run at the same time; 1 to [`MAX_JOBS`].
    #[serde(default = "default_max_running")]
    pub max_running: usize,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            max_running: DEFAULT_JOBS,
        }
    }
}

/// The access log of the reverse proxy before Garage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrafficConfig {
    /// The file.
    pub log: PathBuf,
    /// How it is written.
    pub format: LogFormat,
    /// Hosts that speak S3: buckets are in the path, or before the host.
    #[serde(default)]
    pub s3_hosts: Vec<String>,
    /// Hosts below which websites are shown.
    #[serde(default)]
    pub website_hosts: Vec<String>,
}

/// Whose format a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Caddy's JSON.
    Caddy,
    /// nginx's `combined` with the host before it.
    Nginx,
}

impl TrafficConfig {
    fn check(&self) -> Result<(), String> {
        if !self.log.is_absolute() || self.log.file_name().is_none() {
            return Err("traffic.log must be the absolute path of a file".to_owned());
        }
        if self.s3_hosts.is_empty() && self.website_hosts.is_empty() {
            return Err(
                "traffic.s3_hosts names no host: expected those under which customers reach S3, \
                 such as [\"s3.example.org\"]"
                    .to_owned(),
            );
        }
        for (place, hosts) in [
            ("s3_hosts", &self.s3_hosts),
            ("website_hosts", &self.website_hosts),
        ] {
            // One with a slip in it would count nothing and say nothing.
            if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
                return Err(format!(
                    "traffic.{place} names '{host}': expected a host without scheme, port, path or \
                     leading dot, in lower case, such as s3.example.org"
                ));
            }
        }
        Ok(())
    }
}

fn is_host(text: &str) -> bool {
    let address = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    text.bytes().all(plain) && edge(text.bytes().next()) && edge(text.bytes().next_back())
}

impl Config {
    /// Reads and checks the configuration.
    pub(crate) fn load(path: &Path) -> Result<Self, Stop> {
        let read = files::read_public(path, MAX_CONFIG_BYTES);
        let named =
            read.context("there is no configuration to be read; name yours with --config FILE");
        let bytes = named.or_stop(Code::Usage)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return stop(Code::Usage, format!("{} is not UTF-8 text", path.display()));
        };
        match Self::parse(&text) {
            Ok(config) => Ok(config),
            Err(message) => stop(Code::Usage, format!("{}: {message}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or(text);
                before.matches('\n').count() + 1
            });
            let message = error.message().replace('\n', " ");
            match line {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Where the Garage token lies.
    pub(crate) fn token_file(&self) -> PathBuf {
        let default = || self.state_dir.join("garage-token");
        self.garage.token_file.clone().unwrap_or_else(default)
    }

    /// The commands that this agent does not offer: those that are switched off, and those that need
    /// an S3 of which it is told nothing.
    pub(crate) fn not_offered(&self) -> Vec<String> {
        let mut names = self.commands.disabled.clone();
        if self.garage.s3.is_none() {
            names.extend(S3_COMMANDS.map(str::to_owned));
            names.sort_unstable();
            names.dedup();
        }
        names
    }

    /// S3 on this node, when it is named.
    pub(crate) fn s3(&self) -> Result<Option<S3>, String> {
        let Some(endpoint) = &self.garage.s3 else {
            return Ok(None);
        };
        let s3 = S3::new(endpoint, &self.garage.s3_region);
        s3.map(Some).map_err(|error| format!("garage.s3: {error}"))
    }

    /// The hubs that are named.
    pub(crate) fn hubs(&self) -> Result<Vec<HubAddress>, String> {
        if self.hub_urls.len() > MAX_HUBS {
            return Err(format!(
                "hub_urls names {} hubs: expected {MAX_HUBS} at most",
                self.hub_urls.len()
            ));
        }
        let named = |error| format!("hub_urls: {error}");
        let parse = |url: &String| HubAddress::parse(url).map_err(named);
        self.hub_urls.iter().map(parse).collect()
    }

    /// Where the admin API listens.
    pub(crate) fn admin(&self) -> Result<Endpoint, String> {
        let named = |error| format!("garage.admin: {error}");
        self.garage.admin.parse().map_err(named)
    }

    /// Where metrics are read.
    pub(crate) fn metrics(&self) -> Result<Endpoint, String> {
        let Some(url) = &self.garage.metrics_url else {
            return self.admin();
        };
        let address = url.strip_suffix(METRICS_PATH).unwrap_or(url);
        match address.parse() {
            Ok(endpoint @ Endpoint::Tcp(_)) => Ok(endpoint),
            Ok(Endpoint::Unix(_)) | Err(_) => Err(format!(
                "garage.metrics_url is '{url}': expected http://127.0.0.1:3903/metrics"
            )),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.state_dir.is_absolute() {
            return Err("state_dir must be an absolute path".to_owned());
        }
        self.hubs()?;
        self.admin()?;
        self.metrics()?;
        self.s3()?;
        if !(1..=MAX_JOBS).contains(&self.jobs.max_running) {
            return Err(format!(
                "jobs.max_running is {}: expected 1 to {MAX_JOBS}",
                self.jobs.max_running
            ));
        }
        self.traffic.as_ref().map_or(Ok(()), TrafficConfig::check)?;
        for name in &self.commands.disabled {
            // A name with a slip in it would leave the command switched on.
            if Row::find(name).is_none() {
                return Err(format!(
                    "commands.disabled names '{name}', which is no command: `storm-pulse commands` \
                     lists them"
                ));
            }
        }
        Ok(())
    }
}

fn default_garage_config() -> PathBuf {
    "/etc/garage.toml".into()
}

fn default_s3_region() -> String {
    "garage".to_owned()
}

const fn default_max_running() -> usize {
    DEFAULT_JOBS
}

fn default_garage_binary() -> PathBuf {
    "garage".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        Config::parse(text).expect_err("it must be refused")
    }

    #[test]
    fn a_small_configuration_is_enough() {
        let config = Config::parse(
            "state_dir = '/var/lib/storm-pulse'\n[garage]\nadmin = 'unix:/run/garage/admin.sock'\n",
        )
        .expect("sound");
        let token = Path::new("/var/lib/storm-pulse/garage-token");
        assert_eq!(config.token_file(), token);
        assert_eq!(config.garage.binary, Path::new("garage"));
    }

    #[test]
    fn each_slip_is_named_with_its_line() {
        let text = "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\ntokenfile = '/t'\n";
        let message = error_of(text);
        assert!(message.starts_with("line 4: "), "{message}");
        assert!(message.contains("tokenfile"), "{message}");
        assert!(error_of("state_dir = '/s'\n").contains("garage"));
        assert!(error_of("state_dir = 's'\n[garage]\nadmin = 'unix:/a'").contains("absolute"));
    }

    #[test]
    fn addresses_are_checked() {
        for admin in ["/run/a.sock", "unix:a.sock", "https://a:1", "http://a", ""] {
            let text = format!("state_dir = '/s'\n[garage]\nadmin = '{admin}'");
            assert!(error_of(&text).contains("garage.admin"), "{admin}");
        }
        let text = "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\nmetrics_url = 'unix:/a'";
        assert!(error_of(text).contains("metrics_url"));
    }

    #[test]
    fn without_s3_its_commands_are_not_offered() {
        let with = |rest: &str| {
            let text = format!("state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\n{rest}");
            Config::parse(&text)
        };
        let off = "[commands]\ndisabled = ['key.delete', 'bucket.clear']";
        let names = with(off).expect("sound").not_offered();
        assert_eq!(
            names,
            ["bucket.clear", "bucket.measure_prefix", "key.delete"]
        );
        for name in S3_COMMANDS {
            assert!(Row::find(name).is_some_and(|row| row.job), "{name}");
        }
        let config = with("s3 = 'http://127.0.0.1:3900'\n[jobs]\nmax_running = 1").expect("sound");
        assert!(config.not_offered().is_empty() && config.s3().is_ok_and(|s3| s3.is_some()));
        assert_eq!(config.jobs.max_running, 1);
        for (wrong, word) in [
            ("s3 = 'https://127.0.0.1:3900'", "garage.s3: "),
            ("s3 = 'http://127.0.0.1:3900/bucket'", "garage.s3: "),
            ("[jobs]\nmax_running = 0", "jobs.max_running is 0"),
            ("[jobs]\nmax_running = 33", "1 to 32"),
            ("[jobs]\nrunning = 3", "line 5: "),
        ] {
            let error = with(wrong).expect_err(wrong);
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_log_has_a_format_and_hosts_that_can_be_met() {
        let with = |traffic: &str| {
            format!("state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\n[traffic]\n{traffic}")
        };
        let sound = "log = '/l/s3.json'\nformat = 'caddy'\ns3_hosts = ['s3.example.org', '[::1]']";
        let config = Config::parse(&with(sound)).expect("sound");
        let traffic = config.traffic.expect("configured");
        assert_eq!(traffic.format, LogFormat::Caddy);
        for (slip, named) in [
            (sound.replace("caddy", "apache"), "apache"),
            (sound.replace("/l/", "l/"), "traffic.log"),
            (
                sound.replace("'s3.example.org', '[::1]'", ""),
                "traffic.s3_hosts",
            ),
            (
                sound.replace("s3.example.org", "https://s3.example.org"),
                "traffic.s3_hosts",
            ),
            (
                sound.replace("s3.example.org", "s3.example.org:443"),
                "traffic.s3_hosts",
            ),
            (
                sound.replace("s3.example.org", ".s3.example.org"),
                "traffic.s3_hosts",
            ),
            (
                sound.replace("s3.example.org", "S3.example.org"),
                "traffic.s3_hosts",
            ),
            (
                format!("{sound}\nwebsite_hosts = ['*.web']"),
                "traffic.website_hosts",
            ),
            (format!("{sound}\nhosts = []"), "hosts"),
        ] {
            let message = error_of(&with(&slip));
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn hubs_are_a_short_list_of_addresses() {
        let with = |urls: &str| {
            let text = format!("state_dir = '/s'\nhub_urls = {urls}\n[garage]\nadmin = 'unix:/a'");
            Config::parse(&text)
        };
        let two = "['https://a.example.org:8443', 'https://[::1]:8443']";
        let hubs = with(two).expect("sound").hubs().expect("sound");
        assert_eq!(hubs.len(), 2);
        assert_eq!(hubs[1].to_string(), "https://[::1]:8443");
        let many = format!("[{}]", "'https://a',".repeat(MAX_HUBS + 1));
        for (wrong, word) in [
            ("['http://a:1']", "hub_urls: 'http://a:1'"),
            ("['']", "hub_urls: "),
            (many.as_str(), "hub_urls names 17"),
        ] {
            let error = with(wrong).expect_err(wrong);
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn only_a_real_command_can_be_switched_off() {
        let with = |name: &str| {
            format!(
                "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\n[commands]\ndisabled = ['{name}']"
            )
        };
        assert!(Config::parse(&with("bucket.delete")).is_ok());
        assert!(error_of(&with("bucket.remove")).contains("'bucket.remove'"));
    }
}
