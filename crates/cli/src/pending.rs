//! Requests for secrets that are under way: kept with the one-time key that opens the answer, mode
//! 0600, from before the request is sent until the secret is in the person's hands, so that a lost
//! answer loses no secret.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use storm_protocol::{
    ident::{Digest, Micros, OperationId},
    seal::{OpenKey, SealKey},
};
use zeroize::Zeroizing;

use crate::{
    asked::Asked,
    change::new_idempotency_key,
    clock,
    errors::{Exit, fault},
    files, output,
};

const DIRECTORY: &str = "pending";

/// A request for a secret that has not been finished.
pub(crate) struct Pending {
    /// The idempotency key, which is also its name.
    pub(crate) id: String,
    /// The root key of the installation that was asked.
    pub(crate) root_key: Digest,
    /// What was asked.
    pub(crate) asked: Asked,
    /// Opens the secret.
    pub(crate) open_key: OpenKey,
    /// The operation, once the server has said it.
    pub(crate) operation: Option<OperationId>,
    /// When it was asked.
    pub(crate) made_at: Micros,
    /// Whether an earlier command sent it already.
    pub(crate) resumed: bool,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingFile {
    idempotency_key: String,
    root_key: Digest,
    asked: Asked,
    open_key: Zeroized,
    operation: Option<OperationId>,
    made_at: Micros,
}

/// The private key as base64, zeroed when dropped.
struct Zeroized(Zeroizing<String>);

impl Serialize for Zeroized {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Zeroized {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Pending {
    /// Keeps a new request before it is sent. `asked` makes it from the one-time key's public half.
    /// When the same was asked before and not finished, that one is given instead.
    ///
    /// # Errors
    /// When something else was asked before about the same thing and is not finished.
    pub(crate) fn begin(
        dir: &Path,
        root_key: Digest,
        asked: impl FnOnce(SealKey) -> Asked,
    ) -> Result<Self> {
        let open_key = OpenKey::generate();
        let asked = asked(open_key.seal_key());
        for pending in Self::all(dir)? {
            let same_thing = pending.root_key == root_key
                && pending.asked.command() == asked.command()
                && pending.asked.subject() == asked.subject()
                && pending.asked.region() == asked.region();
            if !same_thing {
                continue;
            }
            let seal_key = open_key.seal_key();
            if pending.asked.clone().sealed_to(seal_key) == asked {
                return Ok(pending);
            }
            let text = format!(
                "An earlier {} for {} asked for something else and is not finished. Finish it with: \
                 storm op resume {id} or drop it with: storm op resume --forget {id}",
                asked.command(),
                asked.subject(),
                id = pending.id
            );
            return Err(fault(Exit::Conflict, "pending", text));
        }
        let id = new_idempotency_key()?;
        let pending = Self {
            path: path(dir, &id),
            id,
            root_key,
            asked,
            open_key,
            operation: None,
            made_at: clock::now(),
            resumed: false,
        };
        files::create_private_dir(&dir.join(DIRECTORY))?;
        pending.save()?;
        Ok(pending)
    }

    /// All requests that are not finished, oldest first.
    pub(crate) fn all(dir: &Path) -> Result<Vec<Self>> {
        let Ok(entries) = std::fs::read_dir(dir.join(DIRECTORY)) else {
            return Ok(vec![]);
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "json") {
                match Self::load(path) {
                    Ok(pending) => all.push(pending),
                    Err(error) => output::note(&format!("storm: {error:#}")),
                }
            }
        }
        all.sort_by_key(|pending| pending.made_at);
        Ok(all)
    }

    /// The one with this id.
    pub(crate) fn find(dir: &Path, id: &str) -> Result<Self> {
        let found = Self::all(dir)?.into_iter().find(|pending| {
            pending.id == id
                || pending
                    .operation
                    .is_some_and(|known| known.to_string() == id)
        });
        found.ok_or_else(|| {
            let text =
                format!("No request {id} waits to be finished. List them with: storm op resume");
            fault(Exit::NotFound, "no_such_pending", text)
        })
    }

    /// Notes the operation that the server made of it.
    pub(crate) fn learn(&mut self, operation: OperationId) -> Result<()> {
        if self.operation == Some(operation) {
            return Ok(());
        }
        self.operation = Some(operation);
        self.save()
    }

