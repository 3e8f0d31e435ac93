//! The archive: operations that ended long ago, out of the way of all that works on the others. Nothing is
//! forgotten of what the API answers; a page of operations goes on into the archive by itself.

use std::cmp::Reverse;

use sqlx::Row as _;
use storm_protocol::{
    api::{Operation, OperationStatus},
    ident::{AccountId, Micros, OperationId},
};

use super::{
    Durability, Result, Store, from_json,
    operations::{operation_columns, read_operation},
    sql::{Builder, Record},
    to_json,
    views::{Which, rows_of},
};

const TABLE: &str = "archived_operations";
/// Operations that one transaction moves: others that write wait for it.
pub(crate) const MOVED_AT_ONCE: i64 = 500;

/// The states of operations that have ended; `unknown` may still come to an end.
macro_rules! ended {
    () => {
        "state IN ('done', 'failed', 'refused', 'expired', 'cancelled')"
    };
}

impl Store {
    /// Moves operations that ended before `before` into the archive, the oldest first, at most
    /// [`MOVED_AT_ONCE`]; gives how many. Their idempotency keys are forgotten.
    pub(crate) async fn archive_operations(&self, before: Micros) -> Result<i64> {
        let mut change = self.write(Durability::Process).await?;
        let rows = sqlx::query(concat!(
            "SELECT ",
            operation_columns!(),
            " FROM operations WHERE id < $1 AND ",
            ended!(),
            " AND finished_at < $2 AND sealed IS NULL ORDER BY id LIMIT $3"
        ))
        // None that is newer can have ended by then.
        .bind(OperationId::new(before, [0; 10]).to_string())
        .bind(before.0)
        .bind(MOVED_AT_ONCE)
        .fetch_all(&mut *change)
        .await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut moved = 0;
        for row in &rows {
            let operation = read_operation(row)?;
            let id = operation.id.to_string();
            sqlx::query(
                // One that came back by a late receipt is archived anew.
                "INSERT INTO archived_operations (id, account, state, operation) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, operation = excluded.operation",
            )
            .bind(&id)
            .bind(operation.actor.account.to_string())
            .bind(operation.state.as_str())
            .bind(to_json(TABLE, &operation)?)
            .execute(&mut *change)
            .await?;
            sqlx::query("DELETE FROM operations WHERE id = $1")
                .bind(&id)
                .execute(&mut *change)
                .await?;
            moved += 1;
        }
        change.commit().await?;
        Ok(moved)
    }

    /// An archived operation, whoever's it is.
    pub(super) async fn archived_operation(&self, id: OperationId) -> Result<Option<Operation>> {
        let row = sqlx::query("SELECT operation FROM archived_operations WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.as_ref().map(read_archived).transpose()
    }

    /// An account's archived operations, newest first, older than `before`, at most `limit`.
    pub(super) async fn archived_operations(
        &self,
        account: AccountId,
        state: Option<OperationStatus>,
        before: &str,
        limit: usize,
    ) -> Result<Vec<Operation>> {
        let mut query = Builder::new("SELECT operation FROM archived_operations WHERE account = ");
        query.push_bind(account.to_string());
        if let Some(state) = state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
        query.push(" AND id < ").push_bind(before.to_owned());
        query
            .push(" ORDER BY id DESC LIMIT ")
            .push_bind(rows_of(limit));
        let rows = query.build().fetch_all(&mut *self.read().await?).await?;
        rows.iter().map(read_archived).collect()
    }

    /// Everyone's archived operations, newest first, older than `before`, at most `limit`.
    pub(super) async fn everyones_archived_operations(
        &self,
        which: Which,
        before: &str,
        limit: usize,
    ) -> Result<Vec<Operation>> {
        let query = match which {
            Which::Open => return Ok(vec![]),
            Which::All => {
                "SELECT operation FROM archived_operations WHERE id < $1 ORDER BY id DESC LIMIT $2"
            }
            Which::NotDone => {
                "SELECT operation FROM archived_operations \
                 WHERE state IN ('failed', 'refused', 'expired') AND id < $1 ORDER BY id DESC LIMIT $2"
            }
        };
        let rows = sqlx::query(query)
            .bind(before.to_owned())
            .bind(rows_of(limit))
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.iter().map(read_archived).collect()
    }
}

/// The newest `limit` of both, newest first, as both are.
pub(super) fn merged(
    live: Vec<Operation>,
    archived: Vec<Operation>,
    limit: usize,
) -> Vec<Operation> {
    let mut all = live;
    all.extend(archived);
    all.sort_by_key(|operation| Reverse(operation.id));
    // One that was moved between the two reads is in both, one with a late receipt, too: what lives counts.
    all.dedup_by(|one, other| one.id == other.id);
    all.truncate(limit);
    all
}

fn read_archived(row: &Record) -> Result<Operation> {
    from_json(TABLE, row.try_get("operation")?)
}

#[cfg(test)]
mod tests {
    use storm_protocol::{
        api::OperationStatus,
        command::{AgentPing, Command},
        ident::Micros,
    };

