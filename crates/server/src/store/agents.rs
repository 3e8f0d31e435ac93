//! Agents: their keys, whether they are there, and why one is kept out.

use crate::store::sql::{Builder, Record};
use sqlx::Row;
use storm_protocol::{
    api::Agent,
    envelope::{Envelope, VerifyKey},
    ident::{AgentId, Digest, Micros, RegionName},
};

use super::{
    Durability, Result, Store, admission::ChainEnd, from_big, from_json, parsed, parsed_option,
    to_big, to_json,
};

const TABLE: &str = "agents";
/// Signs of life in one statement.
const SEEN_AT_ONCE: usize = 500;

macro_rules! agent_select {
    () => {
        "SELECT a.id, a.region, a.host, a.version, a.garage_version, a.connected, a.quarantined, \
         a.trouble, a.seen_at, a.clock_offset_micros, a.certificate_expires_at, a.receipts, a.not_offered, \
         a.statement, CASE WHEN r.executor = a.id THEN 1 ELSE 0 END AS executor \
         FROM agents a JOIN regions r ON r.name = a.region "
    };
}

/// What the hub has to know of an agent that connects.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The agent.
    pub id: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Verifies its receipts and heads.
    pub receipt_key: VerifyKey,
    /// The digest of its certificate's key.
    pub tls_key: Digest,
    /// The same of a renewed certificate that was not used yet.
    pub renewed_tls_key: Option<Digest>,
    /// When the last certificate ends that this database knows of.
    pub certificate_expires_at: Option<Micros>,
    /// Why it is kept out until an operator decides.
    pub quarantined: Option<String>,
    /// Where its chain ended when it was turned away.
    pub refused: Option<ChainEnd>,
    /// Whether it was removed.
    pub revoked: bool,
    /// The sequence of the last stored receipt.
    pub receipts: u64,
    /// That receipt's identity.
    pub head: Option<Digest>,
    /// The last stored inventory.
    pub generation: u64,
    /// Whether it is its region's executor.
    pub executor: bool,
    /// Its region's executor epoch.
    pub epoch: u64,
}

/// What an agent says of itself when it connects.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// Its version.
    pub version: String,
    /// Garage's version on its node.
    pub garage_version: Option<String>,
    /// Commands that are not offered there.
    pub not_offered: Vec<String>,
    /// The trust document that it holds.
    pub trust_serial: u64,
    /// Its clock less ours, in microseconds.
    pub clock_offset_micros: i64,
    /// The key of the certificate that it came with.
    pub tls_key: Digest,
}

/// What the hub has to know of an agent that has come in.
#[derive(Debug, Clone, Copy)]
pub struct Entered {
    /// Whether it is its region's executor.
    pub executor: bool,
    /// Its region's executor epoch.
    pub epoch: u64,
    /// Whether signed commands wait for it.
    pub commands: bool,
    /// Whether it was given commands that it has not answered.
    pub unanswered: bool,
    /// Whether another hub held it until now.
    pub elsewhere: bool,
}

/// A sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// When.
    pub at: Micros,
    /// Its clock less ours, in microseconds.
    pub clock_offset_micros: i64,
}

