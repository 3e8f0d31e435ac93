//! What each role may do, tried as each of them: every table and kind of statement against `grants.txt` (which
//! `UPDATE=1` on PostgreSQL writes anew), and by hand what has been promised.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use storm_protocol::command::{AgentPing, Command};

use super::GRANTS;
use crate::{
    store::{Place, Store, signing::Share},
    testing::{World, database},
};

const ROLES: [&str; 3] = ["hub", "signer", "web"];
const GOLDEN: &str = include_str!("grants.txt");
/// PostgreSQL's code for what somebody may not do, by privileges or by a policy for rows.
const NOT_ALLOWED: &str = "42501";

/// A database with grants, as its owner and as a member of each role.
struct Granted {
    world: World,
    url: url::Url,
}

impl Granted {
    /// `None`: the tests run on SQLite.
    async fn new() -> Option<Self> {
        let world = World::new().await;
        let Place::Server(url) = &world.place else {
            return None;
        };
        let url = url.expose_secret().parse().unwrap();
        let granted = Self { world, url };
        let mut owner = granted.owner().await;
        let mut transaction = owner.begin().await.unwrap();
        // Twice, as after an upgrade.
        for _ in 0..2 {
            sqlx::raw_sql(GRANTS)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        for role in ROLES {
            login(&mut owner, &format!("storm_test_{role}"), role).await;
        }
        Some(granted)
    }

    async fn owner(&self) -> PgConnection {
        PgConnection::connect(self.url.as_str()).await.unwrap()
    }

    fn url_of(&self, login: &str) -> Place {
        let mut url = self.url.clone();
        url.set_username(login).unwrap();
        Place::Server(String::from(url).into())
    }

    async fn member(&self, role: &str) -> PgConnection {
        let Place::Server(url) = self.url_of(&format!("storm_test_{role}")) else {
            panic!("a file")
        };
        PgConnection::connect(url.expose_secret()).await.unwrap()
    }

    /// Tries something as a member of a role: `None` when it may not.
    async fn rows(&self, role: &str, sql: &str) -> Option<u64> {
        let mut member = self.member(role).await;
        match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut member).await {
            Ok(done) => Some(done.rows_affected()),
            Err(error) => {
                let code = error.as_database_error().and_then(|error| error.code());
                assert_eq!(code.as_deref(), Some(NOT_ALLOWED), "{role}: {sql}: {error}");
                None
            }
        }
    }

    async fn refused(&self, role: &str, statements: &[&str]) {
        for sql in statements {
            assert_eq!(self.rows(role, sql).await, None, "{role} may: {sql}");
        }
    }
}

/// Logins are shared by all databases of a server, where other tests make them, too.
async fn login(owner: &mut PgConnection, name: &str, role: &str) {
    let sql = format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') THEN \
         CREATE ROLE {name} LOGIN IN ROLE storm_{role}; END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(owner)
        .await
        .unwrap();
}

/// A table's name and its columns.
type Table = (String, Vec<String>);

async fn tables(owner: &mut PgConnection) -> Vec<Table> {
    let rows = sqlx::query(
        "SELECT table_name::TEXT, array_agg(column_name::TEXT ORDER BY ordinal_position) \
         FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name \
         ORDER BY table_name COLLATE \"C\"",
    )
    .fetch_all(owner)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Whether this member may, by the plan of a statement, which asks for every privilege and changes nothing.
async fn may(member: &mut PgConnection, sql: String) -> bool {
    let sql = format!("EXPLAIN {sql}");
    match sqlx::raw_sql(AssertSqlSafe(sql.as_str()))
        .execute(&mut *member)
        .await
    {
        Ok(_) => true,
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some(NOT_ALLOWED), "{sql}: {error}");
            false
        }
    }
}

/// A kind of statement for some of a table's columns.
fn statement(verb: &str, table: &str, columns: &[String]) -> String {
    let names: Vec<_> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let list = names.join(", ");
    match verb {
        "select" => format!("SELECT {list} FROM {table}"),
        "insert" => {
            let values = vec!["NULL"; names.len()].join(", ");
            format!("INSERT INTO {table} ({list}) VALUES ({values})")
        }
        "update" => format!("UPDATE {table} SET {} = NULL", names.join(" = NULL, ")),
        _ => format!("DELETE FROM {table}"),
    }
}

