//! Certificates and agents' statements, for requests that the hub wrote down.

use storm_protocol::{
    envelope::{Envelope, PayloadType, VERSION},
    frame::ClosingCode,
    ident::{AgentId, Digest},
    trust::AgentStatement,
};

use super::{Signer, keys::Request};
use crate::{
    app::Change,
    clock::random,
    store::{
        certificates::{Answer, Asked, EnrolRequest, NewAgent, Token},
        security::SecurityEvent,
    },
};

/// Requests that are answered before commands get their turn again.
const REQUESTS_AT_ONCE: u32 = 50;

impl Signer {
    /// Answers the certificate requests that wait.
    pub(super) async fn answer_certificates(&self) -> crate::store::Result<()> {
        for (id, asked) in self
            .store
            .open_certificate_requests(REQUESTS_AT_ONCE)
            .await?
        {
            let answered = match &asked {
                Asked::Hub { request } => self.answer_hub(&id, request).await,
                Asked::Enrol(enrol) => self.answer_enrol(&id, enrol).await,
                Asked::Renew { agent, request } => self.answer_renew(&id, *agent, request).await,
            };
            if let Err(error) = answered {
                tracing::error!(request = %id, error = format!("{error:#}"), "no certificate could be issued");
                let refusal = refused(
                    ClosingCode::Busy,
                    "The certificate could not be issued. Come back later.",
                );
                self.store.answer_certificate(&id, &refusal).await?;
            }
            self.bus.tell(Change::Certificate(id));
        }
        Ok(())
    }

    async fn answer_hub(
        &self,
        id: &str,
        request: &storm_protocol::encoding::Base64,
    ) -> anyhow::Result<()> {
        let answer = match Request::parse(request) {
            Some(request) => Answer::Certificate(self.keys.issue_hub(&request, self.clock.now())?),
            None => not_a_request(),
        };
        Ok(self.store.answer_certificate(id, &answer).await?)
    }

    async fn answer_renew(
        &self,
        id: &str,
        agent: AgentId,
        request: &storm_protocol::encoding::Base64,
    ) -> anyhow::Result<()> {
        let Some(request) = Request::parse(request) else {
            return Ok(self.store.answer_certificate(id, &not_a_request()).await?);
        };
        let registered = self.store.registered_agent(agent).await?;
        if registered.is_none_or(|agent| agent.revoked) {
            let refusal = refused(ClosingCode::Revoked, "The agent was removed.");
            return Ok(self.store.answer_certificate(id, &refusal).await?);
        }
        let (certificate, until) = self.keys.issue_agent(&request, agent, self.clock.now())?;
        let answer = Answer::Certificate(certificate);
        self.store
            .renew_agent(id, agent, request.key, until, &answer)
            .await?;
        tracing::info!(%agent, "certificate renewed");
        Ok(())
    }

    async fn answer_enrol(&self, id: &str, asked: &EnrolRequest) -> anyhow::Result<()> {
        let Some(request) = Request::parse(&asked.request) else {
            return Ok(self.store.answer_certificate(id, &not_a_request()).await?);
        };
        let answer = match self.store.enrol_token(asked.token).await? {
            None => token_invalid(),
            Some(token) if token.tls_key.is_some() => {
                self.enrolled_before(&token, asked, request.key).await?
            }
            Some(token) if token.expires_at <= self.clock.now() => token_invalid(),
            Some(token) => {
                if self.enrol(id, &token, asked, &request).await? {
                    return Ok(());
                }
                self.token_spent(asked).await?
            }
        };
        Ok(self.store.answer_certificate(id, &answer).await?)
    }

    /// The token is bound: its own key gets the same answer until the agent has connected once.
    async fn enrolled_before(
        &self,
        token: &Token,
        asked: &EnrolRequest,
        key: Digest,
    ) -> anyhow::Result<Answer> {
        let keys = match token.agent {
            Some(agent) => self.store.agent_keys(agent).await?,
            None => None,
        };
        let same = token.tls_key == Some(key)
            && keys == Some((asked.receipt_key, asked.seal_key))
            && !token.spent;
        if !same {
            return self.token_spent(asked).await;
        }
        Ok(self
            .store
            .enrolled_before(asked.token)
            .await?
            .unwrap_or_else(token_invalid))
    }

    async fn enrol(
        &self,
        id: &str,
        token: &Token,
        asked: &EnrolRequest,
        request: &Request,
    ) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let agent = AgentId::new(now, random());
        let (certificate, until) = self.keys.issue_agent(request, agent, now)?;
        let statement = AgentStatement {
            version: VERSION,
            agent,
            region: token.region.clone(),
            receipt_key: asked.receipt_key,
            seal_key: asked.seal_key,
            issued_at: now,
        };
        let statement = Envelope::sign_json(PayloadType::Agent, &statement, &self.keys.dispatch)?;
        let answer = Answer::Enrolled {
            agent,
            region: token.region.clone(),
            certificate,
            statement: statement.clone(),
        };
        let new = NewAgent {
            id: agent,
            region: &token.region,
            asked,
            tls_key: request.key,
            statement: &statement,
            certificate_expires_at: until,
        };
        let enrolled = self.store.enrol_agent(id, &new, &answer, now).await?;
        if enrolled {
            tracing::info!(%agent, region = %token.region, host = asked.host, "enrolled");
            self.bus.tell(Change::Agent(agent));
        }
        Ok(enrolled)
    }

    async fn token_spent(&self, asked: &EnrolRequest) -> anyhow::Result<Answer> {
        let event = SecurityEvent {
            kind: "enrol_refused",
            subject: &asked.token.to_string(),
            origin: Some(&asked.origin),
            detail: "an enrolment token came again with other keys, or after its agent had connected",
        };
        self.store
            .note_security_event(event, self.clock.now())
            .await?;
        let words = "The enrolment token was used already. Make a new one.";
        Ok(refused(ClosingCode::TokenSpent, words))
    }
}

fn token_invalid() -> Answer {
    refused(
        ClosingCode::TokenInvalid,
        "There is no such enrolment token, or it has expired. Make a new one.",
    )
}

fn not_a_request() -> Answer {
    refused(
        ClosingCode::Protocol,
        "The certificate request cannot be read.",
    )
}

fn refused(code: ClosingCode, message: &str) -> Answer {
    Answer::Refused {
        code,
        message: message.to_owned(),
    }
}