impl Store {
    /// The agents that were not removed, by region and id, after this place, at most `limit`.
    pub async fn agents(&self, after: (&str, &str), limit: i64) -> Result<Vec<Agent>> {
        let (region, id) = after;
        let rows = sqlx::query(concat!(
            agent_select!(),
            "WHERE a.revoked_at IS NULL AND (a.region, a.id) > ($1, $2) \
             ORDER BY a.region, a.id LIMIT $3"
        ))
        .bind(region)
        .bind(id)
        .bind(limit)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_agent).collect()
    }

    /// One agent, unless it was removed.
    pub async fn standing_agent(&self, id: AgentId) -> Result<Option<Agent>> {
        let row = sqlx::query(concat!(
            agent_select!(),
            "WHERE a.id = $1 AND a.revoked_at IS NULL"
        ))
        .bind(id.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.as_ref().map(read_agent).transpose()
    }

    /// One agent.
    pub async fn agent(&self, id: AgentId) -> Result<Option<Agent>> {
        let row = sqlx::query(concat!(agent_select!(), "WHERE a.id = $1"))
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.as_ref().map(read_agent).transpose()
    }

    /// The statement of every agent that ever enrolled: with them anyone checks receipts.
    pub async fn agent_statements(&self) -> Result<Vec<Envelope>> {
        let texts: Vec<String> = sqlx::query_scalar("SELECT statement FROM agents ORDER BY id")
            .fetch_all(&mut *self.read().await?)
            .await?;
        texts.iter().map(|text| from_json(TABLE, text)).collect()
    }

    /// What the hub has to know of an agent that connects.
    pub async fn registered_agent(&self, id: AgentId) -> Result<Option<Registered>> {
        let row = sqlx::query(
            "SELECT a.id, a.region, a.receipt_key, a.tls_key, a.renewed_tls_key, \
             a.certificate_expires_at, a.quarantined, a.refused_receipts, a.refused_head, a.revoked_at, a.receipts, a.head, a.generation, r.epoch, \
             CASE WHEN r.executor = a.id THEN 1 ELSE 0 END AS executor \
             FROM agents a JOIN regions r ON r.name = a.region WHERE a.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Registered {
            id: parsed(TABLE, row.try_get("id")?)?,
            region: parsed(TABLE, row.try_get("region")?)?,
            receipt_key: parsed(TABLE, row.try_get("receipt_key")?)?,
            tls_key: parsed(TABLE, row.try_get("tls_key")?)?,
            renewed_tls_key: parsed_option(TABLE, row.try_get("renewed_tls_key")?)?,
            certificate_expires_at: read_end(&row)?,
            quarantined: row.try_get("quarantined")?,
            refused: read_refused(&row)?,
            revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
            receipts: from_big(TABLE, row.try_get("receipts")?)?,
            head: parsed_option(TABLE, row.try_get("head")?)?,
            generation: from_big(TABLE, row.try_get("generation")?)?,
            executor: row.try_get::<i64, _>("executor")? != 0,
            epoch: from_big(TABLE, row.try_get("epoch")?)?,
        }))
    }

    /// An agent is there, at this hub and at no other one from now on. Its enrolment token is spent by that,
    /// and a renewed key that it came with replaces the one before.
    pub async fn agent_connected(
        &self,
        id: AgentId,
        hub: &str,
        said: &Introduction,
        now: Micros,
    ) -> Result<Entered> {
        let mut transaction = self.write(Durability::Process).await?;
        let row = sqlx::query(
            "SELECT a.seen_at, r.epoch, CASE WHEN r.executor = a.id THEN 1 ELSE 0 END AS executor, \
             (SELECT COUNT(*) FROM operations o WHERE o.agent = a.id AND o.state = 'signed') AS commands, \
             (SELECT COUNT(*) FROM operations o WHERE o.agent = a.id \
              AND o.state IN ('sent', 'accepted', 'unknown')) AS unanswered, \
             (SELECT h.hub FROM hub_agents h WHERE h.agent = a.id) AS hub \
             FROM agents a JOIN regions r ON r.name = a.region WHERE a.id = $1",
        )
        .bind(id.to_string())
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE agents SET connected = 1, trouble = NULL, seen_at = $2, version = $3, garage_version = $4, \
             not_offered = $5, trust_serial = $6, clock_offset_micros = $7, \
             renewed_tls_key = CASE WHEN tls_key = $8 THEN renewed_tls_key ELSE NULL END, tls_key = $8 \
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(now.0)
        .bind(&said.version)
        .bind(&said.garage_version)
        .bind(to_json(TABLE, &said.not_offered)?)
        .bind(to_big(said.trust_serial))
        .bind(said.clock_offset_micros)
        .bind(said.tls_key.to_string())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO hub_agents (agent, hub) VALUES ($1, $2) \
             ON CONFLICT (agent) DO UPDATE SET hub = $2",
        )
        .bind(id.to_string())
        .bind(hub)
        .execute(&mut *transaction)
        .await?;
        // By its first connection alone: nobody looks through all tokens each time.
        if row.try_get::<Option<i64>, _>("seen_at")?.is_none() {
            sqlx::query(
                "UPDATE enrol_tokens SET spent_at = $2 WHERE agent = $1 AND spent_at IS NULL",
            )
            .bind(id.to_string())
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(Entered {
            executor: row.try_get::<i64, _>("executor")? != 0,
            epoch: from_big(TABLE, row.try_get("epoch")?)?,
            commands: row.try_get::<i64, _>("commands")? != 0,
            unanswered: row.try_get::<i64, _>("unanswered")? != 0,
            elsewhere: row
                .try_get::<Option<&str>, _>("hub")?
                .is_some_and(|before| before != hub),
        })
    }

    /// An agent is gone from this hub; `false`: it is at another one by now.
    pub async fn agent_disconnected(&self, id: AgentId, hub: &str) -> Result<bool> {
        let mut transaction = self.write(Durability::Process).await?;
        let gone = sqlx::query("DELETE FROM hub_agents WHERE agent = $1 AND hub = $2")
            .bind(id.to_string())
            .bind(hub)
            .execute(&mut *transaction)
            .await?
            .rows_affected()
            > 0;
        if gone {
            sqlx::query("UPDATE agents SET connected = 0 WHERE id = $1")
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(gone)
    }

    /// Many signs of life in one commit.
    pub async fn agents_seen(&self, seen: &[(AgentId, Seen)]) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        for some in seen.chunks(SEEN_AT_ONCE) {
            let mut update = Builder::on(
                &transaction,
                "UPDATE agents SET seen_at = seen.column2, clock_offset_micros = seen.column3 FROM (",
            );
            update.push_values(some, |mut row, (id, seen)| {
                row.push_bind(id.to_string())
                    .push_bind(seen.at.0)
                    .push_bind(seen.clock_offset_micros);
            });
            update.push(") AS seen WHERE agents.id = seen.column1");
            update.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Why an agent takes no change at the moment; `None` when it does again.
    pub async fn agent_in_trouble(&self, id: AgentId, trouble: Option<&str>) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query("UPDATE agents SET trouble = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(trouble)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// An agent keeps the trust document of this serial.
    pub async fn agent_keeps_trust(&self, id: AgentId, serial: u64) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        sqlx::query("UPDATE agents SET trust_serial = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(to_big(serial))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn read_end(row: &Record) -> Result<Option<Micros>> {
    let at: Option<i64> = row.try_get("certificate_expires_at")?;
    Ok(at.map(Micros))
}

fn read_refused(row: &Record) -> Result<Option<ChainEnd>> {
    let Some(sequence) = row.try_get::<Option<i64>, _>("refused_receipts")? else {
        return Ok(None);
    };
    Ok(Some(ChainEnd {
        sequence: from_big(TABLE, sequence)?,
        head: parsed_option(TABLE, row.try_get("refused_head")?)?,
    }))
}

fn read_agent(row: &Record) -> Result<Agent> {
    let statement: &str = row.try_get("statement")?;
    Ok(Agent {
        id: parsed(TABLE, row.try_get("id")?)?,
        region: parsed(TABLE, row.try_get("region")?)?,
        host: row.try_get("host")?,
        version: row.try_get("version")?,
        garage_version: row.try_get("garage_version")?,
        connected: row.try_get::<i64, _>("connected")? != 0,
        executor: row.try_get::<i64, _>("executor")? != 0,
        quarantined: row.try_get("quarantined")?,
        trouble: row.try_get("trouble")?,
        seen_at: row.try_get::<Option<i64>, _>("seen_at")?.map(Micros),
        clock_offset_micros: row.try_get("clock_offset_micros")?,
        certificate_expires_at: read_end(row)?,
        receipts: from_big(TABLE, row.try_get("receipts")?)?,
        not_offered: from_json(TABLE, row.try_get("not_offered")?)?,
        statement: Some(from_json(TABLE, statement)?),
    })
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::AgentId;

    use super::{SEEN_AT_ONCE, Seen};
    use crate::{clock::random, testing::World};

    #[tokio::test]
    async fn each_sign_of_life_is_its_agents_own() {
        let world = World::new().await;
        let now = world.app.clock.now();
        let region = &world.region;
        let mut seen = vec![];
        for number in 0..=SEEN_AT_ONCE as i64 {
            let id = AgentId::new(now, random());
            world
                .sql(&format!(
                    "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at) \
                     VALUES ('{id}', '{region}', 'node', '', '', '', '', 1)"
                ))
                .await;
            let sign = Seen {
                at: now.plus_seconds(number),
                clock_offset_micros: number,
            };
            seen.push((id, sign));
        }
        // The last of them is a statement of its own; one of an agent that is gone changes nothing.
        world.app.store.agents_seen(&seen).await.unwrap();
        let stranger = (AgentId::new(now, random()), seen[0].1);
        world.app.store.agents_seen(&[stranger]).await.unwrap();
        let right = format!(
            "SELECT COUNT(*) FROM agents WHERE seen_at = {} + clock_offset_micros * 1000000",
            now.0
        );
        assert_eq!(world.count(&right).await, SEEN_AT_ONCE as i64 + 1);
        let last = format!(
            "SELECT clock_offset_micros FROM agents WHERE id = '{}'",
            seen[SEEN_AT_ONCE].0
        );
        assert_eq!(world.count(&last).await, SEEN_AT_ONCE as i64);
    }
}
