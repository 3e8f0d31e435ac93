//! What the stories rely on works: Garage in both topologies, the search for bytes, the S3 tools.

use anyhow::{Result, ensure};
use e2e::harness::{
    garage::Cluster,
    memory::{self, Needle},
    tools::{Tools, succeed},
    word,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn three_garages_hold_a_bucket_and_show_both_sides() -> Result<()> {
    let cluster = Cluster::three().await?;
    let bucket = cluster.admin.create_bucket("photos").await?;
    let (id, secret) = ("GK0123456789abcdef01234567", "ab".repeat(32));
    cluster.admin.import_key(id, &secret, "someone").await?;
    cluster.admin.allow_all(&bucket, id).await?;
    let contents = cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(contents.rights(&bucket, id).owner);

    let directory = tempfile::tempdir()?;
    let tools = Tools::new(directory.path(), &cluster.s3_endpoint()?, id, &secret)?;
    ensure!(tools.status("GET", "photos?list-type=2", None)? == 200);
    succeed(tools.aws()?.args(["s3", "ls", "s3://photos"]))?;
    succeed(tools.rclone()?.args(["lsf", "storm:photos"]))?;
    succeed(tools.s3cmd()?.args(["ls", "s3://photos"]))?;
    let wrong = Tools::new(
        directory.path(),
        &cluster.s3_endpoint()?,
        id,
        &"cd".repeat(32),
    )?;
    ensure!(wrong.status("GET", "photos?list-type=2", None)? == 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_a_name_is_noticed() -> Result<()> {
    let cluster = Cluster::single().await?;
    cluster.admin.post("CreateBucket", &json!({})).await?;
    ensure!(cluster.admin.contents().await?.check_whole().is_err());
    let calls = cluster.admin.calls_for_commands().await?;
    ensure!(calls.get("CreateBucket") == Some(&1), "{calls:?}");
    Ok(())
}

#[test]
fn bytes_are_found_in_every_form() -> Result<()> {
    let secret = hex::encode([7_u8; 16]) + &word()?;
    let raw = hex::decode(&secret)?;
    let needles = [Needle::new("it", &secret)];
    let absent = [Needle::new("another", &(word()? + &word()? + &word()?))];
    let directory = tempfile::tempdir()?;
    let encode = |bytes: &[u8]| storm_protocol::encoding::encode(bytes).into_bytes();
    let forms = [
        secret.clone().into_bytes(),
        secret.to_uppercase().into_bytes(),
        raw.clone(),
        encode(&raw),
        encode(&[b"x", raw.as_slice(), b"yz"].concat()),
        encode(&[b"xy", secret.as_bytes(), b"z"].concat()),
    ];
    for form in forms {
        std::fs::write(
            directory.path().join("file"),
            [&[0; 5000], form.as_slice()].concat(),
        )?;
        ensure!(
            memory::in_files(directory.path(), &needles)? == ["it"],
            "{form:?}"
        );
        ensure!(memory::in_files(directory.path(), &absent)?.is_empty());
    }
    ensure!(memory::in_process(std::process::id(), &needles)? == ["it"]);
    Ok(())
}
