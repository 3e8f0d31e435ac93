//! People of a company sign in at its own OpenID Connect provider, a real one, through its form.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{ports::free_port, process::Process, server::Server, tool, wait};
use reqwest::{StatusCode, Url, header, redirect::Policy};
use serde_json::{Value, json};

/// Steps between a sign-in's begin and its end, at most.
const MAX_STEPS: usize = 20;

/// A browser's cookies; both servers are on one host, and cookies know no ports.
struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

impl Browser {
    fn new() -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy();
        Ok(Self {
            client: client.build()?,
            cookies: BTreeMap::new(),
        })
    }

    async fn get(&mut self, url: &str) -> Result<Page> {
        let request = self.client.get(url);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Result<Page> {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let answer = request.header(header::COOKIE, cookies).send().await?;
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let pair = set.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie has a name")?;
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = match answer.headers().get(header::LOCATION) {
            Some(location) => Some(answer.url().join(location.to_str()?)?.to_string()),
            None => None,
        };
        Ok(Page {
            status: answer.status(),
            location,
            text: answer.text().await?,
        })
    }

    /// Goes through the provider's forms as `login`; gives the address that it sends back to.
    async fn through_provider(&mut self, server: &Server, login: &str) -> Result<String> {
        let start = format!("{}/api/v1/oidc/acme/start", server.web_url);
        let back = format!("{}/api/v1/oidc/acme/callback", server.web_url);
        let mut page = self.get(&start).await?;
        for _ in 0..MAX_STEPS {
            page = match page.location {
                Some(to) if to.starts_with(&back) => return Ok(to),
                Some(to) => self.get(&to).await?,
                None => {
                    let part = |start: &str| {
                        let (_, rest) = page.text.split_once(start)?;
                        rest.split('"').next()
                    };
                    let action = part("action=\"").with_context(|| page.text.clone())?;
                    let prompt = part("name=\"prompt\" value=\"").context("a form has a prompt")?;
                    let form = format!("prompt={prompt}&login={login}&password=any");
                    let request = self
                        .client
                        .post(action)
                        .body(form)
                        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                    self.send(request).await?
                }
            };
        }
        bail!("the provider does not come to an end: {}", page.text)
    }
}

/// A control plane, and the provider of its operator's account.
struct Company {
    server: Server,
    provider: Process,
    people: PathBuf,
    _directory: tempfile::TempDir,
}

impl Company {
    async fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut server = Server::prepare(&directory.path().join("server"))?;
        server.start().await?;
        let account = server.api().await?.whoami().await?.account;
        server.stop().await?;
        let people = directory.path().join("people.json");
        fs::write(&people, "{}")?;
        let port = free_port()?;
        let issuer = format!("http://127.0.0.1:{port}");
        let secret = directory.path().join("secret");
        fs::write(&secret, "a secret of the client\n")?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        let company = format!(
            "[[oidc]]\nname = \"acme\"\ntitle = \"Acme\"\nissuer = {issuer:?}\nclient_id = \"storm\"\n\
             client_secret_file = {secret:?}\ndomains = [\"acme.org\"]\naccount = \"{account}\"\n\
             scopes = [\"email\", \"groups\"]\n[oidc.roles]\nstaff = \"member\"\nadmins = \"admin\"\n"
        );
        let text = fs::read_to_string(&server.config)? + &company;
        fs::write(&server.config, text)?;
        let provider = start_provider(directory.path(), port, &people, &server).await?;
        server.start().await?;
        Ok(Self {
            server,
            provider,
            people,
            _directory: directory,
        })
    }

    fn set(&self, email: &str, verified: bool, groups: &[&str]) -> Result<()> {
        let claims = json!({"email": email, "email_verified": verified, "groups": groups});
        Ok(fs::write(&self.people, json!({"ann": claims}).to_string())?)
    }

    /// Ann signs in with a new browser.
    async fn sign_in(&self) -> Result<(Browser, Page)> {
        let mut browser = Browser::new()?;
        let back = browser.through_provider(&self.server, "ann").await?;
        let page = browser.get(&back).await?;
        Ok((browser, page))
    }

    async fn whoami(&self, browser: &mut Browser) -> Result<Value> {
        let page = browser
            .get(&format!("{}/api/v1/whoami", self.server.web_url))
            .await?;
        Ok(serde_json::from_str(&page.text)?)
    }
}

