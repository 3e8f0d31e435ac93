use storm_protocol::{
    api::{CreateKeyRequest, RevokeLeakedRequest, SetCorsRequest, SettingsValue},
    command::{
        BucketGrant, BucketRemoveAlias, BucketRestore, BucketSetCors, KeyCreate, KeyResume,
        KeyRevokeLeaked,
    },
    ident::{BucketId, BucketName, KeyLabel, Micros},
    result::{AliasRemoved, KeyReplaced},
    seal::OpenKey,
};

use super::*;

const BUCKET: BucketId = BucketId([1; 32]);
const OTHER: BucketId = BucketId([2; 32]);

fn key(last: char) -> AccessKeyId {
    format!("GK{}{last}", "0".repeat(23)).parse().unwrap()
}

fn label(text: &str) -> KeyLabel {
    text.parse().unwrap()
}

#[test]
fn a_command_on_another_thing_is_not_what_was_asked() {
    let name: BucketName = "photos".parse().unwrap();
    let asked: Asked = BucketAsked::BucketRemoveAlias {
        bucket: BUCKET,
        name: name.clone(),
    }
    .into();
    let command = |bucket| {
        let name = name.clone();
        Command::BucketRemoveAlias(BucketRemoveAlias { bucket, name })
    };
    assert!(asked.is(&command(BUCKET)));
    assert!(!asked.is(&command(OTHER)));
    let result = |bucket| {
        let name = name.clone();
        CommandResult::BucketRemoveAlias(AliasRemoved { bucket, name })
    };
    assert!(asked.fits(&result(BUCKET)));
    assert!(!asked.fits(&result(OTHER)));
}

#[test]
fn rules_have_to_be_exactly_those() {
    let rules = serde_json::from_str(r#"[{"allowed_origins":["*"],"allowed_methods":["GET"]}]"#);
    let request = SetCorsRequest {
        rules: rules.unwrap(),
    };
    let asked: Asked = BucketAsked::BucketSetCors {
        bucket: BUCKET,
        request: request.clone(),
    }
    .into();
    let command = |rules| {
        Command::BucketSetCors(BucketSetCors {
            bucket: BUCKET,
            rules,
        })
    };
    assert!(asked.is(&command(request.rules)));
    assert!(!asked.is(&command(vec![])));
}

#[test]
fn a_bucket_is_restored_to_what_was_shown_and_no_key_gets_more() {
    let grant = |last, write| BucketGrant {
        key: key(last),
        read: write,
        write,
        owner: false,
    };
    let wanted = SettingsValue {
        quota_bytes: None,
        quota_objects: None,
        cors: vec![],
        lifecycle: vec![],
        website: None,
        grants: vec![grant('1', true)],
    };
    let asked: Asked = BucketAsked::BucketRestore {
        bucket: BUCKET,
        wanted: Box::new(wanted),
    }
    .into();
    let restore = |quota_bytes, grants| {
        Command::BucketRestore(BucketRestore {
            bucket: BUCKET,
            quota_bytes: storm_protocol::ident::Limit::new(quota_bytes),
            quota_objects: None,
            cors: vec![],
            lifecycle: vec![],
            website: None,
            grants,
        })
    };
    assert!(asked.is(&restore(0, vec![])));
    assert!(asked.is(&restore(0, vec![grant('1', true), grant('2', false)])));
    assert!(!asked.is(&restore(1, vec![])));
    assert!(!asked.is(&restore(0, vec![grant('1', false)])));
    assert!(!asked.is(&restore(0, vec![grant('2', true)])));
}

#[test]
fn a_key_gets_no_more_than_was_asked() {
    let seal_to = OpenKey::from_bytes([9; 32]).seal_key();
    let request = CreateKeyRequest {
        region: None,
        label: label("k"),
        expires_at: None,
        create_buckets: false,
        grants: vec![],
        seal_to,
    };
    let asked: Asked = KeyAsked::KeyCreate { request }.into();
    let command = |create_buckets| {
        Command::KeyCreate(KeyCreate {
            label: label("k"),
            expires_at: None,
            create_buckets,
            grants: vec![],
        })
    };
    assert!(asked.is(&command(false)));
    assert!(!asked.is(&command(true)));

    let ends = Some(Micros(7));
    let resumed: Asked = KeyAsked::KeyResume {
        key: key('1'),
        expires_at: ends,
    }
    .into();
    let resume = |expires_at| {
        Command::KeyResume(KeyResume {
            key: key('1'),
            expires_at,
        })
    };
    assert!(resumed.is(&resume(ends)));
    assert!(!resumed.is(&resume(None)));
}

#[test]
fn a_leaked_key_has_to_be_the_one_that_is_gone() {
    let seal_to = OpenKey::from_bytes([9; 32]).seal_key();
    let asked: Asked = KeyAsked::KeyRevokeLeaked {
        key: key('1'),
        request: RevokeLeakedRequest {
            label: None,
            seal_to,
        },
    }
    .into();
    let command = |key| Command::KeyRevokeLeaked(KeyRevokeLeaked { key, label: None });
    assert!(asked.is(&command(key('1'))));
    assert!(!asked.is(&command(key('2'))));
    let result = |previous| {
        CommandResult::KeyRevokeLeaked(KeyReplaced {
            key: key('3'),
            grants: vec![],
            previous,
        })
    };
    assert!(asked.fits(&result(key('1'))));
    assert!(!asked.fits(&result(key('2'))));
    assert_eq!(new_key(&result(key('1'))), Some(key('3')));
    assert_eq!(asked.seal_to(), Some(seal_to));
}

#[test]
fn kept_requests_are_read_back_as_what_they_are() {
    let seal_to = OpenKey::from_bytes([9; 32]).seal_key();
    let request = RevokeLeakedRequest {
        label: None,
        seal_to,
    };
    let all: [Asked; 3] = [
        KeyAsked::KeyRevokeLeaked {
            key: key('1'),
            request,
        }
        .into(),
        BucketAsked::BucketDelete { bucket: BUCKET }.into(),
        RegionAsked::Refresh {
            region: "home".parse().unwrap(),
        }
        .into(),
    ];
    for asked in all {
        let json = serde_json::to_string(&asked).unwrap();
        let read: Asked = serde_json::from_str(&json).unwrap();
        assert_eq!(read, asked, "{json}");
    }
    // As the first version kept it.
    let kept = format!(
        r#"{{"command":"key_create","request":{{"region":null,"label":"k","expires_at":null,
            "grants":[],"seal_to":{}}}}}"#,
        serde_json::to_string(&seal_to).unwrap()
    );
    let read: Asked = serde_json::from_str(&kept).unwrap();
    assert_eq!(read.command(), "key.create");
}