async fn walk(granted: &Granted) -> String {
    let mut text = String::new();
    let tables = tables(&mut granted.owner().await).await;
    let mut members = vec![];
    for role in ROLES {
        members.push((role, granted.member(role).await));
    }
    for (table, columns) in &tables {
        let mut lines = String::new();
        for (role, member) in &mut members {
            for verb in ["select", "insert", "update", "delete"] {
                if may(member, statement(verb, table, columns)).await {
                    writeln!(lines, "{table} {role} {verb} *").unwrap();
                    continue;
                }
                let mut some = vec![];
                for column in columns.iter().filter(|_| verb != "delete") {
                    let one = std::slice::from_ref(column);
                    if may(member, statement(verb, table, one)).await {
                        some.push(column.as_str());
                    }
                }
                if !some.is_empty() {
                    writeln!(lines, "{table} {role} {verb} {}", some.join(" ")).unwrap();
                }
            }
        }
        if lines.is_empty() {
            writeln!(lines, "{table} nobody").unwrap();
        }
        text += &lines;
    }
    text
}

#[tokio::test]
async fn every_role_may_what_is_written_down_and_no_more() {
    let Some(granted) = Granted::new().await else {
        return every_table_is_written_down().await;
    };
    let found = walk(&granted).await;
    if std::env::var_os("UPDATE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/roles/grants.txt");
        std::fs::write(file, &found).unwrap();
        return;
    }
    let (found, wanted): (BTreeSet<_>, BTreeSet<_>) =
        (found.lines().collect(), GOLDEN.lines().collect());
    let more: Vec<_> = found.difference(&wanted).collect();
    let less: Vec<_> = wanted.difference(&found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "besides grants.txt: {more:#?}\nlacking: {less:#?}"
    );
}

/// On SQLite nothing can be granted, but a new table shows.
async fn every_table_is_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("storm.db").as_path())
        .await
        .unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&mut *store.read().await.unwrap())
            .await
            .unwrap();
    let written: BTreeSet<_> = GOLDEN
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    for table in tables {
        assert!(
            written.contains(table.as_str()),
            "no line of grants.txt, and so perhaps none of roles.sql, says who may use {table}"
        );
    }
}

const OPERATION: &str = "(id, state, account, \"user\", operator, via, region, command, parameters, \
     request_digest, requested_at, give_up_at";

fn operation(world: &World, id: &str, state: &str, via: &str, more: (&str, &str)) -> String {
    let (account, user) = (world.customer.account, world.customer.user);
    format!(
        "INSERT INTO operations {OPERATION}{}) VALUES ('{id}', '{state}', '{account}', '{user}', 0, '{via}', \
         'home', 'bucket.delete', '{{}}', 'd', 0, 9000000000000000{})",
        more.0, more.1
    )
}

#[tokio::test]
async fn web_writes_no_envelope_and_reads_nothing_of_the_signers() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    let world = &granted.world;
    let ping = Command::AgentPing(AgentPing {});
    let asked = world.ask(&world.customer, ping).await;
    let new = |state, via, more| operation(world, "new", state, via, more);
    granted
        .refused(
            "web",
            &[
                &new("requested", "web", (", envelope", ", '{}'")),
                &new("requested", "web", (", attempt", ", 1")),
                &new("signed", "web", ("", "")),
                // As the platform itself, or as one who signed offline.
                &new("requested", "system", ("", "")),
                &new("requested", "offline", ("", "")),
                "UPDATE operations SET envelope = '{}'",
                "UPDATE operations SET parameters = '{}'",
                "UPDATE operations SET receipt = '{}'",
                "UPDATE operations SET state = 'signed'",
                "UPDATE operations SET state = 'sent'",
                "DELETE FROM operations",
                "SELECT envelope FROM operations",
                "SELECT * FROM operations",
                "SELECT id FROM certificate_requests",
                "SELECT role FROM terms",
                "SELECT hash FROM enrol_tokens",
                "SELECT body_text FROM mails",
                "SELECT recipient FROM mails",
                "UPDATE users SET operator = 1",
                "INSERT INTO users (id, email, operator, created_at) VALUES ('u', 'u@example.org', 1, 0)",
                "UPDATE agents SET receipt_key = 'x'",
                "UPDATE agents SET tls_key = 'x'",
                "INSERT INTO agents (id) VALUES ('a')",
                "UPDATE regions SET epoch = 0",
                "UPDATE receipts SET receipt = '{}'",
                "DELETE FROM receipts",
                "UPDATE audit_events SET result = 'done'",
                "DELETE FROM audit_events",
                "DELETE FROM security_events",
                "UPDATE keys SET account = NULL",
                "UPDATE buckets SET account = NULL",
                "UPDATE agents SET connected = 1",
                "DELETE FROM hubs",
                "UPDATE hub_agents SET hub = 'h'",
                "UPDATE job_progress SET progress = '{}'",
            ],
        )
        .await;
    // What it is for.
    assert_eq!(
        granted
            .rows("web", &new("requested", "web", ("", "")))
            .await,
        Some(1)
    );
    let cancel = format!("UPDATE operations SET state = 'cancelled' WHERE id = '{asked}'");
    assert_eq!(granted.rows("web", &cancel).await, Some(1));
}

