//! Puts changes into frames of bounded size and hands them to the connection that was there when the
//! sweep began.

use storm_protocol::{
    frame::{BucketState, InventoryFrame, KeyState, MAX_FRAME_BYTES, MAX_FRAME_ITEMS, ToHub},
    ident::{AccessKeyId, BucketId},
};
use tokio::sync::{mpsc, watch};

use super::LinkState;

/// Bytes of changes in a frame; the rest of [`MAX_FRAME_BYTES`] is for what is around them.
const FRAME_CHANGES_BYTES: usize = MAX_FRAME_BYTES * 3 / 4;
/// Bytes of an id with its quotes and comma.
const ID_BYTES: usize = 70;

/// The connection was lost, or replaced, before all had been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the control plane was lost")]
pub(super) struct LinkLost;

/// One generation on its way.
pub(super) struct Outbox {
    /// `None` when not connected as the executor: then nothing goes out.
    session: Option<u64>,
    link: watch::Receiver<Option<LinkState>>,
    frames: mpsc::Sender<(u64, ToHub)>,
    frame: InventoryFrame,
    items: usize,
    bytes: usize,
    any: bool,
}

impl Outbox {
    /// Begins generation `generation`; `whole` when it replaces everything.
    pub(super) fn new(
        link: watch::Receiver<Option<LinkState>>,
        frames: mpsc::Sender<(u64, ToHub)>,
        generation: u64,
        whole: bool,
    ) -> Self {
        let executor = link.borrow().filter(|link| link.executor);
        let session = executor.map(|link| link.session);
        Self {
            session,
            link,
            frames,
            frame: empty(generation, whole),
            items: 0,
            bytes: 0,
            any: whole,
        }
    }

    /// A bucket that is new or differs; `bytes` is the length of its JSON form.
    pub(super) async fn bucket(
        &mut self,
        state: BucketState,
        bytes: usize,
    ) -> Result<(), LinkLost> {
        self.room_for(bytes).await?;
        self.frame.buckets.push(state);
        Ok(())
    }

    /// A key that is new or differs; `bytes` is the length of its JSON form.
    pub(super) async fn key(&mut self, state: KeyState, bytes: usize) -> Result<(), LinkLost> {
        self.room_for(bytes).await?;
        self.frame.keys.push(state);
        Ok(())
    }

    /// A bucket that is gone.
    pub(super) async fn bucket_gone(&mut self, bucket: BucketId) -> Result<(), LinkLost> {
        self.room_for(ID_BYTES).await?;
        self.frame.buckets_gone.push(bucket);
        Ok(())
    }

    /// A key that is gone.
    pub(super) async fn key_gone(&mut self, key: AccessKeyId) -> Result<(), LinkLost> {
        self.room_for(ID_BYTES).await?;
        self.frame.keys_gone.push(key);
        Ok(())
    }

    /// Sends the last frame. Tells whether anything went out: without a change nothing does, and the
    /// generation is not used.
    pub(super) async fn finish(mut self) -> Result<bool, LinkLost> {
        if !self.any || self.session.is_none() {
            return Ok(false);
        }
        self.frame.last = true;
        self.flush().await.map(|()| true)
    }

    async fn room_for(&mut self, bytes: usize) -> Result<(), LinkLost> {
        self.any = true;
        if self.items >= MAX_FRAME_ITEMS || self.bytes + bytes > FRAME_CHANGES_BYTES {
            self.flush().await?;
        }
        self.items += 1;
        self.bytes += bytes;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), LinkLost> {
        let next = empty(self.frame.generation, self.frame.whole);
        let frame = std::mem::replace(&mut self.frame, next);
        (self.items, self.bytes) = (0, 0);
        let Some(session) = self.session else {
            return Ok(());
        };
        hand_over(
            &mut self.link,
            &self.frames,
            session,
            ToHub::Inventory(frame),
        )
        .await
    }
}

/// Gives `frame` to the connection `session`, unless that is lost before it has room.
pub(super) async fn hand_over(
    link: &mut watch::Receiver<Option<LinkState>>,
    frames: &mpsc::Sender<(u64, ToHub)>,
    session: u64,
    frame: ToHub,
) -> Result<(), LinkLost> {
    let lost = |link: &Option<LinkState>| link.map(|link| link.session) != Some(session);
    tokio::select! {
        biased;
        _ = link.wait_for(lost) => Err(LinkLost),
        sent = frames.send((session, frame)) => sent.map_err(|_| LinkLost),
    }
}

fn empty(generation: u64, whole: bool) -> InventoryFrame {
    InventoryFrame {
        generation,
        whole,
        last: false,
        buckets: vec![],
        buckets_gone: vec![],
        keys: vec![],
        keys_gone: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> KeyState {
        KeyState {
            key: format!("GK{n:024x}").parse().expect("an id"),
            name: "name".to_owned(),
            created_at: None,
            expires_at: None,
            create_buckets: false,
        }
    }

    fn connected() -> (
        watch::Sender<Option<LinkState>>,
        watch::Receiver<Option<LinkState>>,
    ) {
        watch::channel(Some(LinkState {
            session: 1,
            generation: 0,
            executor: true,
        }))
    }

    #[tokio::test]
    async fn changes_go_out_in_bounded_frames_the_last_one_marked() {
        let (_sender, link) = connected();
        let (frames, mut out) = mpsc::channel(64);
        let mut outbox = Outbox::new(link, frames, 7, true);
        for n in 0..450 {
            outbox.key(key(n), 100).await.expect("connected");
        }
        // One that fills a frame by itself.
        outbox
            .key(key(450), FRAME_CHANGES_BYTES)
            .await
            .expect("connected");
        assert_eq!(outbox.finish().await, Ok(true));
        let mut sizes = vec![];
        while let Ok((session, ToHub::Inventory(frame))) = out.try_recv() {
            assert_eq!((session, frame.generation, frame.whole), (1, 7, true));
            sizes.push((frame.keys.len(), frame.last));
        }
        assert_eq!(sizes, [(200, false), (200, false), (50, false), (1, true)]);
    }

    #[tokio::test]
    async fn nothing_goes_out_without_a_change_or_without_a_connection() {
        let (sender, link) = connected();
        let (frames, mut out) = mpsc::channel(1);
        let outbox = Outbox::new(link.clone(), frames.clone(), 8, false);
        assert_eq!(outbox.finish().await, Ok(false));
        let mut outbox = Outbox::new(link.clone(), frames.clone(), 8, false);
        outbox.key(key(1), 100).await.expect("connected");
        sender.send_replace(None);
        assert_eq!(outbox.finish().await, Err(LinkLost));
        let outbox = Outbox::new(link, frames, 8, true);
        assert_eq!(outbox.finish().await, Ok(false));
        assert!(out.try_recv().is_err());
    }
}
