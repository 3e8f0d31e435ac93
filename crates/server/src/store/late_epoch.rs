//! Epochs of a region that its agents have seen and this database has not: it was restored from a backup that is
//! older than a move of the executor's role.

use storm_protocol::ident::{AgentId, Micros, RegionName};

use super::{Durability, Result, Store, security::SecurityEvent, to_big};

/// How far an agent may say to be ahead. A role moves a few times a year; and whoever claims more cannot
/// bring the count to its end.
const MOST_EPOCHS: u64 = 1_000;
/// Seconds in which an agent's word counts once. One word is enough for a restored database, which has forgotten
/// the one before with all else that came after its backup.
const CLAIM_SECONDS: i64 = 3600;

/// What comes of an agent's word that it has seen a later epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A new epoch has begun.
    Passed,
    /// It is no later one than this database knows, or too far away to be true.
    Idle,
    /// The agent's word has counted a short while ago; nothing was changed.
    TooSoon,
}

impl Store {
    /// Begins an epoch after the one that an agent has seen, for whoever has the role, where that is a later one
    /// than this database knows. Noted among the security events. On disk when this returns.
    pub(crate) async fn pass_epoch(
        &self,
        region: &RegionName,
        agent: AgentId,
        seen: u64,
        now: Micros,
    ) -> Result<Claim> {
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
        if !passed {
            return Ok(Claim::Idle);
        }
        let counts = sqlx::query(
            // A time to come is that of a clock that was ahead.
            "INSERT INTO epoch_claims (agent, counted_at) VALUES ($1, $2) \
             ON CONFLICT (agent) DO UPDATE SET counted_at = $2 \
             WHERE epoch_claims.counted_at <= $3 OR epoch_claims.counted_at > $2",
        )
        .bind(agent.to_string())
        .bind(now.0)
        .bind(now.plus_seconds(-CLAIM_SECONDS).0)
        .execute(&mut *change)
        .await?
        .rows_affected()
            > 0;
        if !counts {
            // What was done to the region is not kept.
            return Ok(Claim::TooSoon);
        }
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
        change.commit().await?;
        Ok(Claim::Passed)
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::AgentId;

    use super::{CLAIM_SECONDS, Claim, MOST_EPOCHS};
    use crate::testing::World;

    fn agents() -> [AgentId; 2] {
        [1, 2].map(|last| {
            format!("019a0000-0000-7000-8000-00000000000{last}")
                .parse()
                .unwrap()
        })
    }

    async fn claim(world: &World, agent: AgentId, seen: u64) -> Claim {
        let (store, now) = (&world.app.store, world.app.clock.now());
        let claim = store.pass_epoch(&world.region, agent, seen, now);
        claim.await.unwrap()
    }

    async fn epoch(world: &World) -> i64 {
        world.count("SELECT epoch FROM regions").await
    }

    const NOTED: &str = "SELECT COUNT(*) FROM security_events WHERE kind = 'epoch_passed'";

    #[tokio::test]
    async fn an_epoch_that_was_seen_is_passed_and_none_that_nobody_can_have_seen() {
        let world = World::new().await;
        let [agent, other] = agents();
        assert_eq!(epoch(&world).await, 0);
        assert_eq!(claim(&world, agent, 0).await, Claim::Idle);
        assert_eq!(claim(&world, agent, 2).await, Claim::Passed);
        assert_eq!(epoch(&world).await, 3);
        // Each of its agents says so; one is enough.
        for seen in [2, 3] {
            assert_eq!(claim(&world, other, seen).await, Claim::Idle, "{seen}");
        }
        for too_far in [4 + MOST_EPOCHS, u64::MAX] {
            assert_eq!(
                claim(&world, other, too_far).await,
                Claim::Idle,
                "{too_far}"
            );
        }
        assert_eq!(epoch(&world).await, 3);
        assert_eq!(world.count(NOTED).await, 1);
    }

    #[tokio::test]
    async fn an_agent_that_claims_again_and_again_counts_once_and_keeps_no_other_from_it() {
        let world = World::new().await;
        let [liar, honest] = agents();
        assert_eq!(claim(&world, liar, 5).await, Claim::Passed);
        for seen in 7..50 {
            assert_eq!(claim(&world, liar, seen).await, Claim::TooSoon);
        }
        assert_eq!((epoch(&world).await, world.count(NOTED).await), (6, 1));
        assert_eq!(claim(&world, honest, 8).await, Claim::Passed);
        assert_eq!((epoch(&world).await, world.count(NOTED).await), (9, 2));
        world.clock.advance_seconds(CLAIM_SECONDS);
        assert_eq!(claim(&world, liar, 10).await, Claim::Passed);
        assert_eq!((epoch(&world).await, world.count(NOTED).await), (11, 3));
        // A clock that was ahead keeps nobody from being believed.
        world.clock.advance_seconds(-10 * CLAIM_SECONDS);
        assert_eq!(claim(&world, liar, 12).await, Claim::Passed);
    }
}
