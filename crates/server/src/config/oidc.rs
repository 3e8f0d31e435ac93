//! `[[oidc]]`: companies whose people sign in at a provider of the company's own.

use std::{
    collections::{BTreeMap, HashSet},
    num::NonZeroU32,
    path::PathBuf,
};

use anyhow::{Context as _, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use storm_protocol::{api::Role, ident::AccountId};

use super::PublicUrl;
use crate::keys::read_secret;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 32;
/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 64;

/// One company's provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its name in addresses: small letters, digits and dashes.
    pub name: String,
    /// What the button says that leads to it.
    pub title: String,
    /// Its issuer, to the letter as it says itself.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// A file (mode 0600) with the client's secret; without one the client is a public one.
    pub client_secret_file: Option<PathBuf>,
    /// The domains of e-mail addresses that are the company's.
    pub domains: Vec<String>,
    /// The account that its people are in.
    pub account: AccountId,
    /// What is asked for beside `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim of the ID token that says a person's groups.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
    /// The role of whoever is in none of the groups; without one they do not get in.
    pub default_role: Option<Role>,
    /// Roles by group; of several the highest counts.
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    /// Hours that a session lasts at most: then the provider says again who somebody is, and in which groups.
    #[serde(default = "default_session_hours")]
    pub session_hours: NonZeroU32,
    /// Days that its people's API tokens work after its last word on them. They rest then until the next one.
    #[serde(default = "default_token_days")]
    pub token_days: NonZeroU32,
}

fn default_session_hours() -> NonZeroU32 {
    const HOURS: NonZeroU32 = NonZeroU32::new(12).unwrap();
    HOURS
}

fn default_token_days() -> NonZeroU32 {
    const DAYS: NonZeroU32 = NonZeroU32::new(30).unwrap();
    DAYS
}

fn default_scopes() -> Vec<String> {
    vec!["email".to_owned()]
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

impl Oidc {
    /// The client's secret, if there is one.
    pub(crate) fn secret(&self) -> anyhow::Result<Option<SecretString>> {
        let Some(file) = &self.client_secret_file else {
            return Ok(None);
        };
        let text = read_secret(file).context("[[oidc]] client_secret_file")?;
        let secret = text.expose_secret().trim_end_matches(['\r', '\n']);
        Ok(Some(SecretString::from(secret)))
    }

    /// The role of whoever is in these groups; none: they are not let in.
    pub(crate) fn role_of(&self, groups: &[String]) -> Option<Role> {
        let named = groups.iter().filter_map(|group| self.roles.get(group));
        named.max().copied().or(self.default_role)
    }

    /// Seconds that a session lasts at most.
    pub(crate) fn session_seconds(&self) -> i64 {
        i64::from(self.session_hours.get()) * 3600
    }

    /// Seconds that its word counts for its people's API tokens.
    pub(crate) fn token_seconds(&self) -> i64 {
        i64::from(self.token_days.get()) * 86_400
    }

    /// Whether an e-mail address, in lower case, is the company's.
    pub(crate) fn has_domain_of(&self, email: &str) -> bool {
        let parts = email.rsplit_once('@');
        parts.is_some_and(|(local, domain)| {
            !local.contains('@') && self.domains.iter().any(|own| own == domain)
        })
    }

    /// Whether it is on this machine, over plain HTTP.
    pub(crate) fn is_plain(&self) -> bool {
        self.issuer.starts_with("http://")
    }

    fn check(&self) -> anyhow::Result<()> {
        let Self { name, issuer, .. } = self;
        let is_slug = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_slug),
            "[[oidc]] name \"{name}\" is not 1 to {MAX_NAME_BYTES} small letters, digits and dashes"
        );
        let title = self.title.chars().count();
        ensure!(
            (1..=MAX_TITLE_CHARS).contains(&title),
            "[[oidc]] {name}: title has {title} characters; expected 1 to {MAX_TITLE_CHARS}"
        );
        ensure!(
            !self.client_id.is_empty(),
            "[[oidc]] {name}: client_id is empty"
        );
        let origin = issuer.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let url = PublicUrl::parse("[[oidc]] issuer", &origin)?;
        ensure!(
            !issuer.contains(['?', '#']) && issuer.parse::<http::Uri>().is_ok(),
            "[[oidc]] {name}: issuer \"{issuer}\" is not a URL of the form https://HOST[/PATH]"
        );
        ensure!(
            url.scheme == "https" || (url.scheme == "http" && url.is_loopback()),
            "[[oidc]] {name}: issuer \"{issuer}\" has to begin with https://: whoever is on the way could \
             sign in as anybody"
        );
        ensure!(
            !self.domains.is_empty(),
            "[[oidc]] {name}: domains is empty: nobody could sign in"
        );
        for domain in &self.domains {
            let sound =
                domain.contains('.') && domain.bytes().all(|byte| is_slug(byte) || byte == b'.');
            ensure!(
                sound,
                "[[oidc]] {name}: domain \"{domain}\" is not a domain in small letters, as in example.org"
            );
        }
        ensure!(
            self.default_role.is_some() || !self.roles.is_empty(),
            "[[oidc]] {name}: neither default_role nor [oidc.roles] is set: nobody could sign in"
        );
        Ok(())
    }
}

