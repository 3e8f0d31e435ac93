//! `storm login`: this machine gets an API token, approved in a browser, made with a password, or given; and
//! the root key is pinned.

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::Result;
use clap::Args;
use reqwest::{Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use storm_protocol::{
    api::{About, SecondFactor, SecondFactorAsked, TokenCreated, TrustBundle, Whoami},
    ident::{Digest, RegionName},
};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    client::{Api, Call, Credential},
    config::{self, Config, check_url},
    device_login::{self, Wish},
    environment,
    errors::{Exit, fault, usage},
    files, output,
    session::{self, Context},
    token_place,
    verify::{Trust, VerifyError},
};

const MAX_TOKEN_NAME_CHARS: usize = 64;

/// What `storm login` takes; what is missing is asked for on the terminal.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The server, such as https://buckets.example.org
    #[arg(long, value_parser = config::parse_url)]
    url: Option<Url>,
    /// Sign in with e-mail and password here, instead of in a browser
    #[arg(long, conflicts_with = "token")]
    password: bool,
    /// Your e-mail address, to sign in with your password here
    #[arg(long, conflicts_with = "token")]
    email: Option<String>,
    /// A file (mode 0600) that holds the password; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    password_file: Option<PathBuf>,
    /// A code of your authenticator app, or a recovery code, where one is wanted
    #[arg(long, conflicts_with = "token")]
    code: Option<String>,
    /// An API token to use instead of making one; - for standard input [env: STORM_TOKEN]
    #[arg(long)]
    token: Option<String>,
    /// What is asked for when a browser approves
    #[command(flatten)]
    wish: Wish,
    /// Keep the token in the configuration, even where there is a keyring
    #[arg(long)]
    no_keyring: bool,
    /// The root key's digest that you expect; needed to accept another one than before
    #[arg(long, value_name = "DIGEST")]
    root_key: Option<Digest>,
    /// The region to use when none is named
    #[arg(long)]
    region: Option<RegionName>,
}

/// Signs in and keeps the configuration.
pub(crate) async fn run(context: &Context, args: LoginArgs) -> Result<()> {
    // One that others can read, or that is something else, is refused before anything is asked.
    let before = Config::load_if_there(&context.config_path)?;
    let known_url = before.as_ref().map(|config| config.api_url.clone());
    let url = match args.url.or(known_url) {
        Some(url) => url,
        None => config::parse_url(&asked("--url", "Server: ")?)
            .map_err(|expected| usage(format!("That is not an address: {expected}.")))?,
    };
    check_url(&url)?;
    let api = Api::new(url.clone(), Credential::None)?;
    let about: About = api.get("/about").await?;
    let same_server = before.as_ref().filter(|config| config.api_url == url);
    let pinned = args.root_key.or(same_server.map(|config| config.root_key));
    check_root(pinned, about.root_key)?;

    let by_password = args.password || args.email.is_some() || args.password_file.is_some();
    let given = match args.token {
        Some(token) => Some(given_token(token)?),
        None if by_password => None,
        None => environment::token()?,
    };
    let (token, token_id) = match given {
        Some(token) => (token, None),
        None => {
            let made = match by_password {
                true => new_token(&api, args.email, args.password_file, args.code).await?,
                false => device_login::run(&api, &args.wish).await?,
            };
            (SecretString::from(made.secret), Some(made.token.id))
        }
    };
    let api = api.with(Credential::Token(token.clone()));
    let me: Whoami = api.get("/whoami").await?;
    let bundle: TrustBundle = api.get("/trust").await?;
    let root_key = pinned.unwrap_or(about.root_key);
    Trust::open(&bundle, root_key)?;

    let region = args.region.or(before.as_ref().and_then(|config| {
        let same = config.api_url == url;
        same.then(|| config.region.clone()).flatten()
    }));
    let in_keyring = !args.no_keyring && token_place::keep(&context.config_path, &token);
    if !in_keyring && before.is_some_and(|config| config.token_in_keyring) {
        // One that was kept there before is of no use to anybody any more.
        let _ = token_place::forget(&context.config_path);
    }
    let config = Config {
        api_url: url,
        token: (!in_keyring).then_some(token),
        token_in_keyring: in_keyring,
        token_id,
        root_key,
        account: Some(me.account),
        region,
    };
    config.save(&context.config_path)?;
    if context.json {
        return output::json(&json!({
            "email": me.email, "account": me.account, "root_key": root_key,
            "config": context.config_path, "token_in_keyring": in_keyring,
        }));
    }
    output::line(&format!(
        "Signed in as {} to account {}. Token kept in {}.",
        output::clean(&me.email),
        output::clean(&me.account_name),
        if in_keyring {
            "the keyring"
        } else {
            "the configuration"
        }
    ))?;
    output::note(&format!(
        "Configuration: {}\nRoot key pinned: {root_key}",
        context.config_path.display()
    ));
    if pinned.is_none() {
        output::note("Compare it with what `storm-buckets trust show` says on the server.");
    }
    Ok(())
}

