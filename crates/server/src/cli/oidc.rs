//! What `storm-buckets config check` says of companies' providers.

use anyhow::Context as _;

use crate::{config::Config, oidc, output::line};

/// Which there are.
pub(super) fn say(config: &Config) -> anyhow::Result<()> {
    for provider in &config.oidc {
        let name = format!("[[oidc]] {}", provider.name);
        line(format_args!(
            "{name:<36}  {}; {} to account {}",
            provider.issuer,
            provider.domains.join(", "),
            provider.account
        ))?;
    }
    Ok(())
}

/// Whether they answer.
pub(super) async fn check(config: &Config) -> anyhow::Result<()> {
    for provider in &config.oidc {
        let name = format!("[[oidc]] {}", provider.name);
        let checked = oidc::check(provider).await;
        checked.with_context(|| name.clone())?;
        line(format_args!("{name:<36}  answers"))?;
    }
    Ok(())
}