    /// Forgets it, and with it the key that opens the secret.
    pub(crate) fn forget(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|error| {
            let text = format!("Cannot remove {}: {error}.", self.path.display());
            fault(Exit::Failed, "file", text)
        })
    }

    fn save(&self) -> Result<()> {
        let key = storm_protocol::encoding::encode(self.open_key.expose());
        let file = PendingFile {
            idempotency_key: self.id.clone(),
            root_key: self.root_key,
            asked: self.asked.clone(),
            open_key: Zeroized(Zeroizing::new(key)),
            operation: self.operation,
            made_at: self.made_at,
        };
        let bytes = Zeroizing::new(serde_json::to_vec(&file)?);
        files::write_private(&self.path, &bytes)
    }

    fn load(path: PathBuf) -> Result<Self> {
        let bytes = files::read_private(&path)?;
        let wrong = || {
            let text = format!("{} is not a kept request; it is left out.", path.display());
            fault(Exit::Failed, "bad_pending", text)
        };
        let file: PendingFile = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        let key = storm_protocol::encoding::decode(&file.open_key.0).map(Zeroizing::new);
        let key: [u8; 32] = key
            .and_then(|key| key.as_slice().try_into().ok())
            .ok_or_else(wrong)?;
        Ok(Self {
            id: file.idempotency_key,
            root_key: file.root_key,
            asked: file.asked,
            open_key: OpenKey::from_bytes(key),
            operation: file.operation,
            made_at: file.made_at,
            resumed: true,
            path,
        })
    }
}

fn path(dir: &Path, id: &str) -> PathBuf {
    dir.join(DIRECTORY).join(format!("{id}.json"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use storm_protocol::{api::CreateBucketRequest, ident::Limit};

    use super::*;
    use crate::asked::BucketAsked;

    fn asked(name: &str, quota: u64) -> impl FnOnce(SealKey) -> Asked {
        let request = CreateBucketRequest {
            region: None,
            name: name.parse().unwrap(),
            quota_bytes: Limit::new(quota),
            quota_objects: None,
            key: Some("first".parse().unwrap()),
            seal_to: None,
        };
        move |seal_key| {
            let seal_to = Some(seal_key);
            let request = CreateBucketRequest { seal_to, ..request };
            BucketAsked::BucketCreate { request }.into()
        }
    }

    #[test]
    fn the_same_request_goes_on_under_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let root = Digest::of(b"root");
        let mut first = Pending::begin(dir.path(), root, asked("photos", 5)).unwrap();
        assert!(!first.resumed);
        let mode = std::fs::metadata(&first.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let operation = OperationId::new(Micros(1), [1; 10]);
        first.learn(operation).unwrap();

        let second = Pending::begin(dir.path(), root, asked("photos", 5)).unwrap();
        assert!(second.resumed);
        assert_eq!(second.id, first.id);
        assert_eq!(second.operation, Some(operation));
        assert_eq!(second.asked, first.asked);
        assert_eq!(second.open_key.seal_key(), first.open_key.seal_key());
        assert_eq!(first.asked.seal_to(), Some(first.open_key.seal_key()));

        assert!(Pending::begin(dir.path(), root, asked("photos", 6)).is_err());
        let other = Digest::of(b"other");
        assert!(
            !Pending::begin(dir.path(), other, asked("photos", 6))
                .unwrap()
                .resumed
        );
        assert!(
            !Pending::begin(dir.path(), root, asked("music", 6))
                .unwrap()
                .resumed
        );
        assert_eq!(Pending::all(dir.path()).unwrap().len(), 3);

        assert_eq!(
            Pending::find(dir.path(), &operation.to_string())
                .unwrap()
                .id,
            first.id
        );
        second.forget().unwrap();
        assert!(Pending::find(dir.path(), &first.id).is_err());
        assert!(
            !Pending::begin(dir.path(), root, asked("photos", 6))
                .unwrap()
                .resumed
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = Digest::of(b"root");
        let pending = Pending::begin(dir.path(), root, asked("photos", 5)).unwrap();
        let loose = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&pending.path, loose).unwrap();
        assert!(Pending::all(dir.path()).unwrap().is_empty());
    }
}