#[tokio::test]
async fn hub_asks_for_nothing_and_knows_nobody() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    let world = &granted.world;
    let new = |state, via, more| operation(world, "strange", state, via, more);
    granted
        .refused(
            "hub",
            &[
                &new("requested", "web", ("", "")),
                &new("unknown", "web", ("", "")),
                &new("requested", "offline", ("", "")),
                &new("unknown", "offline", (", envelope", ", '{}'")),
                "UPDATE operations SET envelope = '{}'",
                "UPDATE operations SET parameters = '{}'",
                "UPDATE operations SET via = 'web'",
                "UPDATE operations SET \"user\" = 'u'",
                "UPDATE operations SET attempt = 9",
                "DELETE FROM operations",
                "INSERT INTO users (id, email, created_at) VALUES ('u', 'u@example.org', 0)",
                "SELECT email FROM users",
                "SELECT password_hash FROM users",
                "INSERT INTO members (account, \"user\", role) VALUES ('a', 'u', 'owner')",
                "INSERT INTO tokens (id) VALUES ('t')",
                "SELECT id FROM tokens",
                "INSERT INTO sessions (hash) VALUES ('s')",
                "SELECT id FROM sessions",
                "SELECT sealed FROM totp_factors",
                "SELECT recipient FROM mails",
                "INSERT INTO enrol_tokens (id) VALUES ('t')",
                "INSERT INTO agents (id) VALUES ('a')",
                "UPDATE agents SET receipt_key = 'x'",
                "UPDATE agents SET statement = '{}'",
                "UPDATE agents SET revoked_at = NULL",
                "UPDATE certificate_requests SET answer = '{}'",
                "UPDATE receipts SET receipt = '{}'",
                "DELETE FROM receipts",
                "INSERT INTO audit_events (id) VALUES ('a')",
                "INSERT INTO terms (role, term, root_key) VALUES ('signer', 9, 'r')",
                "UPDATE terms SET term = term + 1",
                "UPDATE terms SET root_key = 'r'",
                "DELETE FROM terms",
            ],
        )
        .await;
}

