//! How S3 tools are told of a bucket: their configuration as text, saved into their files, and the
//! commands to type.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::{
    api::Region,
    ident::{AccessKeyId, BucketName},
};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    errors::{Exit, fault, usage},
    files, ini, tools,
};

const MAX_NAME_BYTES: usize = 100;
/// How rclone marks a configuration that it has encrypted.
const RCLONE_ENCRYPTED: &str = "RCLONE_ENCRYPT_V0:";

/// A tool that is told of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A remote in rclone.conf
    Rclone,
    /// A profile in AWS's config file
    Aws,
    /// An s3cmd configuration file
    S3cmd,
    /// Environment variables for restic
    Restic,
    /// Python with boto3
    Boto3,
    /// Terraform's AWS provider
    Terraform,
}

/// A file that a section is saved into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SaveFormat {
    /// A remote in rclone.conf
    Rclone,
    /// A profile in AWS's config or credentials file
    Aws,
}

impl SaveFormat {
    /// What a file of this name holds.
    pub(crate) fn of_file(path: &Path) -> Self {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("credentials" | "config") => Self::Aws,
            Some(_) | None => Self::Rclone,
        }
    }

    /// The section's header for a profile of this name.
    fn section(self, path: &Path, profile: &str) -> String {
        let is_credentials = path.file_name().is_some_and(|name| name == "credentials");
        match self {
            Self::Aws if !is_credentials && profile != "default" => format!("profile {profile}"),
            Self::Aws | Self::Rclone => profile.to_owned(),
        }
    }
}

/// What a tool needs: where, and with which key.
pub(crate) struct Access {
    /// The bucket, when there is one.
    pub(crate) bucket: Option<BucketName>,
    /// Where S3 is spoken.
    pub(crate) endpoint: Url,
    /// The S3 region name.
    pub(crate) region: String,
    /// The key.
    pub(crate) key: AccessKeyId,
    /// Its secret, when it is known.
    pub(crate) secret: Option<SecretString>,
    /// The name of the profile or remote.
    pub(crate) profile: String,
}

/// A section that was saved.
pub(crate) struct Saved {
    path: PathBuf,
    section: String,
    profile: String,
    format: SaveFormat,
}

impl Saved {
    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.path
    }

    /// The profile's or remote's name.
    pub(crate) fn profile(&self) -> &str {
        &self.profile
    }

    /// Where the section is, for people.
    pub(crate) fn place(&self) -> String {
        format!("{} as [{}]", self.path.display(), self.section)
    }
}

