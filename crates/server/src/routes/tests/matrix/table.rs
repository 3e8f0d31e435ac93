//! Every route, for tests that walk them all.

use serde_json::{Value, json};

use super::super::{BUCKET, KEY, SEAL_TO};

/// The route, what it does by the table of who may do what, and how it answers those who may.
pub(super) fn table() -> Vec<(&'static str, &'static str, &'static str, u16, Option<Value>)> {
    let create_bucket = json!({"name": "videos", "key": null});
    let create_key = json!({"label": "desk", "seal_to": SEAL_TO});
    let rotate = json!({"grace_seconds": 60, "seal_to": SEAL_TO});
    let grant = json!({"read": true, "write": false, "owner": false});
    let cors = json!({"rules": [{"allowed_origins": ["*"], "allowed_methods": ["GET"]}]});
    let question = json!({"origin": "https://example.org", "method": "GET"});
    let lifecycle = json!({"rules": [{"enabled": true, "expire_after_days": 30}]});
    let website = json!({"website": {"index_document": "index.html"}});
    let temporary = json!({"bucket": BUCKET, "write": false, "seal_to": SEAL_TO});
    let leaked = json!({"seal_to": SEAL_TO});
    let region =
        json!({"name": "home", "s3_endpoint": "https://s3.example.org", "s3_region": "garage"});
    vec![
        ("GET", "/api/v1/whoami", "session.read", 200, None),
        ("GET", "/api/v1/sessions", "session.list", 200, None),
        (
            "POST",
            "/api/v1/session/reauthenticate",
            "session.reauthenticate",
            403,
            Some(json!({"password": "not this one"})),
        ),
        (
            "DELETE",
            "/api/v1/sessions/{session}",
            "session.end",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/sessions/end-others",
            "session.end",
            204,
            None,
        ),
        (
            "PUT",
            "/api/v1/password",
            "password.change",
            401,
            Some(json!({"current": "not this one", "new": "another one"})),
        ),
        ("GET", "/api/v1/trust", "trust.read", 200, None),
        ("GET", "/api/v1/regions", "region.read", 200, None),
        (
            "POST",
            "/api/v1/regions",
            "region.create",
            409,
            Some(region),
        ),
        ("GET", "/api/v1/regions/{region}", "region.read", 200, None),
        (
            "POST",
            "/api/v1/regions/{region}/health",
            "cluster.health",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/refresh",
            "inventory.refresh",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/ping",
            "agent.ping",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/executor",
            "region.move_executor",
            409,
            Some(json!({"agent": "01900000-0000-7000-8000-000000000000"})),
        ),
        ("GET", "/api/v1/buckets", "bucket.read", 200, None),
        (
            "POST",
            "/api/v1/buckets",
            "bucket.create",
            202,
            Some(create_bucket),
        ),
        ("GET", "/api/v1/buckets/{bucket}", "bucket.read", 200, None),
        (
            "DELETE",
            "/api/v1/buckets/{bucket}",
            "bucket.delete",
            202,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/quota",
            "bucket.set_quota",
            202,
            Some(json!({"quota_bytes": 1})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/settings",
            "bucket.read",
            200,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/cors",
            "bucket.set_cors",
            202,
            Some(cors),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cors/check",
            "bucket.read",
            200,
            Some(question),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/lifecycle",
            "bucket.set_lifecycle",
            202,
            Some(lifecycle),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/website",
            "bucket.set_website",
            202,
            Some(website),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/aliases",
            "bucket.add_alias",
            202,
            Some(json!({"name": "more"})),
        ),
        (
            "DELETE",
            "/api/v1/buckets/{bucket}/aliases/{name}",
            "bucket.remove_alias",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cleanup-uploads",
            "bucket.cleanup_uploads",
            202,
            Some(json!({"older_than_seconds": 0})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/restore",
            "bucket.restore",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/accept",
            "bucket.accept",
            200,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/adopt",
            "bucket.adopt",
            404,
            Some(json!({"account": "01900000-0000-7000-8000-000000000000"})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/release",
            "bucket.release",
            202,
            None,
        ),
        ("GET", "/api/v1/strays", "stray.read", 200, None),
        (
            "POST",
            "/api/v1/strays/ignore",
            "stray.ignore",
            404,
            Some(json!({"bucket": BUCKET, "ignored": true})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/clear",
            "bucket.clear",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/measure",
            "bucket.measure_prefix",
            202,
            Some(json!({"prefix": "logs/"})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/requests",
            "usage.read",
            200,
            None,
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/grants",
            "bucket.read",
            200,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/grants/{key}",
            "key.set_grant",
            202,
            Some(grant),
        ),
        ("GET", "/api/v1/keys", "key.read", 200, None),
        ("POST", "/api/v1/keys", "key.create", 202, Some(create_key)),
        ("GET", "/api/v1/keys/{key}", "key.read", 200, None),
        ("DELETE", "/api/v1/keys/{key}", "key.delete", 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/rotate",
            "key.rotate",
            202,
            Some(rotate),
        ),
        (
            "POST",
            "/api/v1/keys/temporary",
            "key.create_temporary",
            202,
            Some(temporary),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/label",
            "key.rename",
            202,
            Some(json!({"label": "desk"})),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/expiry",
            "key.set_expiry",
            202,
            Some(json!({"expires_at": null})),
        ),
        (
            "POST",
            "/api/v1/keys/{key}/suspend",
            "key.suspend",
            202,
            None,
        ),
        ("POST", "/api/v1/keys/{key}/resume", "key.resume", 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/revoke-leaked",
            "key.revoke_leaked",
            202,
            Some(leaked),
        ),
        ("GET", "/api/v1/operations", "operation.list", 200, None),
        (
            "GET",
            "/api/v1/operations/{operation}",
            "operation.read",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/operations/{operation}/cancel",
            "operation.cancel",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/operations/{operation}/acknowledge",
            "operation.acknowledge",
            404,
            None,
        ),
        ("GET", "/api/v1/receipts", "receipt.read", 200, None),
        ("GET", "/api/v1/tokens", "token.read", 200, None),
        (
            "POST",
            "/api/v1/tokens",
            "token.create",
            201,
            Some(json!({"name": "ci"})),
        ),
        (
            "DELETE",
            "/api/v1/tokens/{token}",
            "token.delete",
            404,
            None,
        ),
        ("GET", "/api/v1/agents", "agent.read", 200, None),
        (
            "POST",
            "/api/v1/agents/{agent}/revoke",
            "agent.revoke",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/{agent}/lost",
            "agent.declare_lost",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/{agent}/end-quarantine",
            "agent.end_quarantine",
            404,
            None,
        ),
        (
            "GET",
            "/api/v1/agents/enrol-tokens",
            "enrol_token.read",
            200,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/enrol-tokens",
            "enrol_token.create",
            201,
            Some(json!({})),
        ),
        ("GET", "/api/v1/account", "account.read", 200, None),
        ("GET", "/api/v1/accounts/own", "account.list_own", 200, None),
        (
            "POST",
            "/api/v1/session/account",
            "account.switch",
            409,
            Some(json!({"account": "01900000-0000-7000-8000-000000000000"})),
        ),
        (
            "POST",
            "/api/v1/account/transfer",
            "account.transfer",
            404,
            Some(json!({"user": "01900000-0000-7000-8000-000000000000"})),
        ),
        ("GET", "/api/v1/members", "member.read", 200, None),
        (
            "PUT",
            "/api/v1/members/{user}/role",
            "member.set_role",
            404,
            Some(json!({"role": "viewer"})),
        ),
        (
            "DELETE",
            "/api/v1/members/{user}",
            "member.remove",
            404,
            None,
        ),
        ("GET", "/api/v1/invitations", "invitation.read", 200, None),
        (
            "POST",
            "/api/v1/invitations",
            "invitation.create",
            201,
            Some(json!({"email": "new@example.org", "role": "viewer"})),
        ),
        (
            "DELETE",
            "/api/v1/invitations/{invitation}",
            "invitation.withdraw",
            404,
            None,
        ),
        ("GET", "/api/v1/accounts", "account.list", 200, None),
        (
            "POST",
            "/api/v1/accounts",
            "account.create",
            201,
            Some(json!({"name": "Acme", "owner": "wile@example.org"})),
        ),
        (
            "PUT",
            "/api/v1/account/name",
            "account.rename",
            204,
            Some(json!({"name": "Ours"})),
        ),
        (
            "GET",
            "/api/v1/accounts/{account}",
            "account.list",
            404,
            None,
        ),
        (
            "PUT",
            "/api/v1/accounts/{account}/limits",
            "account.set_limits",
            404,
            Some(json!({"buckets": 1})),
        ),
        (
            "POST",
            "/api/v1/accounts/{account}/suspend",
            "account.suspend",
            404,
            Some(json!({"reason": "unpaid"})),
        ),
        (
            "POST",
            "/api/v1/accounts/{account}/resume",
            "account.resume",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/accounts/{account}/close",
            "account.close_any",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/accounts/{account}/cancel-close",
            "account.cancel_close_any",
            404,
            None,
        ),
        // An operator is in it.
        ("POST", "/api/v1/account/close", "account.close", 409, None),
        (
            "POST",
            "/api/v1/account/cancel-close",
            "account.cancel_close",
            409,
            None,
        ),
        ("GET", "/api/v1/audit", "audit.read", 200, None),
        ("GET", "/api/v1/audit/export", "audit.read", 200, None),
        ("GET", "/api/v1/usage", "usage.read", 200, None),
        ("GET", "/api/v1/usage/export", "usage.export", 200, None),
        ("GET", "/api/v1/events", "event.read", 200, None),
    ]
}

/// A path with something in each of its places.
pub(super) fn filled(path: &str) -> String {
    const ID: &str = "01900000-0000-7000-8000-000000000000";
    path.replace("{region}", "home")
        .replace("{bucket}", BUCKET)
        .replace("{key}", KEY)
        .replace("{name}", "photos")
        .replace("{account}", ID)
        .replace("{operation}", ID)
        .replace("{agent}", ID)
        .replace("{token}", ID)
        .replace("{session}", ID)
        .replace("{user}", ID)
        .replace("{invitation}", ID)
}
