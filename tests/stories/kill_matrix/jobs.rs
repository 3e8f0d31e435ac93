//! Jobs in the matrix: buckets that hold something, and what a clearing or a measurement that was
//! killed and went on must have come to.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    node_admin::Contents,
    stack::Stack,
    tools::{Tools, succeed},
};
use serde_json::json;
use storm_protocol::result::{BucketCleared, PrefixMeasured};

use super::commands::Fixture;

/// Objects that fit on one page of a listing.
pub(super) const FEW: usize = 3;
/// Objects that take two pages.
pub(super) const PAGES: usize = 1_100;
/// The label of a job's own key.
pub(super) const JOB_KEY: &str = "storm job";

/// The bytes of each object.
const BODY: &str = "eleven byte";
/// An object that is deleted by a request of its own: XML cannot say its key.
const UNSAYABLE: &str = "%01";
/// An object that is written while nobody clears. Its key is the last.
const YOUNG: &str = "zzz-young";

/// Fills a bucket: `objects` of them, and one that XML cannot say.
pub(super) fn fill(stack: &Stack, fixture: &Fixture, objects: usize) -> Result<()> {
    let folder = stack.directory().join(&fixture.name);
    std::fs::create_dir(&folder)?;
    for index in 0..objects {
        std::fs::write(folder.join(format!("{index:05}]&.txt")), BODY)?;
    }
    let tools = stack.tools(fixture.key()?)?;
    tools.upload(&folder, &fixture.name)?;
    put(stack, &tools, fixture, UNSAYABLE)
}

/// Writes an object that is younger than the command.
pub(super) fn write_young(stack: &Stack, fixture: &Fixture) -> Result<()> {
    put(stack, &stack.tools(fixture.key()?)?, fixture, YOUNG)?;
    fixture.young.set(true);
    Ok(())
}

/// All that was there is gone and counted, once; what is younger stays.
pub(super) async fn check_cleared(
    stack: &Stack,
    fixture: &Fixture,
    objects: usize,
    cleared: &BucketCleared,
    contents: &Contents,
) -> Result<()> {
    let young = fixture.young.get();
    let bytes = (objects * BODY.len()) as u64;
    ensure!(
        (cleared.objects, cleared.bytes) == (objects as u64, bytes),
        "{objects} objects were there: {cleared:?}"
    );
    ensure!(cleared.kept <= u64::from(young), "{cleared:?}");
    let left = listed(stack, fixture)?;
    let expected: &[&str] = if young { &[YOUNG] } else { &[] };
    ensure!(left == expected, "{left:?} is left");
    // Garage's counters may lag; what a clean-up finds is there.
    let all = json!({ "bucketId": fixture.bucket, "olderThanSecs": 0 });
    let admin = &stack.cluster.admin;
    let found = admin.post("CleanupIncompleteUploads", &all).await?;
    ensure!(found["uploadsDeleted"] == 0, "{found}");
    no_key_left(fixture, contents)
}

/// All was counted, once, and nothing else was done.
pub(super) fn check_measured(
    stack: &Stack,
    fixture: &Fixture,
    objects: usize,
    measured: &PrefixMeasured,
    contents: &Contents,
) -> Result<()> {
    let bytes = (objects * BODY.len()) as u64;
    ensure!(
        (measured.objects, measured.bytes, measured.complete) == (objects as u64, bytes, true),
        "{objects} objects are there: {measured:?}"
    );
    let left = listed(stack, fixture)?.len();
    ensure!(left == objects, "{left} objects are left of {objects}");
    no_key_left(fixture, contents)
}

/// Its own key is gone, and the bucket's key has what it had.
pub(super) fn no_key_left(fixture: &Fixture, contents: &Contents) -> Result<()> {
    let seen = contents
        .buckets
        .get(&fixture.bucket)
        .context("the bucket is gone")?;
    let on_bucket: Vec<_> = seen.keys.keys().collect();
    ensure!(on_bucket == [fixture.key()?.id.as_str()], "{on_bucket:?}");
    let own = contents
        .keys
        .values()
        .filter(|key| key.name.ends_with(&format!("/{JOB_KEY}")))
        .count();
    ensure!(own == 0, "{own} keys of jobs are left");
    Ok(())
}

/// The keys of the bucket's objects, as S3 lists them.
pub(super) fn listed(stack: &Stack, fixture: &Fixture) -> Result<Vec<String>> {
    let mut rclone = stack.tools(fixture.key()?)?.rclone()?;
    // Without this, rclone cannot read a listing with a key that XML cannot say.
    rclone.args(["lsf", "--recursive", "--s3-list-url-encode=true"]);
    rclone.arg(format!("storm:{}", fixture.name));
    Ok(succeed(&mut rclone)?.lines().map(str::to_owned).collect())
}

fn put(stack: &Stack, tools: &Tools, fixture: &Fixture, path: &str) -> Result<()> {
    let body = stack.directory().join("eleven");
    std::fs::write(&body, BODY)?;
    let status = tools.status("PUT", &format!("{}/{path}", fixture.name), Some(&body))?;
    ensure!(status == 200, "writing {path} answers {status}");
    Ok(())
}
