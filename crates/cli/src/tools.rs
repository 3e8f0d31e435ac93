//! The words of each S3 tool, path-style throughout. All values were checked to be plain before they
//! come here: names, ids, an address; a secret is hex.

use secrecy::ExposeSecret as _;
use storm_protocol::ident::BucketName;

use crate::profile::{Access, Format};

/// The variable that stands where a secret is not known.
pub(crate) const SECRET_VARIABLE: &str = "STORM_SECRET_ACCESS_KEY";

/// The tool's configuration; the secret, when it is not known, is the variable
/// [`SECRET_VARIABLE`], in the tool's own way where it has one.
pub(crate) fn render(access: &Access, format: Format) -> String {
    let secret = access.secret.as_ref().map(|secret| secret.expose_secret());
    let variable = format!("${SECRET_VARIABLE}");
    let bucket = access.bucket.as_ref().map_or("BUCKET", BucketName::as_str);
    match format {
        Format::Rclone => format!(
            "[{}]\n{}",
            access.profile,
            rclone_body(access, secret.unwrap_or(&variable))
        ),
        Format::Aws => format!(
            "[profile {}]\n{}",
            access.profile,
            aws_body(access, secret.unwrap_or(&variable))
        ),
        // s3cmd itself reads a value that begins with $ from the environment.
        Format::S3cmd => s3cmd(access, secret.unwrap_or(&variable)),
        Format::Restic => {
            let asked = format!("${{{SECRET_VARIABLE}:?set it to the secret of the key}}");
            restic(access, bucket, secret.unwrap_or(&asked))
        }
        Format::Boto3 => {
            let (import, value) = match secret {
                Some(secret) => ("", format!("{secret:?}")),
                None => ("import os\n\n", format!("os.environ[{SECRET_VARIABLE:?}]")),
            };
            boto3(access, bucket, import, &value)
        }
        Format::Terraform => terraform(access, bucket, secret),
    }
}

/// The lines of a remote in rclone.conf.
pub(crate) fn rclone_body(access: &Access, secret: &str) -> String {
    format!(
        "type = s3\n\
         provider = Other\n\
         access_key_id = {key}\n\
         secret_access_key = {secret}\n\
         endpoint = {endpoint}\n\
         region = {region}\n\
         force_path_style = true\n\
         no_check_bucket = true\n",
        key = access.key,
        endpoint = access.endpoint(),
        region = access.region,
    )
}

/// The lines of a profile in AWS's config file.
pub(crate) fn aws_body(access: &Access, secret: &str) -> String {
    format!(
        "aws_access_key_id = {key}\n\
         aws_secret_access_key = {secret}\n\
         endpoint_url = {endpoint}\n\
         region = {region}\n\
         request_checksum_calculation = when_required\n\
         response_checksum_validation = when_required\n\
         s3 =\n    addressing_style = path\n",
        key = access.key,
        endpoint = access.endpoint(),
        region = access.region,
    )
}

fn s3cmd(access: &Access, secret: &str) -> String {
    let host = access
        .endpoint()
        .split_once("://")
        .map_or("", |(_, host)| host);
    let https = if access.endpoint.scheme() == "https" {
        "True"
    } else {
        "False"
    };
    format!(
        "[default]\n\
         access_key = {key}\n\
         secret_key = {secret}\n\
         host_base = {host}\n\
         host_bucket = {host}\n\
         bucket_location = {region}\n\
         use_https = {https}\n\
         signature_v2 = False\n",
        key = access.key,
        region = access.region,
    )
}

fn restic(access: &Access, bucket: &str, secret: &str) -> String {
    format!(
        "export AWS_ACCESS_KEY_ID=\"{key}\"\n\
         export AWS_SECRET_ACCESS_KEY=\"{secret}\"\n\
         export AWS_DEFAULT_REGION=\"{region}\"\n\
         export RESTIC_REPOSITORY=\"s3:{endpoint}/{bucket}\"\n\
         # restic -o s3.bucket-lookup=path init\n",
        key = access.key,
        endpoint = access.endpoint(),
        region = access.region,
    )
}

fn boto3(access: &Access, bucket: &str, import: &str, secret: &str) -> String {
    format!(
        "{import}import boto3\n\
         from botocore.config import Config\n\
         \n\
         s3 = boto3.client(\n    \
             \"s3\",\n    \
             endpoint_url=\"{endpoint}\",\n    \
             region_name=\"{region}\",\n    \
             aws_access_key_id=\"{key}\",\n    \
             aws_secret_access_key={secret},\n    \
             config=Config(s3={{\"addressing_style\": \"path\"}}),\n\
         )\n\
         print(s3.list_objects_v2(Bucket=\"{bucket}\").get(\"KeyCount\"))\n",
        key = access.key,
        endpoint = access.endpoint(),
        region = access.region,
    )
}

fn terraform(access: &Access, bucket: &str, secret: Option<&str>) -> String {
    let (variable, value) = match secret {
        Some(secret) => (String::new(), format!("{secret:?}")),
        None => (
            "# terraform apply -var storm_secret_access_key=...\n\
             variable \"storm_secret_access_key\" {\n  \
               type      = string\n  \
               sensitive = true\n\
             }\n\n"
                .to_owned(),
            "var.storm_secret_access_key".to_owned(),
        ),
    };
    format!(
        "{variable}provider \"aws\" {{\n  \
           access_key                  = \"{key}\"\n  \
           secret_key                  = {value}\n  \
           region                      = \"{region}\"\n  \
           s3_use_path_style           = true\n  \
           skip_credentials_validation = true\n  \
           skip_metadata_api_check     = true\n  \
           skip_region_validation      = true\n  \
           skip_requesting_account_id  = true\n\n  \
           endpoints {{\n    \
             s3 = \"{endpoint}\"\n  \
           }}\n\
         }}\n\
         \n\
         data \"aws_s3_objects\" \"all\" {{\n  \
           bucket = \"{bucket}\"\n\
         }}\n",
        key = access.key,
        endpoint = access.endpoint(),
        region = access.region,
    )
}

/// Commands that take the key from the environment.
pub(crate) fn environment_commands(access: &Access, bucket: &str) -> String {
    let secret = access.secret.as_ref().map(|secret| secret.expose_secret());
    format!(
        "  export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}\n  \
         aws --endpoint-url {endpoint} --region {region} s3 ls s3://{bucket}/\n  \
         rclone ls \":s3,provider=Other,env_auth=true,endpoint='{endpoint}',region={region}:{bucket}\"\n  \
         storm env {bucket} --format restic",
        key = access.key,
        secret = secret.unwrap_or("..."),
        endpoint = access.endpoint(),
        region = access.region,
    )
}

/// `text` for a shell, in quotes when it needs them.
pub(crate) fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
