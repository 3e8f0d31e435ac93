//! The S3 tools that customers use, each with a configuration in the test's own directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Result, ensure};

use super::{garage::S3_REGION, tool};

/// The tools with one credential.
pub struct Tools {
    directory: PathBuf,
    endpoint: String,
    id: String,
    secret: String,
}

impl Tools {
    /// Tools that speak to `endpoint` and keep their files in `directory`.
    pub fn new(directory: &Path, endpoint: &str, id: &str, secret: &str) -> Result<Self> {
        let directory = directory.join(format!("tools-{id}"));
        fs::create_dir_all(&directory)?;
        let tools = Self {
            directory,
            endpoint: endpoint.to_owned(),
            id: id.to_owned(),
            secret: secret.to_owned(),
        };
        tools.write_configurations()?;
        Ok(tools)
    }

    fn write_configurations(&self) -> Result<()> {
        let Self {
            endpoint,
            id,
            secret,
            ..
        } = self;
        let rclone = format!(
            "[storm]\ntype = s3\nprovider = Other\naccess_key_id = {id}\nsecret_access_key = {secret}\n\
             endpoint = {endpoint}\nregion = {S3_REGION}\nforce_path_style = true\n"
        );
        fs::write(self.directory.join("rclone.conf"), rclone)?;
        let host = endpoint.trim_start_matches("http://");
        let s3cmd = format!(
            "[default]\naccess_key = {id}\nsecret_key = {secret}\nhost_base = {host}\n\
             host_bucket = {host}\nuse_https = False\nbucket_location = {S3_REGION}\n"
        );
        fs::write(self.directory.join("s3cfg"), s3cmd)?;
        Ok(())
    }

    /// Where S3 is spoken.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A program that knows nothing of the credential.
    pub fn bare(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(tool(name)?);
        // Nothing of the person who runs the tests leaks in, such as AWS_CA_BUNDLE, with which
        // rclone 1.60 fails whatever the endpoint.
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.directory);
        Ok(command)
    }

    /// `rclone`, with the remote `storm:`.
    pub fn rclone(&self) -> Result<Command> {
        let mut command = self.bare("rclone")?;
        command
            .arg("--config")
            .arg(self.directory.join("rclone.conf"));
        Ok(command)
    }

    /// Copies the files of a folder into a bucket, many at a time.
    pub fn upload(&self, folder: &Path, bucket: &str) -> Result<()> {
        let mut rclone = self.rclone()?;
        rclone
            .arg("copy")
            .arg(folder)
            .arg(format!("storm:{bucket}"))
            .args(["--transfers", "32", "--s3-no-check-bucket"])
            .args(["--no-traverse", "--no-check-dest"]);
        succeed(&mut rclone).map(drop)
    }

    /// `aws`.
    pub fn aws(&self) -> Result<Command> {
        let mut command = self.bare("aws")?;
        command
            .env("AWS_ACCESS_KEY_ID", &self.id)
            .env("AWS_SECRET_ACCESS_KEY", &self.secret)
            .env("AWS_DEFAULT_REGION", S3_REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(["--endpoint-url", &self.endpoint]);
        Ok(command)
    }

    /// `s3cmd`.
    pub fn s3cmd(&self) -> Result<Command> {
        let mut command = self.bare("s3cmd")?;
        command.arg("--config").arg(self.directory.join("s3cfg"));
        Ok(command)
    }

    /// `curl`, without credentials.
    pub fn curl(&self) -> Result<Command> {
        let mut command = self.bare("curl")?;
        command.args(["--silent", "--show-error"]);
        Ok(command)
    }

    /// The status of one request that curl signs; the quickest way to see whether a key works.
    pub fn status(&self, method: &str, path: &str, body: Option<&Path>) -> Result<u16> {
        let mut command = self.curl()?;
        let scope = format!("aws:amz:{S3_REGION}:s3");
        let user = format!("{}:{}", self.id, self.secret);
        command
            .args(["--aws-sigv4", &scope, "--user", &user, "--request", method])
            .args(["--output", "/dev/null", "--write-out", "%{http_code}"])
            .args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]);
        if let Some(body) = body {
            command.arg("--upload-file").arg(body);
        }
        command.arg(format!("{}/{path}", self.endpoint));
        Ok(succeed(&mut command)?.trim().parse()?)
    }
}

/// Runs a command that has to succeed; gives its standard output.
pub fn succeed(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}: {}",
        output.status,
        said(&output)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Everything that a program wrote.
pub fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}
