use std::os::unix::fs::PermissionsExt as _;

use super::*;

const SECRET: &str = "3f0a";

fn region(endpoint: &str, name: &str) -> Region {
    Region {
        name: "local".parse().unwrap(),
        s3_endpoint: endpoint.to_owned(),
        s3_region: name.to_owned(),
        website_domain: None,
        executor: None,
        epoch: 1,
        connected: true,
        trouble: None,
    }
}

fn access(endpoint: &str, secret: Option<&str>) -> Access {
    Access::new(
        &region(endpoint, "garage"),
        Some("photos".parse().unwrap()),
        "GK000000000000000000000001".parse().unwrap(),
        secret.map(SecretString::from),
        None,
        "photos",
    )
    .unwrap()
}

#[test]
fn a_remote_is_added_and_replaced_beside_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rclone.conf");
    std::fs::write(&path, "[mine]\ntype = sftp\n").unwrap();
    let access = access("http://127.0.0.1:3900", Some(SECRET));
    for _ in 0..2 {
        let saved = access.save(&path, SaveFormat::of_file(&path)).unwrap();
        assert_eq!(saved.profile(), "storm-photos");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("[mine]\ntype = sftp\n\n[storm-photos]\ntype = s3\n"));
        assert_eq!(text.matches("[storm-photos]").count(), 1);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let found = find_secret(&path, &access.key).unwrap().unwrap();
    assert_eq!(found.expose_secret(), SECRET);
    let other = "GK000000000000000000000002".parse().unwrap();
    assert!(find_secret(&path, &other).unwrap().is_none());
}

#[test]
fn another_endpoints_section_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rclone.conf");
    let there = "[storm-photos]\ntype = s3\nendpoint = https://else.example\n";
    std::fs::write(&path, there).unwrap();
    let access = access("http://127.0.0.1:3900", Some(SECRET));
    assert!(access.save(&path, SaveFormat::Rclone).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), there);
}

#[test]
fn a_profile_is_saved_in_the_form_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let access = access("http://127.0.0.1:3900/", Some(SECRET));
    for (name, header) in [
        ("config", "[profile storm-photos]\n"),
        ("credentials", "[storm-photos]\n"),
    ] {
        let path = dir.path().join(name);
        access.save(&path, SaveFormat::of_file(&path)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(header), "{text}");
        assert!(
            text.contains("endpoint_url = http://127.0.0.1:3900\n"),
            "{text}"
        );
        let found = find_secret(&path, &access.key).unwrap().unwrap();
        assert_eq!(found.expose_secret(), SECRET);
    }
}

#[test]
fn an_encrypted_file_and_an_unknown_secret_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rclone.conf");
    std::fs::write(
        &path,
        "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nx\n",
    )
    .unwrap();
    let known = access("http://127.0.0.1:3900", Some(SECRET));
    assert!(known.save(&path, SaveFormat::Rclone).is_err());
    let unknown = access("http://127.0.0.1:3900", None);
    assert!(
        unknown
            .save(&dir.path().join("new"), SaveFormat::Rclone)
            .is_err()
    );
    assert!(!dir.path().join("new").exists());
}

#[test]
fn what_the_server_says_cannot_write_other_lines() {
    let key: AccessKeyId = "GK000000000000000000000001".parse().unwrap();
    let cases = [
        ("http://x/\nevil = 1", "garage"),
        ("http://x/$(id)", "garage"),
        ("http://x/\"", "garage"),
        ("ftp://x", "garage"),
        ("http://x", "garage\nevil = 1"),
        ("http://x", ""),
    ];
    for (endpoint, name) in cases {
        let region = region(endpoint, name);
        let made = Access::new(&region, None, key.clone(), None, None, "x");
        // A URL loses its line breaks when it is read; what is left has to be plain.
        if let Ok(made) = made {
            assert!(
                !made.endpoint().contains(['\n', ' ', '"', '$']),
                "{endpoint}"
            );
            assert!(!made.region.contains('\n'), "{name}");
            assert_eq!(name, "garage");
        }
    }
    assert!(check_name("a b").is_err() && check_name("-a").is_err() && check_name("a]").is_err());
}

#[test]
fn each_tool_is_told_all_it_needs() {
    use crate::tools::render;
    let known = access("https://s3.example:8443", Some(SECRET));
    let unknown = access("https://s3.example:8443", None);
    for format in Format::value_variants() {
        let text = render(&known, *format);
        for part in [
            "GK000000000000000000000001",
            SECRET,
            "s3.example:8443",
            "garage",
        ] {
            assert!(text.contains(part), "{format:?}: {text}");
        }
        let text = render(&unknown, *format);
        assert!(!text.contains(SECRET), "{format:?}: {text}");
        assert!(
            text.to_uppercase().contains("STORM_SECRET_ACCESS_KEY"),
            "{text}"
        );
    }
}