/// The one operation that a hub may write down is what somebody signed offline.
#[tokio::test]
async fn what_a_hub_makes_up_is_never_signed() {
    let world = World::new().await;
    let now = world.app.clock.now();
    world
        .sql(&operation(
            &world,
            "strange",
            "unknown",
            "offline",
            ("", ""),
        ))
        .await;
    world
        .sql("UPDATE operations SET state = 'requested' WHERE id = 'strange'")
        .await;
    world
        .sql(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, connected, \
             created_at) VALUES ('019a0000-0000-7000-8000-000000000001', 'home', 'h', 'x', 'x', 'x', '{}', 1, 0)",
        )
        .await;
    world
        .sql("UPDATE regions SET executor = '019a0000-0000-7000-8000-000000000001'")
        .await;
    let share = Share {
        at_once: 10,
        in_flight: 10,
    };
    let store = &world.app.store;
    assert!(
        store
            .operations_to_sign(now, share, 10)
            .await
            .unwrap()
            .is_empty()
    );
    world
        .sql("UPDATE operations SET id = '0199a0a0-0000-7000-8000-000000000000', via = 'web'")
        .await;
    assert_eq!(
        store
            .operations_to_sign(now, share, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn signer_changes_no_password_and_reads_no_secret() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    let new = operation(&granted.world, "new", "requested", "web", ("", ""));
    granted
        .refused(
            "signer",
            &[
                &new,
                "UPDATE users SET password_hash = 'x'",
                "SELECT password_hash FROM users",
                "INSERT INTO users (id, email, created_at) VALUES ('u', 'u@example.org', 0)",
                "UPDATE users SET operator = 1",
                "UPDATE members SET role = 'owner'",
                "INSERT INTO members (account, \"user\", role) VALUES ('a', 'u', 'owner')",
                "SELECT hash FROM sessions",
                "INSERT INTO sessions (hash) VALUES ('s')",
                "SELECT hash FROM tokens",
                "INSERT INTO tokens (id) VALUES ('t')",
                "SELECT hash FROM invitations",
                "SELECT hash FROM password_resets",
                "SELECT sealed FROM totp_factors",
                "SELECT hash FROM recovery_codes",
                "SELECT passkey FROM passkeys",
                "UPDATE operations SET parameters = '{}'",
                "UPDATE operations SET receipt = '{}'",
                "INSERT INTO receipts (agent) VALUES ('a')",
                "UPDATE terms SET root_key = 'r'",
                "INSERT INTO hubs (id, address, beat, started_at) VALUES ('h', 'a', 0, 0)",
                "UPDATE hub_agents SET hub = 'h'",
                "UPDATE audit_events SET result = 'done'",
                "INSERT INTO enrol_tokens (id) VALUES ('t')",
                "UPDATE agents SET revoked_at = NULL",
                "UPDATE agents SET receipt_key = 'x'",
            ],
        )
        .await;
}

#[tokio::test]
async fn nobody_but_the_owner_makes_or_changes_tables() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    for role in ROLES {
        granted
            .refused(
                role,
                &[
                    "CREATE TABLE mine (a BIGINT)",
                    "CREATE TEMPORARY TABLE mine (a BIGINT)",
                    "ALTER TABLE operations DISABLE ROW LEVEL SECURITY",
                    "DROP POLICY hub_adopts ON operations",
                    "DROP TABLE operations",
                    "TRUNCATE operations",
                    "UPDATE _sqlx_migrations SET version = 0",
                    "SET ROLE postgres",
                ],
            )
            .await;
    }
}

#[tokio::test]
async fn whoever_may_not_set_a_database_up_is_told_who_does() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    for role in ROLES {
        // All that it reads at its start.
        let place = granted.url_of(&format!("storm_test_{role}"));
        let store = Store::open(place.clone()).await.unwrap();
        assert!(store.has_users().await.unwrap());
        // And whoever watches over it asks it, too.
        store.standing(granted.world.app.clock.now()).await.unwrap();
        let owns = place.require_owner().await.unwrap_err().to_string();
        assert!(owns.contains("storm-buckets db migrate"), "{owns}");
    }
    let mut owner = granted.owner().await;
    let stranger = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'storm_test_nobody') THEN \
         CREATE ROLE storm_test_nobody LOGIN; END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    sqlx::raw_sql(stranger).execute(&mut owner).await.unwrap();
    let words = Store::open(granted.url_of("storm_test_nobody")).await;
    let words = words.err().unwrap().to_string();
    assert!(words.contains("storm-buckets db roles"), "{words}");

    let dir = tempfile::tempdir().unwrap();
    let Place::Server(empty) = database(dir.path()).await else {
        panic!("a file")
    };
    let mut empty: url::Url = empty.expose_secret().parse().unwrap();
    empty.set_username("storm_test_web").unwrap();
    let words = Store::open(Place::Server(String::from(empty).into())).await;
    let words = words.err().unwrap().to_string();
    assert!(words.contains("storm-buckets db migrate"), "{words}");
}

/// Where grants are in force, an upgrade takes its new tables along; elsewhere it grants nothing, though another
/// database of the server has the roles.
#[tokio::test]
async fn grants_are_renewed_where_they_were() {
    let Some(granted) = Granted::new().await else {
        return;
    };
    let mut owner = granted.owner().await;
    let forget = "REVOKE ALL ON receipts FROM storm_web";
    sqlx::raw_sql(forget).execute(&mut owner).await.unwrap();
    let read = "SELECT agent FROM receipts";
    granted.refused("web", &[read]).await;
    assert!(granted.world.app.store.renew_grants().await.unwrap());
    assert_eq!(granted.rows("web", read).await, Some(0));

    let other = World::new().await;
    assert!(!other.app.store.renew_grants().await.unwrap());
}
