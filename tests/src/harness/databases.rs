//! Which database the control plane of a story has, and databases of a story's own on the tests' PostgreSQL
//! server. Stories run on SQLite; `STORM_TEST_STORE` has any of them run on PostgreSQL instead.

use std::{net::SocketAddr, thread};

use anyhow::{Context as _, Result, bail};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use test_postgres::VARIABLE;

use super::word;

/// The environment variable that says so: `sqlite`, `postgres` or `roles`.
pub const STORE_VARIABLE: &str = "STORM_TEST_STORE";
/// Who owns the databases of stories whose roles are apart.
const OWNER: &str = "storm_story_owner";

/// What a control plane runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One process, with a file of SQLite.
    Sqlite,
    /// One process, with a database on PostgreSQL that is its own.
    Postgres,
    /// A process for each role on PostgreSQL, each signing in as somebody who may do what its role may.
    Roles,
}

impl Kind {
    /// What the environment says.
    pub fn wanted() -> Result<Self> {
        match std::env::var(STORE_VARIABLE).as_deref() {
            Err(_) | Ok("" | "sqlite") => Ok(Self::Sqlite),
            Ok("postgres") => Ok(Self::Postgres),
            Ok("roles") => Ok(Self::Roles),
            Ok(other) => bail!("{STORE_VARIABLE} is {other}: sqlite, postgres or roles"),
        }
    }
}

/// A database, and how its owner and the members of each role sign in to it.
#[derive(Debug, Clone)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// An empty one, owned by somebody who is no superuser.
    pub async fn new() -> Result<Self> {
        let url = std::env::var(VARIABLE)
            .with_context(|| format!("{VARIABLE} names no PostgreSQL server"))?;
        Self::on(&url).await
    }

    /// The same on the server whose database `postgres` has this URL, as its superuser.
    pub async fn on(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let name = format!("story_{}", word()?);
        let mut server = AnyConnection::connect(url).await?;
        make_login(&mut server, OWNER, "").await?;
        create(&mut server, &name).await?;
        let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
        Ok(Self {
            server: server.to_owned(),
            name,
        })
    }

    /// The same, for those who cannot wait.
    pub fn new_now() -> Result<Self> {
        now(Self::new())
    }

    /// As the superuser of the tests' server.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Drops what is in it.
    pub fn lose_now(&self) -> Result<()> {
        now(async {
            let mut server = AnyConnection::connect(&self.server_url()).await?;
            let drop = format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name);
            sqlx::raw_sql(AssertSqlSafe(drop))
                .execute(&mut server)
                .await?;
            create(&mut server, &self.name).await
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's database `postgres`, from which the others can be watched.
    pub fn server_url(&self) -> String {
        format!("{}/postgres", self.server)
    }

    /// As its owner.
    pub fn owner_url(&self) -> String {
        self.url_of(OWNER)
    }

    /// As a member of a role: web, signer or hub.
    pub fn role_url(&self, role: &str) -> String {
        self.url_of(&login(role))
    }

    fn url_of(&self, user: &str) -> String {
        format!("postgres://{user}@{}/{}", self.host(), self.name)
    }

    /// The server's name and port, as they stand in a URL.
    pub fn host(&self) -> &str {
        self.server.rsplit_once('@').map_or("", |(_, host)| host)
    }

    /// Where that is.
    pub async fn address(&self) -> Result<SocketAddr> {
        let mut addresses = tokio::net::lookup_host(self.host()).await?;
        addresses.next().context("the server has no address")
    }

    /// Runs `grants`, as the superuser, and makes a login for each role.
    pub async fn grant(&self, grants: &str) -> Result<()> {
        let mut server = AnyConnection::connect(&self.url()).await?;
        let mut transaction = server.begin().await?;
        sqlx::raw_sql(AssertSqlSafe(grants))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        for role in ["web", "signer", "hub"] {
            let member = format!("IN ROLE storm_{role}");
            make_login(&mut server, &login(role), &member).await?;
        }
        Ok(())
    }

    /// The same, for those who cannot wait.
    pub fn grant_now(&self, grants: &str) -> Result<()> {
        now(self.grant(grants))
    }

    /// Lets no notification through to anybody here, without a word of it to those who send them.
    pub async fn mute(&self) -> Result<()> {
        let mut server = AnyConnection::connect(&self.url()).await?;
        let shadow = format!(
            "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT NULL::void'; \
             ALTER DATABASE \"{}\" SET search_path = public, pg_catalog",
            self.name
        );
        sqlx::raw_sql(AssertSqlSafe(shadow))
            .execute(&mut server)
            .await?;
        Ok(())
    }
}

async fn create(server: &mut AnyConnection, name: &str) -> Result<()> {
    let create = format!(
        "CREATE DATABASE \"{name}\" OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
    );
    sqlx::raw_sql(AssertSqlSafe(create)).execute(server).await?;
    Ok(())
}

fn login(role: &str) -> String {
    format!("storm_story_{role}")
}

/// Logins are shared by all of a server's databases: another story may make it at the same time.
async fn make_login(server: &mut AnyConnection, name: &str, member: &str) -> Result<()> {
    let sql = format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') THEN \
         CREATE ROLE {name} LOGIN {member}; END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(server).await?;
    Ok(())
}

/// On a thread and a runtime of its own, whatever this one is.
fn now<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    thread::scope(|scope| {
        let work = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(future)
        });
        work.join()
            .map_err(|_| anyhow::anyhow!("the thread panicked"))?
    })
}
