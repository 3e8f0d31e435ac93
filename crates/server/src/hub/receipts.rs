//! Receipts as they come in: signature, chain, operation, then the acknowledgement.

use storm_protocol::{
    frame::{ReceiptFrame, ReceiptsKept, ToAgent},
    receipt::Receipt,
};

use super::{
    agent::Session,
    connection::{End, Socket},
};
use crate::{
    app::Change,
    store::receipts::{Incoming, Kept},
};

impl Session<'_> {
    /// Takes one receipt in. Acknowledged only once it is on disk with all that follows from it.
    pub(super) async fn take_receipt(
        &mut self,
        socket: &mut Socket,
        frame: &ReceiptFrame,
    ) -> Result<(), End> {
        let opened = Receipt::open(&frame.receipt, self.agent.receipt_key);
        let (receipt, identity) = match opened {
            Ok(opened) => opened,
            Err(code) => {
                return Err(self
                    .quarantine(&format!("a receipt was not valid: {code}"), None)
                    .await);
            }
        };
        if receipt.agent != self.agent.id
            || receipt.region != self.agent.region
            || receipt.sequence != frame.sequence
        {
            return Err(self
                .quarantine("a receipt was another agent's, region's or place's", None)
                .await);
        }
        // A secret that is not the one of the receipt is nobody's.
        let sealed = frame
            .sealed
            .as_ref()
            .filter(|sealed| Some(sealed.digest()) == receipt.sealed);
        if sealed.is_none() && frame.sealed.is_some() {
            tracing::warn!(operation = %receipt.operation, "a sealed secret is not the receipt's; dropped");
        }
        let incoming = Incoming {
            receipt: &receipt,
            identity,
            envelope: &frame.receipt,
            sealed,
        };
        let app = &self.hub.app;
        match app.store.keep_receipt(&incoming, app.clock.now()).await? {
            Kept::New {
                changes,
                stray,
                sign_again,
            } => {
                app.figures.receipt(&receipt);
                self.note_taken(receipt.operation);
                self.wanted = None;
                self.asked.remove(&receipt.operation);
                self.accepted.retain(|id| *id != receipt.operation);
                app.bus.progress.end(receipt.operation);
                // Whoever waits for the operation goes first.
                let role_moved = changes
                    .iter()
                    .any(|change| matches!(change, Change::Agent(_)));
                for change in changes {
                    app.bus.tell(change);
                }
                if sign_again {
                    app.bus.signer.notify_one();
                }
                if role_moved {
                    // Each hub tells its own, then wakes the signer; a role that nobody took over is given
                    // away.
                    app.bus.hub.notify_one();
                }
                self.pass_epoch(receipt.sequence).await?;
                let (operation, agent) = (receipt.operation, receipt.agent);
                if stray {
                    tracing::warn!(%operation, %agent, account = %receipt.account, "a receipt answers nothing that was asked here");
                } else {
                    tracing::info!(%operation, %agent, sequence = receipt.sequence, "receipt");
                }
            }
            Kept::Known => {}
            Kept::Gap(from) => return self.want(socket, from).await,
            Kept::Broken(reason) => return Err(self.quarantine(&reason, None).await),
        }
        let kept = ReceiptsKept {
            sequence: receipt.sequence,
        };
        socket.send(&ToAgent::ReceiptsKept(kept)).await
    }
}