impl Access {
    /// Checks what the server says of the region before it gets into other tools' files.
    ///
    /// # Errors
    /// When the endpoint is no address, the region's name or the profile's no name.
    pub(crate) fn new(
        region: &Region,
        bucket: Option<BucketName>,
        key: AccessKeyId,
        secret: Option<SecretString>,
        profile: Option<&str>,
        default_name: &str,
    ) -> Result<Self> {
        let wrong = |what: &str| {
            let text = format!(
                "Region {}: its {what} cannot be used. Tell the operator.",
                region.name
            );
            fault(Exit::Failed, "bad_region", text)
        };
        let endpoint: Url = region
            .s3_endpoint
            .parse()
            .map_err(|_| wrong("S3 endpoint"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/[]".contains(c);
        if !matches!(endpoint.scheme(), "http" | "https")
            || endpoint.host().is_none()
            || !endpoint.as_str().chars().all(plain)
        {
            return Err(wrong("S3 endpoint"));
        }
        let name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if region.s3_region.is_empty() || !region.s3_region.chars().all(name) {
            return Err(wrong("S3 region name"));
        }
        let profile = match profile {
            Some(profile) => {
                check_name(profile)?;
                profile.to_owned()
            }
            None => {
                let kept = |c: char| if name(c) { c } else { '-' };
                format!(
                    "storm-{}",
                    default_name.chars().map(kept).collect::<String>()
                )
            }
        };
        Ok(Self {
            bucket,
            endpoint,
            region: region.s3_region.clone(),
            key,
            secret,
            profile,
        })
    }

    /// The endpoint without a slash at its end, as the tools like it.
    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint.as_str().trim_end_matches('/')
    }

    /// Saves the section into `path`: added, or put where the same one stood.
    ///
    /// # Errors
    /// When there is a section of that name for another endpoint, or the file cannot be used.
    pub(crate) fn save(&self, path: &Path, format: SaveFormat) -> Result<Saved> {
        let Some(secret) = &self.secret else {
            return Err(usage(
                "The secret is not known here, so nothing was saved. Name the file that holds it \
                 with --profile-file.",
            ));
        };
        check_file(path, format)?;
        let text = read_text(path)?;
        let section = format.section(path, &self.profile);
        let (endpoint_name, body) = match format {
            SaveFormat::Rclone => ("endpoint", tools::rclone_body(self, secret.expose_secret())),
            SaveFormat::Aws => (
                "endpoint_url",
                tools::aws_body(self, secret.expose_secret()),
            ),
        };
        if ini::has_section(&text, &section)
            && ini::value(&text, &section, endpoint_name) != Some(self.endpoint())
        {
            let text = format!(
                "{} has a section [{section}] that is not for {}. It was left as it is. Choose \
                 another name with --profile.",
                path.display(),
                self.endpoint()
            );
            return Err(fault(Exit::Conflict, "section_exists", text));
        }
        let body = Zeroizing::new(body);
        let merged = Zeroizing::new(ini::with_section(&text, &section, &body));
        files::write_private(path, merged.as_bytes())?;
        Ok(Saved {
            path: path.to_owned(),
            section,
            profile: self.profile.clone(),
            format,
        })
    }

    /// The commands to type.
    pub(crate) fn commands(&self, saved: Option<&Saved>) -> String {
        let bucket = self.bucket.as_ref().map_or("BUCKET", BucketName::as_str);
        match saved {
            Some(saved) => {
                let file = tools::shell_quoted(&saved.path.to_string_lossy());
                let profile = tools::shell_quoted(&saved.profile);
                match saved.format {
                    SaveFormat::Rclone => format!(
                        "  rclone --config {file} ls {profile}:{bucket}\n  \
                         rclone --config {file} copy ./folder {profile}:{bucket}/folder"
                    ),
                    SaveFormat::Aws => {
                        let variable = if saved.section == saved.profile {
                            "AWS_SHARED_CREDENTIALS_FILE"
                        } else {
                            "AWS_CONFIG_FILE"
                        };
                        format!(
                            "  export {variable}={file}\n  \
                             aws --profile {profile} s3 ls s3://{bucket}/\n  \
                             aws --profile {profile} s3 cp ./file s3://{bucket}/file"
                        )
                    }
                }
            }
            None => tools::environment_commands(self, bucket),
        }
    }
}

/// Fails unless `name` can name a remote of rclone and a profile of AWS.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let sound = (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with(['-', '.']);
    if sound {
        Ok(())
    } else {
        Err(usage(format!(
            "--profile: {name:?} cannot name a profile: expected 1 to {MAX_NAME_BYTES} letters, \
             digits, '-', '_' and '.', beginning with a letter or digit."
        )))
    }
}

/// Fails when a section cannot be added to the file.
pub(crate) fn check_file(path: &Path, format: SaveFormat) -> Result<()> {
    let text = read_text(path)?;
    if format == SaveFormat::Rclone && text.contains(RCLONE_ENCRYPTED) {
        let text = format!(
            "{} is encrypted by rclone, so a section cannot be added to it. Save to another file.",
            path.display()
        );
        return Err(fault(Exit::Conflict, "encrypted_file", text));
    }
    Ok(())
}

/// The key's secret in a file that `--save-to` wrote, or any of the same form.
pub(crate) fn find_secret(path: &Path, key: &AccessKeyId) -> Result<Option<SecretString>> {
    let text = Zeroizing::new(read_secret_text(path)?);
    let names = [
        ("access_key_id", "secret_access_key"),
        ("aws_access_key_id", "aws_secret_access_key"),
    ];
    for (id_name, secret_name) in names {
        for (section, id) in ini::values(&text, id_name) {
            if id == key.as_str()
                && let Some(secret) = ini::value(&text, section, secret_name)
            {
                return Ok(Some(SecretString::from(secret)));
            }
        }
    }
    Ok(None)
}

fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let bytes = files::read_if_there(path)?.unwrap_or_default();
    utf8(path, &bytes).map(Zeroizing::new)
}

fn read_secret_text(path: &Path) -> Result<String> {
    utf8(path, &files::read_private(path)?)
}

fn utf8(path: &Path, bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let text = format!(
            "{} is not a text file; it was left as it is.",
            path.display()
        );
        fault(Exit::Failed, "bad_file", text)
    })
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
