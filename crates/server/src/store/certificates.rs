//! What the hub asks of the signer: certificates. The hub writes a request, the signer answers it;
//! no secret stands in either.

use crate::store::sql::Record;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use storm_protocol::{
    encoding::Base64,
    envelope::{Envelope, VerifyKey},
    frame::{Certificate, ClosingCode},
    ident::{AgentId, Digest, Micros, RegionName},
    seal::SealKey,
};

use super::{
    Durability, Result, Store, StoreError, Writing, from_json, from_json_option, parsed,
    parsed_option, to_json,
};

const TABLE: &str = "certificate_requests";

/// Requests that may wait for the signer. The hub's own, without which nothing goes on, is always taken.
pub(crate) const MAX_OPEN_REQUESTS: i64 = 1_000;
/// Requests by one token or one agent that are kept: of some days.
pub(crate) const MAX_REQUESTS_OF_ONE: i64 = 100;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Asked {
    /// The hub's own certificate.
    Hub {
        /// PKCS #10, DER.
        request: Base64,
    },
    /// An agent's first certificate.
    Enrol(EnrolRequest),
    /// An agent's next certificate.
    Renew {
        /// The agent, as its present certificate says.
        agent: AgentId,
        /// PKCS #10, DER.
        request: Base64,
    },
}

/// An agent's wish to enrol, without the token's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The token's hash.
    pub token: Digest,
    /// PKCS #10, DER.
    pub request: Base64,
    /// The key that will sign its receipts.
    pub receipt_key: VerifyKey,
    /// The key that secrets for it will be sealed to.
    pub seal_key: SealKey,
    /// The host's name.
    pub host: String,
    /// The address that it came from.
    pub origin: String,
}

/// What the signer answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A certificate for the hub, or a renewed one.
    Certificate(Certificate),
    /// An identity.
    Enrolled {
        /// The agent's id.
        agent: AgentId,
        /// Its region.
        region: RegionName,
        /// Its certificate.
        certificate: Certificate,
        /// Its statement.
        statement: Envelope,
    },
    /// None.
    Refused {
        /// Why, as a stable code.
        code: ClosingCode,
        /// Why, in words.
        message: String,
    },
}

/// An enrolment token as the signer sees it.
#[derive(Debug, Clone)]
pub struct Token {
    /// The region that it lets into.
    pub region: RegionName,
    /// When it ends.
    pub expires_at: Micros,
    /// The key that it is bound to.
    pub tls_key: Option<Digest>,
    /// The agent that it was given to.
    pub agent: Option<AgentId>,
    /// Whether that agent has connected.
    pub spent: bool,
}

/// A new agent, as it is written down.
#[derive(Debug)]
pub struct NewAgent<'a> {
    /// Its id.
    pub id: AgentId,
    /// Its region.
    pub region: &'a RegionName,
    /// What it asked.
    pub asked: &'a EnrolRequest,
    /// The digest of its TLS key.
    pub tls_key: Digest,
    /// Its statement.
    pub statement: &'a Envelope,
    /// When its certificate ends.
    pub certificate_expires_at: Micros,
}

impl Store {
    /// Asks the signer for a certificate. `false`: as many requests wait as may, or whoever asks has asked too
    /// often; nothing was written.
    pub async fn ask_certificate(&self, id: &str, asked: &Asked, now: Micros) -> Result<bool> {
        let (kind, token, agent) = match asked {
            Asked::Hub { .. } => ("hub", None, None),
            Asked::Enrol(enrol) => ("enrol", Some(enrol.token), None),
            Asked::Renew { agent, .. } => ("renew", None, Some(*agent)),
        };
        let mut transaction = self.write(Durability::Process).await?;
        let kept = sqlx::query(
            "INSERT INTO certificate_requests (id, kind, enrol_token, agent, body, state, created_at) \
             SELECT $1, $2, $3, $4, $5, 'requested', $6 WHERE $2 = 'hub' OR ( \
             (SELECT COUNT(*) FROM certificate_requests WHERE state = 'requested') < $7 \
             AND (SELECT COUNT(*) FROM certificate_requests WHERE enrol_token = $3) \
               + (SELECT COUNT(*) FROM certificate_requests WHERE agent = $4) < $8)",
        )
        .bind(id)
        .bind(kind)
        .bind(token.map(|token| token.to_string()))
        .bind(agent.map(|agent| agent.to_string()))
        .bind(to_json(TABLE, asked)?)
        .bind(now.0)
        .bind(MAX_OPEN_REQUESTS)
        .bind(MAX_REQUESTS_OF_ONE)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(kept > 0)
    }

    /// The answer, once there is one.
    pub async fn certificate_answer(&self, id: &str) -> Result<Option<Answer>> {
        let answer: Option<Option<String>> =
            sqlx::query_scalar("SELECT answer FROM certificate_requests WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut *self.read().await?)
                .await?;
        from_json_option(TABLE, answer.flatten().as_deref())
    }

    /// Requests without an answer, oldest first.
    pub async fn open_certificate_requests(&self, limit: u32) -> Result<Vec<(String, Asked)>> {
        let rows = sqlx::query(
            "SELECT id, body FROM certificate_requests WHERE state = 'requested' \
             ORDER BY created_at LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| Ok((row.try_get("id")?, from_json(TABLE, row.try_get("body")?)?));
        rows.iter().map(read).collect()
    }

    /// Answers a request.
    pub async fn answer_certificate(&self, id: &str, answer: &Answer) -> Result<()> {
        let mut transaction = self.write(Durability::Process).await?;
        write_answer(&mut transaction, id, answer).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// An enrolment token by its hash.
    pub async fn enrol_token(&self, hash: Digest) -> Result<Option<Token>> {
        let row = sqlx::query(
            "SELECT region, expires_at, tls_key, agent, spent_at FROM enrol_tokens WHERE hash = $1",
        )
        .bind(hash.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Token {
            region: parsed("enrol_tokens", row.try_get("region")?)?,
            expires_at: Micros(row.try_get("expires_at")?),
            tls_key: parsed_option("enrol_tokens", row.try_get("tls_key")?)?,
            agent: parsed_option("enrol_tokens", row.try_get("agent")?)?,
            spent: row.try_get::<Option<i64>, _>("spent_at")?.is_some(),
        }))
    }

    /// The keys that an agent enrolled with.
    pub async fn agent_keys(&self, id: AgentId) -> Result<Option<(VerifyKey, SealKey)>> {
        let row = sqlx::query("SELECT receipt_key, seal_key FROM agents WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((
            parsed("agents", row.try_get("receipt_key")?)?,
            parsed("agents", row.try_get("seal_key")?)?,
        )))
    }

