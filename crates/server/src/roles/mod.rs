//! The roles of the binary, and what each of them runs. `seat` lets one process at a time be the signer,
//! `watch` finds hubs that are dead; `link` carries wakes between processes.

#[cfg(test)]
mod grants_tests;
mod hub;
pub(crate) mod link;
pub(crate) mod progress;
mod seat;
pub(crate) mod set_up;
mod signer;
mod watch;

use anyhow::bail;
use clap::ValueEnum;

pub(crate) use self::{hub::run as hub, signer::run as signer};
use crate::{keys::Files, store::Place};

/// What each role may do in a database on PostgreSQL.
pub(crate) const GRANTS: &str = include_str!("roles.sql");

/// A part of the control plane that a process may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The API and the dashboard.
    Web,
    /// Signs commands, issues certificates, sends e-mail and keeps order; one at a time.
    Signer,
    /// Holds agents' connections.
    Hub,
}

/// The roles of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) web: bool,
    pub(crate) signer: bool,
    pub(crate) hub: bool,
}

impl Roles {
    /// Those that were named; all when none was.
    pub(crate) fn of(named: &[Role]) -> Self {
        let has = |role| named.is_empty() || named.contains(&role);
        Self {
            web: has(Role::Web),
            signer: has(Role::Signer),
            hub: has(Role::Hub),
        }
    }

    fn are_all(self) -> bool {
        self.web && self.signer && self.hub
    }

    /// Whether they can be apart in this database, and have the files that other machines make.
    pub(crate) fn check(self, place: &Place, files: &Files) -> anyhow::Result<()> {
        if matches!(place, Place::File(_)) && !self.are_all() {
            bail!(
                "roles run apart only on PostgreSQL, and {place} is SQLite: leave --role out, or name a server \
                 in [database] url"
            );
        }
        if self.signer {
            return Ok(());
        }
        let mut needed = vec![files.trust(), files.root_public()];
        if self.web {
            needed.push(files.second_factor_key());
        }
        if let Some(missing) = needed.iter().find(|path| !path.exists()) {
            bail!(
                "{} is missing: start a process with --role signer first, and copy that file from its data_dir",
                missing.display()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Role, Roles};
    use crate::{keys::Files, store::Place};

    #[test]
    fn no_name_is_all_of_them() {
        let all = Roles::of(&[]);
        assert!(all.web && all.signer && all.hub);
        assert_eq!(Roles::of(&[Role::Hub, Role::Signer, Role::Web]), all);
        let web = Roles::of(&[Role::Web]);
        assert!(web.web && !web.signer && !web.hub);
    }

    #[test]
    fn a_file_is_served_by_one_process_with_all_roles() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path());
        let file = Place::File(dir.path().join("storm.db"));
        Roles::of(&[]).check(&file, &files).unwrap();
        let words = Roles::of(&[Role::Signer]).check(&file, &files).unwrap_err();
        assert!(words.to_string().contains("only on PostgreSQL"), "{words}");
    }

    #[test]
    fn web_and_hub_name_the_file_that_they_lack_and_want_no_private_key() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path());
        let server = Place::Server("postgres://db/storm".into());
        let lack = |roles: Roles| roles.check(&server, &files).unwrap_err().to_string();
        let (web, hub) = (Roles::of(&[Role::Web]), Roles::of(&[Role::Hub]));
        assert!(lack(hub).contains("trust.json"));
        fs::write(files.trust(), "").unwrap();
        assert!(lack(web).contains("root.pub"));
        fs::write(files.root_public(), "").unwrap();
        hub.check(&server, &files).unwrap();
        assert!(lack(web).contains("second-factor.key"));
        Roles::of(&[Role::Signer]).check(&server, &files).unwrap();
    }
}
