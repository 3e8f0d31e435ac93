//! Epochs of a region that its agents have seen and this database has not: it was restored from a backup that is
//! older than a move of the executor's role.

use storm_protocol::ident::{AgentId, Micros, RegionName};

use super::{Durability, Result, Store, security::SecurityEvent, to_big};

/// How far an agent may say to be ahead. A role moves a few times a year; and whoever claims more cannot
/// bring the count to its end.
const MOST_EPOCHS: u64 = 1_000;

impl Store {
    /// Begins an epoch after the one that an agent has seen, for whoever has the role, where that is a later one
    /// than this database knows. Noted among the security events. `false`: it is not, or too far away to be
    /// true. On disk when this returns.
    pub(crate) async fn pass_epoch(
        &self,
        region: &RegionName,
        agent: AgentId,
        seen: u64,
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write(Durability::Machine).await?;
        let passed = sqlx::query(
            "UPDATE regions SET epoch = $2 WHERE name = $1 AND epoch < $3 AND epoch >= $4",
        )
        .bind(region.as_str())
        // Added here: the largest there is has no next one.
        .bind(to_big(seen).saturating_add(1))
        .bind(to_big(seen))
        .bind(to_big(seen).saturating_sub(to_big(MOST_EPOCHS)))
        .execute(&mut *change)
        .await?
        .rows_affected()
            > 0;
        if passed {
            let event = SecurityEvent {
                kind: "epoch_passed",
                subject: region.as_str(),
                origin: None,
                detail: &format!(
                    "agent {agent} has seen epoch {seen} of its executor, which this database had not: as after \
                     the restoration of an old backup"
                ),
            };
            event.insert(&mut change, now).await?;
        }
        change.commit().await?;
        Ok(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::MOST_EPOCHS;
    use crate::testing::World;

    #[tokio::test]
    async fn an_epoch_that_was_seen_is_passed_and_none_that_nobody_can_have_seen() {
        let world = World::new().await;
        let agent = "019a0000-0000-7000-8000-000000000001".parse().unwrap();
        let passed = async |seen| {
            let now = world.app.clock.now();
            let store = &world.app.store;
            store.pass_epoch(&world.region, agent, seen, now).await
        };
        let epoch = async || world.count("SELECT epoch FROM regions").await;
        assert_eq!(epoch().await, 0);
        assert!(!passed(0).await.unwrap());
        assert!(passed(2).await.unwrap());
        assert_eq!(epoch().await, 3);
        // Each of its agents says so; one is enough.
        assert!(!passed(2).await.unwrap() && !passed(3).await.unwrap());
        for too_far in [4 + MOST_EPOCHS, u64::MAX] {
            assert!(!passed(too_far).await.unwrap(), "{too_far}");
        }
        assert_eq!(epoch().await, 3);
        let noted = "SELECT COUNT(*) FROM security_events WHERE kind = 'epoch_passed'";
        assert_eq!(world.count(noted).await, 1);
    }
}
