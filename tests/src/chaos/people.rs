//! Who asks: the operator, and customers who were asked in.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{control::Control, stage::Person};
use crate::harness::{api::Api, cli::Cli, mails::link_to, relay::Relay, stack::Stack, wait};

const PASSWORD: &str = "a fine long password";
/// The customers, after the operator's own account.
const CUSTOMERS: &[&str] = &["ann", "ben"];

/// The operator, and the customers with accounts of their own.
pub(super) async fn people(stack: &Stack<Control>, webs: &[Relay]) -> Result<Vec<Person>> {
    let url = stack.server.web_url()?;
    let mut people = vec![person(stack, webs, 0, "operator", &stack.api).await?];
    for name in CUSTOMERS {
        let email = format!("{name}@example.org");
        let request = json!({ "name": name, "owner": email });
        let made = stack.api.post("/accounts", &request).await?;
        ensure!(made.status == 201, "{made:?}");
        made.read::<Value>()?;
        let mails = stack.server.mails();
        let link = wait::until("the e-mail", async || {
            let mut found = mails.iter().map(|mails| link_to(mails, &email));
            found.find_map(Result::transpose).transpose()
        })
        .await?;
        let file = secret_file(
            &stack.directory().join(format!("{name}.password")),
            PASSWORD,
        )?;
        let home = stack.directory().join(name);
        fs::create_dir(&home)?;
        let cli = Cli::new(&home.join("config.toml"), &home);
        let file = file.to_str().context("a path in UTF-8")?;
        cli.text(&["invitation", "accept", &link, "--password-file", file])?;
        let api = Api::sign_in(url, &email, PASSWORD).await?;
        people.push(person(stack, webs, people.len(), name, &api).await?);
    }
    Ok(people)
}

/// Who asks through the relay before one of the webs.
async fn person(
    stack: &Stack<Control>,
    webs: &[Relay],
    number: usize,
    name: &str,
    api: &Api,
) -> Result<Person> {
    let home = stack.directory().join(format!("home-{name}"));
    fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let web = webs.get(number % webs.len().max(1)).context("a web")?;
    Ok(Person {
        account: api.whoami().await?.account,
        api: Api::with_token(&format!("http://{}", web.address), api.token())?,
        cli,
    })
}

fn secret_file(path: &Path, secret: &str) -> Result<PathBuf> {
    fs::write(path, secret)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(path.to_owned())
}