    /// The identity that a token gave out before.
    pub async fn enrolled_before(&self, token: Digest) -> Result<Option<Answer>> {
        let answers: Vec<String> = sqlx::query_scalar(
            "SELECT answer FROM certificate_requests WHERE enrol_token = $1 AND state = 'issued' \
             ORDER BY created_at LIMIT 1",
        )
        .bind(token.to_string())
        .fetch_all(&mut *self.read().await?)
        .await?;
        from_json_option(TABLE, answers.first().map(String::as_str))
    }

    /// Writes a new agent down, binds its token and answers its request, in one commit that is on
    /// disk when this returns. The first agent of a region becomes its executor. `false`: another
    /// key took the token meanwhile, and nothing was written.
    pub async fn enrol_agent(
        &self,
        request: &str,
        new: &NewAgent<'_>,
        answer: &Answer,
        now: Micros,
    ) -> Result<bool> {
        let mut transaction = self.write(Durability::Machine).await?;
        let bound = sqlx::query(
            "UPDATE enrol_tokens SET tls_key = $2, agent = $3 WHERE hash = $1 AND tls_key IS NULL",
        )
        .bind(new.asked.token.to_string())
        .bind(new.tls_key.to_string())
        .bind(new.id.to_string())
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        if !bound {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, \
             certificate_expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(new.id.to_string())
        .bind(new.region.as_str())
        .bind(&new.asked.host)
        .bind(new.asked.receipt_key.to_string())
        .bind(new.asked.seal_key.to_string())
        .bind(new.tls_key.to_string())
        .bind(to_json("agents", new.statement)?)
        .bind(new.certificate_expires_at.0)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE regions SET executor = $2, epoch = epoch + 1, executor_free_at = NULL \
             WHERE name = $1 AND executor IS NULL AND COALESCE(executor_free_at, 0) <= $3",
        )
        .bind(new.region.as_str())
        .bind(new.id.to_string())
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        write_answer(&mut transaction, request, answer).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Answers an agent's renewal: its next certificate may come with this key until it ends.
    pub async fn renew_agent(
        &self,
        request: &str,
        agent: AgentId,
        tls_key: Digest,
        expires_at: Micros,
        answer: &Answer,
    ) -> Result<()> {
        let mut transaction = self.write(Durability::Machine).await?;
        sqlx::query(
            "UPDATE agents SET certificate_expires_at = $3, \
             renewed_tls_key = CASE WHEN tls_key = $2 THEN renewed_tls_key ELSE $2 END WHERE id = $1",
        )
        .bind(agent.to_string())
        .bind(tls_key.to_string())
        .bind(expires_at.0)
        .execute(&mut *transaction)
        .await?;
        write_answer(&mut transaction, request, answer).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets requests made before `before`.
    pub async fn drop_certificate_requests(&self, before: Micros) -> Result<u64> {
        let mut transaction = self.write(Durability::Process).await?;
        let dropped = sqlx::query("DELETE FROM certificate_requests WHERE created_at < $1")
            .bind(before.0)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(dropped)
    }
}

async fn write_answer(transaction: &mut Writing, id: &str, answer: &Answer) -> Result<()> {
    let state = match answer {
        Answer::Certificate(_) | Answer::Enrolled { .. } => "issued",
        Answer::Refused { .. } => "refused",
    };
    let written =
        sqlx::query("UPDATE certificate_requests SET state = $2, answer = $3 WHERE id = $1")
            .bind(id)
            .bind(state)
            .bind(to_json(TABLE, answer)?)
            .execute(&mut **transaction)
            .await?
            .rows_affected();
    if written == 0 {
        return Err(StoreError::Row {
            table: TABLE,
            what: format!("request {id} is gone"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use crate::{store::sql, testing::World};

    #[tokio::test]
    async fn what_one_has_asked_for_is_counted_by_an_index() {
        let world = World::new().await;
        let mut reader = world.app.store.read().await.unwrap();
        let (explain, column) = if sql::is_postgres(&reader) {
            // Few rows would be looked through.
            let set = sqlx::raw_sql("SET enable_seqscan = off");
            set.execute(&mut *reader).await.unwrap();
            ("EXPLAIN", "QUERY PLAN")
        } else {
            ("EXPLAIN QUERY PLAN", "detail")
        };
        for (asker, index) in [
            ("enrol_token", "certificate_requests_of_token"),
            ("agent", "certificate_requests_of_agent"),
        ] {
            let count =
                format!("{explain} SELECT COUNT(*) FROM certificate_requests WHERE {asker} = $1");
            let plan = sqlx::query(sqlx::AssertSqlSafe(count))
                .bind("somebody")
                .fetch_all(&mut *reader)
                .await
                .unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get(column)).collect();
            assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
        }
    }
}
