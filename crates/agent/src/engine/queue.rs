//! The order of execution: operations that share a thing run one after the other, in the order in
//! which they came; all others side by side, [`MAX_RUNNING`] at most.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use storm_protocol::{command::Resource, ident::OperationId};
use tokio::sync::{Notify, oneshot};

use super::{MAX_RUNNING, lock};

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    running: usize,
    stopped: bool,
    lines: HashMap<Resource, VecDeque<OperationId>>,
    members: HashMap<OperationId, Member>,
    ready: VecDeque<OperationId>,
}

struct Member {
    resources: Vec<Resource>,
    /// Present until its turn has come.
    start: Option<oneshot::Sender<()>>,
    /// Keeps its place though it runs no longer.
    held: bool,
}

/// An operation's place in the queue; dropping it lets the next ones go.
pub(crate) struct Ticket {
    queue: Arc<Queue>,
    operation: OperationId,
    start: Option<oneshot::Receiver<()>>,
}

impl Queue {
    /// Puts an operation at the end of the line of each of its things.
    pub(super) fn enter(
        self: &Arc<Self>,
        operation: OperationId,
        mut resources: Vec<Resource>,
    ) -> Ticket {
        resources.sort_unstable();
        resources.dedup();
        let (start, turn) = oneshot::channel();
        let mut state = lock(&self.state);
        for resource in &resources {
            state
                .lines
                .entry(resource.clone())
                .or_default()
                .push_back(operation);
        }
        let member = Member {
            resources,
            start: Some(start),
            held: false,
        };
        let first = state.is_first(operation, &member.resources);
        state.members.insert(operation, member);
        if first {
            state.ready.push_back(operation);
        }
        state.pump();
        drop(state);
        Ticket {
            queue: Arc::clone(self),
            operation,
            start: Some(turn),
        }
    }

    /// Starts nothing more.
    pub(super) fn stop(&self) {
        lock(&self.state).stopped = true;
    }

    /// Comes back when nothing runs.
    pub(super) async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if lock(&self.state).running == 0 {
                return;
            }
            changed.await;
        }
    }

    /// An operation that runs no longer and has not ended: nothing passes it.
    fn hold(&self, operation: OperationId) {
        let mut state = lock(&self.state);
        if let Some(member) = state.members.get_mut(&operation)
            && member.start.is_none()
            && !std::mem::replace(&mut member.held, true)
        {
            state.running -= 1;
        }
        state.pump();
        drop(state);
        self.changed.notify_waiters();
    }

    fn leave(&self, operation: OperationId) {
        let mut state = lock(&self.state);
        let Some(member) = state.members.remove(&operation) else {
            return;
        };
        if member.held {
            // Until this process ends.
            state.members.insert(operation, member);
            return;
        }
        if member.start.is_none() {
            state.running -= 1;
        }
        let mut next = Vec::new();
        for resource in &member.resources {
            if let Some(line) = state.lines.get_mut(resource) {
                let was_first = line.front() == Some(&operation);
                line.retain(|other| *other != operation);
                next.extend(line.front().copied().filter(|_| was_first));
                if line.is_empty() {
                    state.lines.remove(resource);
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        for operation in next {
            let first = state
                .members
                .get(&operation)
                .is_some_and(|member| state.is_first(operation, &member.resources));
            if first {
                state.ready.push_back(operation);
            }
        }
        state.pump();
        drop(state);
        self.changed.notify_waiters();
    }
}

impl State {
    fn is_first(&self, operation: OperationId, resources: &[Resource]) -> bool {
        resources
            .iter()
            .all(|resource| self.lines.get(resource).and_then(VecDeque::front) == Some(&operation))
    }

    fn pump(&mut self) {
        while !self.stopped && self.running < MAX_RUNNING {
            let Some(operation) = self.ready.pop_front() else {
                return;
            };
            let member = self.members.get_mut(&operation);
            if let Some(start) = member.and_then(|member| member.start.take()) {
                self.running += 1;
                // A receiver that is gone leaves when its ticket is dropped.
                let _ = start.send(());
            }
        }
    }
}

impl Ticket {
    /// Waits for the turn; false when it will not come.
    pub(super) async fn turn(&mut self) -> bool {
        match self.start.take() {
            Some(start) => start.await.is_ok(),
            None => false,
        }
    }

    /// Stops running and keeps the place for as long as this process lives: what has begun on these
    /// things and has not ended must be driven to its end before anything newer touches them.
    pub(super) fn hold(self) {
        self.queue.hold(self.operation);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.leave(self.operation);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use storm_protocol::{
        command::Resource,
        ident::{BucketName, Micros, OperationId},
    };

    use super::{MAX_RUNNING, Queue, Ticket};

    fn operation(number: u8) -> OperationId {
        OperationId::new(Micros(i64::from(number) * 1000), [number; 10])
    }

    fn name(text: &str) -> Resource {
        Resource::Name(text.parse::<BucketName>().unwrap())
    }

    fn has_turn(ticket: &mut Ticket) -> bool {
        ticket
            .start
            .as_mut()
            .is_some_and(|start| start.try_recv().is_ok())
    }

    #[test]
    fn what_shares_a_thing_runs_in_order_and_the_rest_side_by_side() {
        let queue = Arc::<Queue>::default();
        let mut first = queue.enter(operation(1), vec![name("aaa")]);
        let mut second = queue.enter(operation(2), vec![name("aaa"), name("bbb")]);
        let mut third = queue.enter(operation(3), vec![name("bbb")]);
        let mut apart = queue.enter(operation(4), vec![name("ccc")]);
        assert!(has_turn(&mut first) && has_turn(&mut apart));
        assert!(!has_turn(&mut second) && !has_turn(&mut third));
        drop(first);
        assert!(has_turn(&mut second) && !has_turn(&mut third));
        drop(second);
        assert!(has_turn(&mut third));
        drop((third, apart));
        assert!(super::lock(&queue.state).members.is_empty());
    }

    #[tokio::test]
    async fn what_stops_unfinished_keeps_its_line_and_gives_up_its_slot() {
        let queue = Arc::<Queue>::default();
        let mut first = queue.enter(operation(1), vec![name("aaa")]);
        let mut second = queue.enter(operation(2), vec![name("aaa")]);
        assert!(has_turn(&mut first));
        first.hold();
        queue.idle().await;
        assert!(!has_turn(&mut second));
        let mut apart = queue.enter(operation(3), vec![name("bbb")]);
        assert!(has_turn(&mut apart));
    }

    #[test]
    fn a_place_that_is_given_up_lets_the_next_one_go() {
        let queue = Arc::<Queue>::default();
        let first = queue.enter(operation(1), vec![name("aaa")]);
        let second = queue.enter(operation(2), vec![name("aaa")]);
        let mut third = queue.enter(operation(3), vec![name("aaa")]);
        drop(second);
        assert!(!has_turn(&mut third));
        drop(first);
        assert!(has_turn(&mut third));
    }

    #[test]
    fn no_more_than_the_limit_run_and_none_starts_after_stop() {
        let queue = Arc::<Queue>::default();
        let many = 0..=u8::try_from(MAX_RUNNING).unwrap();
        let mut tickets: Vec<_> = many
            .map(|number| queue.enter(operation(number), vec![]))
            .collect();
        let mut last = tickets.pop().unwrap();
        assert!(tickets.iter_mut().all(has_turn));
        assert!(!has_turn(&mut last));
        queue.stop();
        tickets.clear();
        assert!(!has_turn(&mut last));
    }
}