fn check_root(pinned: Option<Digest>, found: Digest) -> Result<(), VerifyError> {
    match pinned {
        Some(pinned) if pinned != found => Err(VerifyError::OtherRoot { pinned, found }),
        Some(_) | None => Ok(()),
    }
}

fn given_token(token: String) -> Result<SecretString> {
    let token = Zeroizing::new(token);
    if *token != "-" {
        return Ok(SecretString::from(token.as_str()));
    }
    first_line(&PathBuf::from("-"))
}

/// Signs in with the password, and a code where one is wanted, makes a token named after this host, and ends the session.
async fn new_token(
    api: &Api,
    email: Option<String>,
    password_file: Option<PathBuf>,
    code: Option<String>,
) -> Result<TokenCreated> {
    let email = email.map_or_else(|| asked("--email", "E-mail: "), Ok)?;
    let password = password(password_file, "Password: ")?;
    let body = json!({ "email": email, "password": password.expose_secret() });
    let sign_in = Call {
        method: Method::POST,
        path: "/session",
        body: Some(&body),
        idempotency_key: None,
    };
    let (_, mut headers, answer) = api.send(&sign_in).await?;
    if let Ok(asked) = serde_json::from_slice::<SecondFactorAsked>(&answer) {
        headers = finish_sign_in(api, &asked.second_factor, code).await?;
    }
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    let cookies: Vec<_> = cookies
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .collect();
    let in_session = api.with(Credential::Cookie(SecretString::from(cookies.join("; "))));
    let body = json!({ "name": token_name(), "expires_at": null });
    let create = Call {
        method: Method::POST,
        path: "/tokens",
        body: Some(&body),
        idempotency_key: None,
    };
    let made: TokenCreated = in_session.json(&create).await?;
    let sign_out = Call {
        method: Method::DELETE,
        path: "/session",
        body: None,
        idempotency_key: None,
    };
    if let Err(error) = in_session.send(&sign_out).await {
        output::note(&format!("The short session was not ended: {error}"));
    }
    Ok(made)
}

/// Finishes a sign-in with a code; the answer's headers.
async fn finish_sign_in(
    api: &Api,
    wanted: &SecondFactor,
    code: Option<String>,
) -> Result<header::HeaderMap> {
    let known = |method: &String| matches!(method.as_str(), "totp" | "recovery_code");
    if !wanted.methods.iter().any(known) {
        return Err(usage(
            "Your second factor cannot be used in a terminal: make an API token in the dashboard, then \
             `storm login --token -`."
                .to_owned(),
        ));
    }
    let question = "Code of your authenticator app, or a recovery code: ";
    let code = code.map_or_else(|| asked("--code", question), Ok)?;
    let body = json!({ "challenge": wanted.challenge, "code": code });
    let call = Call {
        method: Method::POST,
        path: "/session/second-factor",
        body: Some(&body),
        idempotency_key: None,
    };
    let (_, headers, _) = api.send(&call).await?;
    Ok(headers)
}

/// The password in a file, or as it is typed on the terminal.
pub(crate) fn password(file: Option<PathBuf>, question: &str) -> Result<SecretString> {
    match file {
        Some(path) => first_line(&path),
        None if std::io::stdin().is_terminal() => {
            Ok(SecretString::from(rpassword::prompt_password(question)?))
        }
        None => Err(no_terminal("--password-file")),
    }
}

fn token_name() -> String {
    let uname = rustix::system::uname();
    let host = output::clean(&uname.nodename().to_string_lossy());
    format!("storm on {host}")
        .chars()
        .take(MAX_TOKEN_NAME_CHARS)
        .collect()
}

fn first_line(path: &std::path::Path) -> Result<SecretString> {
    let bytes = files::read_private(path)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let text = format!("{} holds no text in its first line.", path.display());
        return Err(fault(Exit::Usage, "empty_file", text));
    }
    Ok(SecretString::from(line))
}

fn asked(flag: &str, question: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(no_terminal(flag));
    }
    session::ask(question)
}

fn no_terminal(flag: &str) -> anyhow::Error {
    usage(format!("{flag} is needed: there is no terminal to ask on."))
}
