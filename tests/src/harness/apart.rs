//! The roles of one control plane as processes of their own, each with the login and the files that it needs,
//! for stories that take it for one.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::{
    databases::Database,
    split::{HUB_FILES, WEB_FILES},
    tools::said,
};

/// The roles, in the order in which they are started.
pub const ROLES: [&str; 3] = ["signer", "hub", "web"];

/// What they share.
#[derive(Debug, Clone)]
pub struct Apart {
    /// Their database.
    pub database: Database,
}

impl Apart {
    /// With an empty database.
    pub fn prepare() -> Result<Self> {
        Ok(Self {
            database: Database::new_now()?,
        })
    }

    /// Sets the database up as its owner, and puts the grants in force. `command` makes a `storm-buckets` whose
    /// configuration names the owner.
    pub fn set_up(&self, command: impl Fn(&[&str]) -> Result<Command>) -> Result<()> {
        for arguments in [&["db", "migrate"], &["db", "roles"]] {
            let output = command(arguments)?.output()?;
            ensure!(
                output.status.success(),
                "{arguments:?} failed: {}",
                said(&output)
            );
            if arguments[1] == "roles" {
                self.database
                    .grant_now(&String::from_utf8(output.stdout)?)?;
            }
        }
        Ok(())
    }

    /// The configuration of one role, made from the owner's at `config`. Its files of the owner's data directory
    /// are links, so that they follow.
    pub fn configuration(&self, role: &str, config: &Path, data: &Path) -> Result<PathBuf> {
        let text = fs::read_to_string(config)?;
        let text = text.replace(&self.database.owner_url(), &self.database.role_url(role));
        let text = match role {
            "signer" => unwatched(&text)?,
            "hub" => with_data(&unwatched(&text)?, data, role, &HUB_FILES)?,
            _ => with_data(&text, data, role, &WEB_FILES)?,
        };
        let own = config.with_file_name(format!("config-{role}.toml"));
        fs::write(&own, text)?;
        Ok(own)
    }
}

/// Without the listener for machines, which one process alone can have at its address.
fn unwatched(text: &str) -> Result<String> {
    let (before, rest) = text.split_once("[status]\n").context("no [status]")?;
    let (_, after) = rest.split_once('\n').context("no line after it")?;
    Ok(format!("{before}{after}"))
}

fn with_data(text: &str, data: &Path, role: &str, files: &[&str]) -> Result<String> {
    let own = data.with_file_name(format!("data-{role}"));
    for directory in [own.clone(), own.join("keys")] {
        fs::create_dir_all(&directory)?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    }
    for file in files {
        let link = own.join(file);
        if !link.is_symlink() {
            symlink(data.join(file), &link).with_context(|| (*file).to_owned())?;
        }
    }
    let line = format!("data_dir = \"{}\"", data.display());
    ensure!(text.contains(&line), "data_dir stands elsewhere");
    Ok(text.replace(&line, &format!("data_dir = \"{}\"", own.display())))
}