async fn start_provider(
    directory: &Path,
    port: u16,
    people: &Path,
    server: &Server,
) -> Result<Process> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc");
    ensure!(
        folder.join("node_modules").is_dir(),
        "{} has no packages; `cargo xtask test` installs them",
        folder.display()
    );
    let mut command = Command::new(tool("node")?);
    command
        .arg(folder.join("provider.mjs"))
        .arg(port.to_string());
    command
        .arg(people)
        .arg(format!("{}/api/v1/oidc/acme/callback", server.web_url));
    let process = Process::spawn(
        "oidc-provider",
        &mut command,
        &directory.join("provider.log"),
    )?;
    let about = format!("http://127.0.0.1:{port}/.well-known/openid-configuration");
    wait::until("the provider", async || {
        Ok(reqwest::get(&about)
            .await
            .is_ok_and(|answer| answer.status().is_success())
            .then_some(()))
    })
    .await?;
    Ok(process)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_company_sign_in_at_its_provider() -> Result<()> {
    let mut company = Company::new().await?;
    let check = company.server.run(&["config", "check", "--online"])?;
    let said = String::from_utf8(check.stdout)?;
    ensure!(check.status.success() && said.contains("answers"), "{said}");

    // In the account, in the role of the groups, which counts anew the next time.
    for (group, role) in [("staff", "member"), ("admins", "admin")] {
        company.set("ann@acme.org", true, &[group])?;
        let (mut browser, page) = company.sign_in().await?;
        ensure!(page.status == StatusCode::OK, "{}", page.text);
        let me = company.whoami(&mut browser).await?;
        ensure!(me["email"] == "ann@acme.org" && me["role"] == role, "{me}");
    }
    for (email, verified, groups, word) in [
        ("ann@elsewhere.org", true, ["staff"], "no domain"),
        ("ann@acme.org", false, ["staff"], "does not say"),
        ("ann@acme.org", true, ["others"], "None of your groups"),
    ] {
        company.set(email, verified, &groups)?;
        let (mut browser, page) = company.sign_in().await?;
        ensure!(page.status == StatusCode::FORBIDDEN, "{}", page.text);
        ensure!(page.text.contains(word), "{}", page.text);
        let me = company.whoami(&mut browser).await?;
        ensure!(me["error"]["code"] == "not_signed_in", "{me}");
    }
    company.set("ann@acme.org", true, &["staff"])?;
    attacks(&company).await?;

    // Without its provider a company gets a clear page, and everybody else all they had.
    company.provider.kill()?;
    company.server.stop().await?;
    company.server.start().await?;
    let start = format!("{}/api/v1/oidc/acme/start", company.server.web_url);
    let page = Browser::new()?.get(&start).await?;
    ensure!(page.status == StatusCode::BAD_GATEWAY, "{}", page.text);
    ensure!(page.text.contains("cannot be reached"), "{}", page.text);
    company.server.api().await?.whoami().await?;
    let check = company.server.run(&["config", "check", "--online"])?;
    ensure!(!check.status.success(), "the provider is gone");
    Ok(())
}

/// What a browser comes back with is changed, comes twice, or comes to another browser.
async fn attacks(company: &Company) -> Result<()> {
    let mut browser = Browser::new()?;
    let back = browser.through_provider(&company.server, "ann").await?;
    let mut stranger = Browser::new()?;
    let page = stranger.get(&back).await?;
    ensure!(page.status == StatusCode::BAD_REQUEST, "{}", page.text);
    let page = browser.get(&with(&back, "state", "x")?).await?;
    ensure!(page.status == StatusCode::BAD_REQUEST, "{}", page.text);
    let page = browser.get(&back).await?;
    ensure!(page.status == StatusCode::OK, "{}", page.text);
    let page = browser.get(&back).await?;
    ensure!(page.status == StatusCode::BAD_REQUEST, "{}", page.text);

    let mut browser = Browser::new()?;
    let back = browser.through_provider(&company.server, "ann").await?;
    let page = browser.get(&with(&back, "code", "made-up")?).await?;
    ensure!(page.status == StatusCode::FORBIDDEN, "{}", page.text);

    // A code of somebody else's sign-in: proof key and nonce are not this one's.
    let (mut one, mut other) = (Browser::new()?, Browser::new()?);
    let theirs = one.through_provider(&company.server, "ann").await?;
    let own = other.through_provider(&company.server, "ann").await?;
    let code = Url::parse(&theirs)?;
    let code = code
        .query_pairs()
        .find(|(name, _)| name == "code")
        .context("a code")?
        .1
        .into_owned();
    let page = other.get(&with(&own, "code", &code)?).await?;
    ensure!(page.status == StatusCode::FORBIDDEN, "{}", page.text);
    Ok(())
}

/// An address with another value for a parameter.
fn with(url: &str, name: &str, value: &str) -> Result<String> {
    let mut url = Url::parse(url)?;
    let old: Vec<_> = url.query_pairs().into_owned().collect();
    let new = old.into_iter().map(|(key, was)| {
        let is = if key == name { value.to_owned() } else { was };
        (key, is)
    });
    let new: Vec<_> = new.collect();
    url.query_pairs_mut().clear().extend_pairs(new);
    Ok(url.into())
}
