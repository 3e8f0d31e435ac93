//! What the command line takes, and that two never work on one database.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Copy, Verb, lock, run};
use crate::{
    config::Config,
    store::{Place, dump, dump::Source},
    testing::database,
};

fn asked(to: &str) -> Copy {
    Copy {
        from: None,
        from_file: None,
        to: Some(to.to_owned()),
        to_file: None,
    }
}

async fn words(copy: Copy, config: &Config) -> String {
    format!("{:#}", run(&Verb::Copy(copy), config).await.unwrap_err())
}

#[tokio::test]
async fn a_grown_installation_moves() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::parse(&format!("data_dir = {:?}", dir.path())).unwrap();
    dump::tests::filled(&config.place().unwrap()).await;
    let other = tempfile::tempdir().unwrap();
    let there = database(other.path()).await;
    let to = match &there {
        Place::File(file) => format!("sqlite:{}", file.display()),
        Place::Server(url) => secrecy::ExposeSecret::expose_secret(url).to_owned(),
    };
    // As if the service ran.
    let running = lock(&config, [&there]).unwrap();
    let refused = words(asked(&to), &config).await;
    assert!(refused.contains("stop it first"), "{refused}");
    drop(running);
    run(&Verb::Copy(asked(&to)), &config).await.unwrap();
    Source::open(&there).await.unwrap();
    let refused = words(asked(&to), &config).await;
    assert!(refused.contains("not empty"), "{refused}");
}

#[tokio::test]
async fn a_password_is_read_from_a_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::parse(&format!("data_dir = {:?}", dir.path())).unwrap();
    fs::write(dir.path().join("storm.db"), "").unwrap();
    let url = "postgres://storm:hush@127.0.0.1:1/storm";
    let refused = words(asked(url), &config).await;
    assert!(
        refused.contains("--to-file") && !refused.contains("hush"),
        "{refused}"
    );
    let file = dir.path().join("url");
    fs::write(&file, url).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let named = || Copy {
        to: None,
        to_file: Some(file.clone()),
        ..asked("")
    };
    let refused = words(named(), &config).await;
    assert!(refused.contains("chmod 600"), "{refused}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    // It is taken; what is in the way now is the empty file.
    let refused = words(named(), &config).await;
    assert!(
        refused.contains("holds nothing of Storm Buckets"),
        "{refused}"
    );
    for wrong in ["mysql://a/b", "sqlite:", "storm.db"] {
        let refused = words(asked(wrong), &config).await;
        assert!(refused.contains("--to"), "{refused}");
    }
}
