//! Terms: which process has a role that one at a time may have. A store that is bound to a term changes
//! nothing once a later one has begun, whatever its process believes.

use tokio_util::sync::CancellationToken;

use super::{Durability, Result, Store, StoreError, sql::Connection};

/// What a store is bound to.
#[derive(Clone)]
pub(super) struct Fence {
    role: &'static str,
    term: i64,
    ended: CancellationToken,
}

impl Fence {
    /// Refuses when a later term has begun, and ends what is done in this one. Changes come one after
    /// the other, so that what this finds stands until the change is committed.
    pub(super) async fn check(&self, connection: &mut Connection) -> Result<()> {
        let term: Option<i64> = sqlx::query_scalar("SELECT term FROM terms WHERE role = $1")
            .bind(self.role)
            .fetch_optional(connection)
            .await?;
        if term == Some(self.term) {
            return Ok(());
        }
        self.ended.cancel();
        Err(StoreError::Superseded(self.role))
    }
}

impl Store {
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
        let strange: Option<i64> =
            sqlx::query_scalar("SELECT term FROM terms WHERE root_key <> $1 LIMIT 1")
                .bind(root_key)
                .fetch_optional(&mut *transaction)
                .await?;
        if strange.is_some() {
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
        let fence = Fence {
            role,
            term,
            ended: ended.clone(),
        };
        Ok(Some(Self {
            fence: Some(fence),
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
        let hub = store.begin_term("hub", "root", &second_ended).await;
        first.no_agent_connected().await.unwrap();
        let second = store.begin_term("signer", "root", &second_ended).await;
        let second = second.unwrap().unwrap();
        assert!(matches!(
            first.no_agent_connected().await,
            Err(StoreError::Superseded("signer"))
        ));
        assert!(matches!(
            first.write_one(Durability::Machine).await.err(),
            Some(StoreError::Superseded("signer"))
        ));
        assert!(first_ended.is_cancelled());
        // Other roles and the newer term go on.
        second.no_agent_connected().await.unwrap();
        hub.unwrap().unwrap().no_agent_connected().await.unwrap();
        store.no_agent_connected().await.unwrap();
        assert!(!second_ended.is_cancelled());
    }

    #[tokio::test]
    async fn a_strangers_keys_get_no_term() {
        let world = World::new().await;
        let store = &world.app.store;
        let ended = CancellationToken::new();
        let first = store.begin_term("signer", "root", &ended).await.unwrap();
        for role in ["signer", "hub"] {
            let strange = store.begin_term(role, "another", &ended).await;
            assert!(strange.unwrap().is_none());
        }
        first.unwrap().no_agent_connected().await.unwrap();
        assert!(!ended.is_cancelled());
    }
}
