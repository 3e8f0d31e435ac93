//! The order of execution: operations that share a thing run one after the other, in the order in
//! which they came; all others side by side, [`MAX_RUNNING`] at most. Jobs have places of their own,
//! so that long work never keeps short commands waiting, and share them fairly: the account with the
//! fewest jobs running goes next.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use storm_protocol::{
    command::Resource,
    ident::{AccountId, OperationId},
};
use tokio::sync::{Notify, oneshot};

use super::{MAX_RUNNING, lock};

pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    running: usize,
    max_jobs: usize,
    /// Jobs that run, by account.
    jobs: HashMap<AccountId, usize>,
    /// Whether anything may start: not before it is opened, and not after it is stopped.
    open: bool,
    lines: HashMap<Resource, VecDeque<OperationId>>,
    members: HashMap<OperationId, Member>,
    ready: VecDeque<OperationId>,
    ready_jobs: VecDeque<(OperationId, AccountId)>,
}

struct Member {
    resources: Vec<Resource>,
    /// In whose name it runs, if it is a job.
    job: Option<AccountId>,
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
    /// A queue that runs `max_jobs` jobs at the same time, once it is opened.
    pub(super) fn new(max_jobs: usize) -> Self {
        let state = State {
            max_jobs,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Puts an operation at the end of the line of each of its things; `job` is in whose name it
    /// runs, if it is one.
    pub(super) fn enter(
        self: &Arc<Self>,
        operation: OperationId,
        mut resources: Vec<Resource>,
        job: Option<AccountId>,
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
            job,
            start: Some(start),
            held: false,
        };
        let first = state.is_first(operation, &member.resources);
        state.members.insert(operation, member);
        if first {
            state.is_ready(operation);
        }
        state.pump();
        drop(state);
        Ticket {
            queue: Arc::clone(self),
            operation,
            start: Some(turn),
        }
    }

    /// Starts what has its turn, fairly between all that have come so far.
    pub(super) fn open(&self) {
        let mut state = lock(&self.state);
        state.open = true;
        state.pump();
    }

    /// Starts nothing more.
    pub(super) fn stop(&self) {
        lock(&self.state).open = false;
    }

    /// Comes back when nothing runs.
    pub(super) async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if lock(&self.state).is_idle() {
                return;
            }
            changed.await;
        }
    }

    /// An operation that runs no longer and has not ended: nothing passes it.
    fn hold(&self, operation: OperationId) {
        let mut state = lock(&self.state);
        if let Some(member) = state.members.get_mut(&operation)
            && !std::mem::replace(&mut member.held, true)
            && member.start.take().is_none()
        {
            let job = member.job;
            state.runs_no_longer(job);
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
            state.runs_no_longer(member.job);
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
                state.is_ready(operation);
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

    fn is_ready(&mut self, operation: OperationId) {
        match self.members.get(&operation).and_then(|member| member.job) {
            Some(account) => self.ready_jobs.push_back((operation, account)),
            None => self.ready.push_back(operation),
        }
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.jobs.is_empty()
    }

    fn runs_no_longer(&mut self, job: Option<AccountId>) {
        let Some(account) = job else {
            self.running -= 1;
            return;
        };
        if let Some(running) = self.jobs.get_mut(&account) {
            *running -= 1;
            if *running == 0 {
                self.jobs.remove(&account);
            }
        }
    }

    fn pump(&mut self) {
        while self.open && self.running < MAX_RUNNING {
            let Some(operation) = self.ready.pop_front() else {
                break;
            };
            if self.start(operation) {
                self.running += 1;
            }
        }
        while self.open && self.jobs.values().sum::<usize>() < self.max_jobs {
            let Some((operation, account)) = self.next_job() else {
                break;
            };
            if self.start(operation) {
                *self.jobs.entry(account).or_default() += 1;
            }
        }
    }

    /// The oldest job of the account that has the fewest running.
    fn next_job(&mut self) -> Option<(OperationId, AccountId)> {
        let running = |account| self.jobs.get(account).copied().unwrap_or(0);
        let ready = self.ready_jobs.iter().enumerate();
        let (index, _) = ready.min_by_key(|(index, (_, account))| (running(account), *index))?;
        self.ready_jobs.remove(index)
    }

    fn start(&mut self, operation: OperationId) -> bool {
        let member = self.members.get_mut(&operation);
        let start = member.and_then(|member| member.start.take());
        // A receiver that is gone leaves when its ticket is dropped.
        start.map(|start| start.send(())).is_some()
    }
}

impl Ticket {
    /// Waits for the turn; false when it will not come. May be given up, and then comes no more.
    pub(super) async fn turn(&mut self) -> bool {
        match self.start.take() {
            Some(start) => start.await.is_ok(),
            None => false,
        }
    }

    /// Stops running, or waiting, and keeps the place for as long as this process lives: what has begun on these
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
        ident::{AccountId, BucketName, Micros, OperationId},
    };

    use super::{MAX_RUNNING, Queue, Ticket};

    fn operation(number: u8) -> OperationId {
        OperationId::new(Micros(i64::from(number) * 1000), [number; 10])
    }

    fn name(text: &str) -> Resource {
        Resource::Name(text.parse::<BucketName>().unwrap())
    }

    fn opened(max_jobs: usize) -> Arc<Queue> {
        let queue = Arc::new(Queue::new(max_jobs));
        queue.open();
        queue
    }

    fn has_turn(ticket: &mut Ticket) -> bool {
        ticket
            .start
            .as_mut()
            .is_some_and(|start| start.try_recv().is_ok())
    }

    #[test]
    fn what_shares_a_thing_runs_in_order_and_the_rest_side_by_side() {
        let queue = opened(2);
        let mut first = queue.enter(operation(1), vec![name("aaa")], None);
        let mut second = queue.enter(operation(2), vec![name("aaa"), name("bbb")], None);
        let mut third = queue.enter(operation(3), vec![name("bbb")], None);
        let mut apart = queue.enter(operation(4), vec![name("ccc")], None);
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
        let queue = opened(2);
        let mut first = queue.enter(operation(1), vec![name("aaa")], None);
        let mut second = queue.enter(operation(2), vec![name("aaa")], None);
        assert!(has_turn(&mut first));
        first.hold();
        queue.idle().await;
        assert!(!has_turn(&mut second));
        let mut apart = queue.enter(operation(3), vec![name("bbb")], None);
        assert!(has_turn(&mut apart));
    }

    #[test]
    fn a_place_that_is_given_up_lets_the_next_one_go() {
        let queue = opened(2);
        let first = queue.enter(operation(1), vec![name("aaa")], None);
        let second = queue.enter(operation(2), vec![name("aaa")], None);
        let mut third = queue.enter(operation(3), vec![name("aaa")], None);
        drop(second);
        assert!(!has_turn(&mut third));
        drop(first);
        assert!(has_turn(&mut third));
    }

    #[test]
    fn no_more_than_the_limit_run_and_none_starts_after_stop() {
        let queue = opened(2);
        let many = 0..=u8::try_from(MAX_RUNNING).unwrap();
        let mut tickets: Vec<_> = many
            .map(|number| queue.enter(operation(number), vec![], None))
            .collect();
        let mut last = tickets.pop().unwrap();
        assert!(tickets.iter_mut().all(has_turn));
        assert!(!has_turn(&mut last));
        queue.stop();
        tickets.clear();
        assert!(!has_turn(&mut last));
    }

    #[test]
    fn jobs_have_places_of_their_own_and_share_them_between_accounts() {
        let queue = opened(2);
        let account = |number: u8| AccountId::new(Micros(0), [number; 10]);
        let job = |number, of| queue.enter(operation(number), vec![], Some(account(of)));
        let mut greedy: Vec<_> = (1..=4).map(|number| job(number, 1)).collect();
        assert!(has_turn(&mut greedy[0]) && has_turn(&mut greedy[1]));
        let mut other = job(9, 2);
        let mut short = queue.enter(operation(10), vec![], None);
        assert!(has_turn(&mut short), "a short command waits for jobs");
        assert!(!has_turn(&mut other) && !has_turn(&mut greedy[2]));
        drop(greedy.remove(0));
        assert!(has_turn(&mut other), "who has none running goes next");
        assert!(!has_turn(&mut greedy[1]));
        drop(other);
        assert!(has_turn(&mut greedy[1]));
        drop((greedy, short));
        assert!(super::lock(&queue.state).jobs.is_empty());
    }

    #[tokio::test]
    async fn a_job_that_gives_its_turn_up_leaves_its_place_or_keeps_it_as_told() {
        let queue = opened(1);
        let account = Some(AccountId::new(Micros(0), [1; 10]));
        let mut first = queue.enter(operation(1), vec![name("aaa")], account);
        assert!(has_turn(&mut first));
        // Waits for a place, not for a thing.
        let waits = queue.enter(operation(2), vec![name("bbb")], account);
        let mut behind = queue.enter(operation(3), vec![name("bbb")], None);
        assert!(!has_turn(&mut behind));
        drop(waits);
        assert!(has_turn(&mut behind));
        let held = queue.enter(operation(4), vec![name("ccc")], account);
        held.hold();
        let mut never = queue.enter(operation(5), vec![name("ccc")], None);
        drop((first, behind));
        assert!(!has_turn(&mut never), "what is held is not passed");
        queue.idle().await;
    }

    #[test]
    fn after_a_restart_the_places_are_shared_too() {
        let queue = Arc::new(Queue::new(2));
        let account = |number: u8| Some(AccountId::new(Micros(0), [number; 10]));
        let mut greedy: Vec<_> = (1..=3)
            .map(|number| queue.enter(operation(number), vec![], account(1)))
            .collect();
        let mut other = queue.enter(operation(9), vec![], account(2));
        assert!(
            !greedy.iter_mut().any(has_turn),
            "it began before all were there"
        );
        queue.open();
        assert!(has_turn(&mut greedy[0]) && has_turn(&mut other));
        assert!(!has_turn(&mut greedy[1]) && !has_turn(&mut greedy[2]));
    }
}
