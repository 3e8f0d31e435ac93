//! Who may have what signed: the table's word, for each command and role, and what a token leaves of it.

use serde_json::{Value, json, value::RawValue};
use storm_protocol::{
    api::{AccountState, Role},
    command::RawCommand,
    ident::TokenId,
    seal::OpenKey,
};

use super::*;
use crate::{
    auth::access::{self, Rights},
    store::system::system_actor,
};

/// Parameters of each command about what is the customer's own.
fn parameters(command: &str, world: &World) -> Value {
    const BUCKET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const KEY: &str = "GKaaaaaaaaaaaaaaaaaaaaaaaa";
    let bucket = |mut more: Value| {
        more["bucket"] = json!(BUCKET);
        more
    };
    let key = |mut more: Value| {
        more["key"] = json!(KEY);
        more
    };
    match command {
        "job.cancel" => json!({"operation": "01900000-0000-7000-8000-000000000000"}),
        "bucket.create" => json!({"bucket": "fresh"}),
        "bucket.measure_prefix" => bucket(json!({"prefix": "", "max_objects": 1})),
        "bucket.set_cors" | "bucket.set_lifecycle" => bucket(json!({"rules": []})),
        "bucket.add_alias" | "bucket.remove_alias" => bucket(json!({"name": "another"})),
        "bucket.cleanup_uploads" => bucket(json!({"older_than_seconds": 1})),
        "bucket.restore" => bucket(json!({"cors": [], "lifecycle": [], "grants": []})),
        "bucket.adopt" => bucket(json!({"account": world.customer.account})),
        "account.set_quotas" => {
            json!({"account": world.customer.account, "quotas": [{"bucket": BUCKET}]})
        }
        "key.create" => json!({"label": "desk", "create_buckets": false, "grants": []}),
        "key.create_temporary" => {
            bucket(json!({"label": "desk", "write": false, "valid_seconds": 1}))
        }
        "key.rename" => key(json!({"label": "desk"})),
        "key.set_grant" => key(bucket(
            json!({"read": true, "write": false, "owner": false}),
        )),
        "key.rotate" => key(json!({"grace_seconds": 1})),
        other if other.starts_with("bucket.") => bucket(json!({})),
        other if other.starts_with("key.") => key(json!({})),
        _ => json!({}),
    }
}

/// Whether the signer signs what the web tier would have refused is the table's word alone.
#[tokio::test]
async fn every_command_is_signed_for_those_whom_the_table_allows() {
    let (world, mut signer) = start().await;
    let customer = world.customer.clone();
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, name, aliases, created_at) VALUES \
             ('{}', 'home', '{account}', 'photos', '[\"photos\"]', 0)",
            "a".repeat(64),
            account = customer.account
        ))
        .await;
    world
        .sql(&format!(
            "INSERT INTO keys (id, region, account, label, created_at) VALUES \
             ('GK{}', 'home', '{}', 'desk', 0)",
            "a".repeat(24),
            customer.account
        ))
        .await;
    let mut signed = 0;
    for row in Command::TABLE {
        let text = parameters(row.name, &world).to_string();
        let raw = RawCommand {
            name: row.name.to_owned(),
            parameters: RawValue::from_string(text).unwrap(),
        };
        let command = raw
            .parse()
            .unwrap_or_else(|code| panic!("{}: {code:?}", row.name));
        let act = access::of_command(row.name).unwrap();
        for role in [
            None,
            Some(Role::Viewer),
            Some(Role::Member),
            Some(Role::Owner),
        ] {
            let user = customer.user;
            world
                .sql(&format!("DELETE FROM members WHERE \"user\" = '{user}'"))
                .await;
            if let Some(role) = role {
                let role = format!("{role:?}").to_lowercase();
                let insert = format!(
                    "INSERT INTO members VALUES ('{}', '{user}', '{role}')",
                    customer.account
                );
                world.sql(&insert).await;
            }
            let mut new = world.request(&customer, command.clone());
            if command.makes_secret() {
                new.seal_to = Some(OpenKey::generate().seal_key());
            }
            let id = new.id;
            world.app.store.request_operation(new).await.unwrap();
            signer.pass().await.unwrap();
            let rights = Rights {
                role,
                operator: false,
                state: AccountState::Active,
                token: None,
            };
            let allowed = rights.allow(act).is_ok();
            let expected = if allowed {
                OperationStatus::Signed
            } else {
                OperationStatus::Refused
            };
            assert_eq!(
                status(&world, id).await,
                expected,
                "{} as {role:?}",
                row.name
            );
            signed += u32::from(allowed);
            world.sql("UPDATE operations SET state = 'done'").await;
            world.clock.advance_seconds(1);
        }
    }
    assert!(signed > 50, "{signed}");
}

#[tokio::test]
async fn a_token_that_is_gone_or_may_not_is_not_signed_for() {
    let (world, mut signer) = start().await;
    let (user, account) = (world.customer.user, world.customer.account);
    let now = world.app.clock.now();
    let token = |scopes: &str, expires_at: i64| {
        let id = TokenId::new(now, random());
        let insert = format!(
            "INSERT INTO tokens (id, hash, \"user\", account, name, created_at, expires_at, scopes) \
             VALUES ('{id}', '{id}', '{user}', '{account}', 'x', 0, {expires_at}, '[\"{scopes}\"]')"
        );
        (id, insert)
    };
    let later = now.plus_seconds(100).0;
    for (scopes, expires_at, kept, expected) in [
        ("bucket.create", later, true, OperationStatus::Signed),
        ("bucket.*", later, true, OperationStatus::Signed),
        ("bucket.delete", later, true, OperationStatus::Refused),
        ("*", now.0, true, OperationStatus::Refused),
        ("*", later, false, OperationStatus::Refused),
    ] {
        let (id, insert) = token(scopes, expires_at);
        if kept {
            world.sql(&insert).await;
        }
        let mut new = world.request(&world.customer, create("photos"));
        new.token = Some(id);
        let operation = new.id;
        world.app.store.request_operation(new).await.unwrap();
        signer.pass().await.unwrap();
        assert_eq!(status(&world, operation).await, expected, "{scopes} {kept}");
        world.sql("UPDATE operations SET state = 'done'").await;
    }
}

#[tokio::test]
async fn for_a_suspended_account_only_operators_and_the_platform_are_signed_for() {
    let (world, mut signer) = start().await;
    let account = world.customer.account;
    // It was asked for before the suspension, and waits for its signature.
    let before = world.ask(&world.customer, create("photos")).await;
    world
        .app
        .store
        .suspend_account(account, "unpaid", world.app.clock.now())
        .await
        .unwrap();
    let after = world.ask(&world.customer, create("videos")).await;
    let operator = Actor {
        account,
        ..world.operator.clone()
    };
    let by_operator = world.ask(&operator, create("music")).await;
    let by_platform = world.ask(&system_actor(account), create("texts")).await;
    signer.pass().await.unwrap();
    for id in [before, after] {
        assert_eq!(refusal(&world, id).await, Some(Refusal::NotYours));
    }
    for id in [by_operator, by_platform] {
        assert_eq!(status(&world, id).await, OperationStatus::Signed);
    }
}
