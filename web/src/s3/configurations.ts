/** Ready configurations of S3 programs, with the same words as `storm env` prints (crates/cli/src/tools.rs). */

/** All that a program needs. */
export interface Access {
  endpoint: string
  region: string
  bucket: string
  key: string
  secret: string
}

export interface Configuration {
  id: string
  /** What people call the program. */
  title: string
  /** Where the text goes. */
  place: string
  text: string
  /** What sends a first file. */
  first: string
}

const NAME = "storm"

/** The configurations, the most used first. */
export function configurations(access: Access): Configuration[] {
  return [rclone(access), aws(access), s3cmd(access), restic(access), boto3(access), terraform(access)]
}

function rclone({ endpoint, region, bucket, key, secret }: Access): Configuration {
  return {
    id: "rclone",
    title: "rclone",
    place: "~/.config/rclone/rclone.conf",
    text: `[${NAME}]
type = s3
provider = Other
access_key_id = ${key}
secret_access_key = ${secret}
endpoint = ${endpoint}
region = ${region}
force_path_style = true
no_check_bucket = true
`,
    first: `rclone copy hello.txt ${NAME}:${bucket}`,
  }
}

function aws({ endpoint, region, bucket, key, secret }: Access): Configuration {
  return {
    id: "aws",
    title: "AWS CLI",
    place: "~/.aws/config",
    text: `[profile ${NAME}]
aws_access_key_id = ${key}
aws_secret_access_key = ${secret}
endpoint_url = ${endpoint}
region = ${region}
request_checksum_calculation = when_required
response_checksum_validation = when_required
s3 =
    addressing_style = path
`,
    first: `aws --profile ${NAME} s3 cp hello.txt s3://${bucket}/`,
  }
}

function s3cmd({ endpoint, region, bucket, key, secret }: Access): Configuration {
  const host = endpoint.replace(/^https?:\/\//, "")
  return {
    id: "s3cmd",
    title: "s3cmd",
    place: "~/.s3cfg",
    text: `[default]
access_key = ${key}
secret_key = ${secret}
host_base = ${host}
host_bucket = ${host}
bucket_location = ${region}
use_https = ${endpoint.startsWith("https:") ? "True" : "False"}
signature_v2 = False
`,
    first: `s3cmd put hello.txt s3://${bucket}`,
  }
}

function restic({ endpoint, region, bucket, key, secret }: Access): Configuration {
  return {
    id: "restic",
    title: "restic",
    place: "your shell",
    text: `export AWS_ACCESS_KEY_ID="${key}"
export AWS_SECRET_ACCESS_KEY="${secret}"
export AWS_DEFAULT_REGION="${region}"
export RESTIC_REPOSITORY="s3:${endpoint}/${bucket}"
`,
    first: "restic -o s3.bucket-lookup=path init",
  }
}

function boto3({ endpoint, region, bucket, key, secret }: Access): Configuration {
  return {
    id: "boto3",
    title: "boto3",
    place: "your program",
    text: `import boto3
from botocore.config import Config

s3 = boto3.client(
    "s3",
    endpoint_url="${endpoint}",
    region_name="${region}",
    aws_access_key_id="${key}",
    aws_secret_access_key="${secret}",
    config=Config(s3={"addressing_style": "path"}),
)
`,
    first: `s3.upload_file("hello.txt", "${bucket}", "hello.txt")`,
  }
}

function terraform({ endpoint, region, bucket, key, secret }: Access): Configuration {
  return {
    id: "terraform",
    title: "Terraform",
    place: "main.tf",
    text: `provider "aws" {
  access_key                  = "${key}"
  secret_key                  = "${secret}"
  region                      = "${region}"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  endpoints {
    s3 = "${endpoint}"
  }
}

resource "aws_s3_object" "hello" {
  bucket = "${bucket}"
  key    = "hello.txt"
  source = "hello.txt"
}
`,
    first: "terraform apply",
  }
}
