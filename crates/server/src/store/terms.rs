//! Terms: which process has a role that one at a time may have. A store that is bound to a term, or to a
//! hub's row, changes nothing once a later one has begun or the row is gone, whatever its process believes.

use tokio_util::sync::CancellationToken;

use super::{Durability, Result, Store, StoreError, sql::Connection};

/// What a store is bound to.
#[derive(Clone)]
pub(super) struct Fence {
    role: &'static str,
    holds: Holds,
    ended: CancellationToken,
}

/// What has to stand in the database.
#[derive(Clone)]
pub(super) enum Holds {
    /// This term of the role, as its last.
    Term(i64),
    /// The row of this hub.
    Hub(String),
}

impl Fence {
    pub(super) fn new(role: &'static str, holds: Holds, ended: &CancellationToken) -> Self {
        let ended = ended.clone();
        Self { role, holds, ended }
    }

    /// Refuses when that does not stand there any more, and ends what is done by it. Changes come one after
    /// the other, so that what this finds stands until the change is committed.
    pub(super) async fn check(&self, connection: &mut Connection) -> Result<()> {
        let stands: Option<i64> = match &self.holds {
            Holds::Term(term) => {
                sqlx::query_scalar("SELECT 1 FROM terms WHERE role = $1 AND term = $2")
                    .bind(self.role)
                    .bind(term)
                    .fetch_optional(connection)
                    .await?
            }
            Holds::Hub(id) => {
                sqlx::query_scalar("SELECT 1 FROM hubs WHERE id = $1")
                    .bind(id)
                    .fetch_optional(connection)
                    .await?
            }
        };
        if stands.is_some() {
            return Ok(());
        }
        self.ended.cancel();
        Err(StoreError::Superseded(self.role))
    }
}

/// Whether the database is that of an installation with another root key.
pub(super) async fn is_strange(connection: &mut Connection, root_key: &str) -> Result<bool> {
    let strange: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM terms WHERE root_key <> $1 LIMIT 1")
            .bind(root_key)
            .fetch_optional(connection)
            .await?;
    Ok(strange.is_some())
}

impl Store {
    /// Whether some installation has made this database its own.
    pub(crate) async fn is_claimed(&self) -> Result<bool> {
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM terms LIMIT 1")
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(any.is_some())
    }

    /// Makes the database that of the installation with this root key. `false`: it is another one's.
    pub(crate) async fn claim(&self, root_key: &str) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        if is_strange(&mut transaction, root_key).await? {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO terms (role, term, root_key) VALUES ('signer', 0, $1) \
             ON CONFLICT (role) DO NOTHING",
        )
        .bind(root_key)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Begins the next term of `role` for an installation with this root key. The store that comes back
    /// works in it, and cancels `ended` when it finds that it is over. `None`: the database is another
    /// installation's.
    pub(crate) async fn begin_term(
        &self,
        role: &'static str,
        root_key: &str,
        ended: &CancellationToken,
    ) -> Result<Option<Self>> {
        let mut transaction = self.write(Durability::Machine).await?;
        if is_strange(&mut transaction, root_key).await? {
            return Ok(None);
        }
        let term: i64 = sqlx::query_scalar(
            "INSERT INTO terms (role, term, root_key) VALUES ($1, 1, $2) \
             ON CONFLICT (role) DO UPDATE SET term = terms.term + 1 RETURNING term",
        )
        .bind(role)
        .bind(root_key)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(Self {
            fence: Some(Fence::new(role, Holds::Term(term), ended)),
            ..self.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use crate::{
        store::{Durability, StoreError},
        testing::World,
    };

    #[tokio::test]
    async fn who_was_superseded_changes_nothing() {
        let world = World::new().await;
        let store = &world.app.store;
        let (first_ended, second_ended) = (CancellationToken::new(), CancellationToken::new());
        let first = store.begin_term("signer", "root", &first_ended).await;
        let first = first.unwrap().unwrap();
        first.hub_beats("none").await.unwrap();
        let second = store.begin_term("signer", "root", &second_ended).await;
        let second = second.unwrap().unwrap();
        assert!(matches!(
            first.hub_beats("none").await,
            Err(StoreError::Superseded("signer"))
        ));
        assert!(matches!(
            first.write(Durability::Machine).await.err(),
            Some(StoreError::Superseded("signer"))
        ));
        assert!(first_ended.is_cancelled());
        // The newer term and who has none go on.
        second.hub_beats("none").await.unwrap();
        store.hub_beats("none").await.unwrap();
        assert!(!second_ended.is_cancelled());
    }

    #[tokio::test]
    async fn a_strangers_keys_get_no_term() {
        let world = World::new().await;
        let store = &world.app.store;
        let ended = CancellationToken::new();
        assert!(!store.is_claimed().await.unwrap());
        assert!(store.claim("root").await.unwrap());
        assert!(store.claim("root").await.unwrap());
        assert!(store.is_claimed().await.unwrap());
        assert!(!store.claim("another").await.unwrap());
        let first = store.begin_term("signer", "root", &ended).await.unwrap();
        let strange = store.begin_term("signer", "another", &ended).await;
        assert!(strange.unwrap().is_none());
        let now = world.app.clock.now();
        let strange = store.begin_hub("h", "here", "another", false, now, &ended);
        assert!(strange.await.unwrap().is_none());
        first.unwrap().hub_beats("none").await.unwrap();
        assert!(!ended.is_cancelled());
    }
}