    use crate::{
        store::{operations::Requested, views::Which},
        testing::World,
    };

    /// Operations of which a third are done, a third failed, a third open, an hour after each other.
    async fn filled(world: &World) {
        for number in 0..9 {
            let mut new = world.request(&world.customer, Command::AgentPing(AgentPing {}));
            new.idempotency_key = Some(format!("key-{number}"));
            let id = new.id;
            let asked = world.app.store.request_operation(new).await.unwrap();
            assert!(matches!(asked, Requested::New(_)));
            let state = ["done", "failed", "sent"][number % 3];
            let finished_at = match state {
                "sent" => "NULL".to_owned(),
                _ => world.app.clock.now().0.to_string(),
            };
            world
                .sql(&format!(
                    "UPDATE operations SET state = '{state}', finished_at = {finished_at} WHERE id = '{id}'"
                ))
                .await;
            world.clock.advance_seconds(3600);
        }
    }

    #[tokio::test]
    async fn what_is_archived_is_answered_as_before() {
        let world = World::new().await;
        filled(&world).await;
        let (store, account) = (&world.app.store, world.customer.account);
        let pages = async || {
            let mut pages = vec![];
            for state in [
                None,
                Some(OperationStatus::Failed),
                Some(OperationStatus::Sent),
            ] {
                let first = store.operations(account, state, None, 2).await.unwrap();
                let before = first.last().map(|last| last.id);
                let rest = store.operations(account, state, before, 99).await.unwrap();
                pages.extend([first, rest]);
            }
            for which in [Which::All, Which::Open, Which::NotDone] {
                pages.push(store.everyones_operations(which, None, 7).await.unwrap());
            }
            pages
        };
        let before = pages().await;
        assert_eq!(
            before.iter().map(Vec::len).sum::<usize>(),
            9 + 3 + 3 + 7 + 3 + 3
        );
        let cut = Micros(world.app.clock.now().0 - 4 * 3_600_000_000 - 1);
        assert_eq!(store.archive_operations(cut).await.unwrap(), 4);
        assert_eq!(store.archive_operations(cut).await.unwrap(), 0);
        assert_eq!(pages().await, before);
        for operation in &before[1] {
            let one = store.operation(operation.id).await.unwrap();
            assert_eq!(one.as_ref(), Some(operation));
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM operations").await, 5);
        // The names of archived requests can be used anew.
        let mut new = world.request(&world.customer, Command::AgentPing(AgentPing {}));
        new.idempotency_key = Some("key-0".to_owned());
        let asked = store.request_operation(new).await.unwrap();
        assert!(matches!(asked, Requested::New(_)));
    }

    #[tokio::test]
    async fn a_secret_that_waits_keeps_its_operation() {
        let world = World::new().await;
        filled(&world).await;
        world
            .sql("UPDATE operations SET sealed = '{}' WHERE state = 'done'")
            .await;
        let now = world.app.clock.now();
        assert_eq!(world.app.store.archive_operations(now).await.unwrap(), 3);
    }

    #[tokio::test]
    async fn one_that_came_back_is_archived_anew() {
        let world = World::new().await;
        filled(&world).await;
        let now = world.app.clock.now();
        let store = &world.app.store;
        assert_eq!(store.archive_operations(now).await.unwrap(), 6);
        world
            .sql("UPDATE operations SET state = 'done', finished_at = 1 WHERE state = 'sent'")
            .await;
        world
            .sql(
                "INSERT INTO archived_operations SELECT id, account, 'expired', '{}' FROM operations",
            )
            .await;
        assert_eq!(store.archive_operations(now).await.unwrap(), 3);
        let states = "SELECT COUNT(*) FROM archived_operations WHERE state = 'done'";
        assert_eq!(world.count(states).await, 6);
    }
}
