//! One connection of a real agent to the hostile hub.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use storm_protocol::{
    envelope::{Envelope, VerifyKey},
    frame::{Hello, ReceiptFrame, ToAgent, ToHub},
    ident::OperationId,
    receipt::Receipt,
};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::wait;

/// One connection of the agent, registered.
pub struct Connection {
    /// What the agent said of itself.
    pub hello: Hello,
    pub(super) to_agent: mpsc::UnboundedSender<Message>,
    pub(super) from_agent: mpsc::UnboundedReceiver<ToHub>,
    pub(super) receipts: HashMap<OperationId, Vec<ReceiptFrame>>,
    pub(super) receipt_key: VerifyKey,
}

impl Connection {
    /// Sends these bytes as one text frame.
    pub fn send_text(&self, text: &str) -> Result<()> {
        self.to_agent
            .send(Message::text(text))
            .map_err(|_| anyhow::anyhow!("the agent is gone"))
    }

    /// Sends a frame.
    pub fn send(&self, frame: &ToAgent) -> Result<()> {
        self.send_text(&serde_json::to_string(frame)?)
    }

    /// Sends a command.
    pub fn command(&self, envelope: &Envelope) -> Result<()> {
        self.send(&ToAgent::Command(envelope.clone()))
    }

    /// Closes the connection from the hub's side.
    pub fn close(self) {
        // A connection that is gone already is closed.
        let _ = self.to_agent.send(Message::Close(None));
    }

    /// The next receipt of `operation`, verified with the key that the agent enrolled with.
    pub async fn receipt(&mut self, operation: OperationId) -> Result<(Receipt, ReceiptFrame)> {
        let frame = loop {
            let waiting = self.receipts.entry(operation).or_default();
            if !waiting.is_empty() {
                break waiting.remove(0);
            }
            self.take_frame().await?;
        };
        let (receipt, _) = Receipt::open(&frame.receipt, self.receipt_key)?;
        ensure!(
            receipt.sequence == frame.sequence,
            "the frame names another sequence"
        );
        Ok((receipt, frame))
    }

    /// Reads on until the agent has told `wanted`.
    pub async fn until(&mut self, wanted: impl Fn(&ToHub) -> bool) -> Result<ToHub> {
        loop {
            let frame = self.next_frame().await?;
            if wanted(&frame) {
                return Ok(frame);
            }
            self.keep(frame)?;
        }
    }

    async fn take_frame(&mut self) -> Result<()> {
        let frame = self.next_frame().await?;
        self.keep(frame)
    }

    async fn next_frame(&mut self) -> Result<ToHub> {
        let waiting = tokio::time::timeout(wait::PATIENCE, self.from_agent.recv());
        waiting
            .await
            .context("the agent says nothing")?
            .context("the connection has ended")
    }

    fn keep(&mut self, frame: ToHub) -> Result<()> {
        if let ToHub::Receipt(frame) = frame {
            let (receipt, _) = Receipt::open(&frame.receipt, self.receipt_key)?;
            self.receipts
                .entry(receipt.operation)
                .or_default()
                .push(frame);
        }
        Ok(())
    }
}