/// Checks each provider, and that no two have a name or a domain in common.
pub(super) fn check(providers: &[Oidc]) -> anyhow::Result<()> {
    let (mut names, mut domains) = (HashSet::new(), HashSet::new());
    for provider in providers {
        provider.check()?;
        let name = &provider.name;
        ensure!(names.insert(name), "[[oidc]] {name} is there twice");
        for domain in &provider.domains {
            ensure!(
                domains.insert(domain),
                "[[oidc]] {name}: domain \"{domain}\" has a provider already"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use storm_protocol::api::Role;

    use super::super::Config;

    const ACCOUNT: &str = "01900000-0000-7000-8000-000000000000";

    fn with(issuer: &str, domain: &str, more: &str) -> Result<Config, String> {
        let text = format!(
            "data_dir = \"/d\"\n[[oidc]]\nname = \"acme\"\ntitle = \"Acme\"\nissuer = {issuer:?}\n\
             client_id = \"c\"\ndomains = [{domain:?}]\naccount = {ACCOUNT:?}\n{more}"
        );
        Config::parse(&text).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn what_would_let_in_the_wrong_people_is_refused() {
        let role = "default_role = \"viewer\"";
        assert!(with("https://idp.example.org/realms/a", "example.org", role).is_ok());
        assert!(with("http://127.0.0.1:9000", "example.org", role).is_ok());
        let error =
            |issuer: &str, domain: &str, more: &str| with(issuer, domain, more).unwrap_err();
        let plain = error("http://idp.example.org", "example.org", role);
        assert!(plain.contains("https://"), "{plain}");
        for issuer in [
            "idp",
            "https://a@b/c",
            "https://a?b",
            "https://a#b",
            "ftp://a",
        ] {
            assert!(
                error(issuer, "example.org", role).contains("issuer"),
                "{issuer}"
            );
        }
        assert!(error("https://a", "Example.org", role).contains("small letters"));
        assert!(error("https://a", "org", role).contains("small letters"));
        assert!(error("https://a", "example.org", "").contains("default_role"));
        let twice = format!(
            "{role}\n[[oidc]]\nname = \"other\"\ntitle = \"O\"\nissuer = \"https://b\"\nclient_id = \"c\"\n\
             domains = [\"example.org\"]\naccount = {ACCOUNT:?}\n{role}"
        );
        assert!(error("https://a", "example.org", &twice).contains("already"));
        let unknown = error("https://a", "example.org", "client_secret = \"s\"");
        assert!(
            unknown.contains("client_secret") && unknown.contains("line"),
            "{unknown}"
        );
    }

    #[test]
    fn the_highest_of_the_groups_counts_and_only_own_domains() {
        let roles = "[oidc.roles]\nstaff = \"member\"\nboss = \"owner\"";
        let config = with("https://a", "example.org", roles).unwrap();
        let provider = &config.oidc[0];
        let role = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
            provider.role_of(&groups)
        };
        assert_eq!(role(&["boss", "staff"]), Some(Role::Owner));
        assert_eq!(role(&["Staff", "other"]), None);
        assert!(provider.has_domain_of("ann@example.org"));
        for email in [
            "ann@sub.example.org",
            "example.org",
            "a@b@example.org",
            "ann@example.org.",
            "",
        ] {
            assert!(!provider.has_domain_of(email), "{email}");
        }
    }
}
