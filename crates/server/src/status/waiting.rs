//! What waits, as the database says it: the same from each process.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::store::standing::Standing;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRegion {
    region: String,
}

/// What the database says.
#[derive(Debug, Default)]
pub(super) struct Database {
    up: Gauge,
    operations: Family<ByState, Gauge>,
    oldest_operation: Family<ByState, Gauge<f64, AtomicU64>>,
    agents: Family<ByRegion, Gauge>,
    agents_connected: Family<ByRegion, Gauge>,
    mails: Gauge,
    oldest_mail: Gauge<f64, AtomicU64>,
}

impl Database {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "storm_database_up",
            "1 when the database answered",
            self.up.clone(),
        );
        registry.register(
            "storm_operations",
            "Operations that have not ended",
            self.operations.clone(),
        );
        registry.register(
            "storm_oldest_operation_seconds",
            "Seconds since the oldest of them was asked for",
            self.oldest_operation.clone(),
        );
        registry.register(
            "storm_agents",
            "Agents that are enrolled",
            self.agents.clone(),
        );
        registry.register(
            "storm_agents_connected",
            "Agents that are connected",
            self.agents_connected.clone(),
        );
        registry.register(
            "storm_mails_waiting",
            "E-mails that wait to be sent",
            self.mails.clone(),
        );
        registry.register(
            "storm_oldest_mail_seconds",
            "Seconds since the oldest of them was queued",
            self.oldest_mail.clone(),
        );
    }

    /// Shows what was read. What is not known is not shown: zero would say that nothing waits.
    pub(super) fn show(&self, standing: Option<&Standing>) {
        self.operations.clear();
        self.oldest_operation.clear();
        self.agents.clear();
        self.agents_connected.clear();
        self.up.set(i64::from(standing.is_some()));
        let Some(standing) = standing else { return };
        for waiting in &standing.operations {
            let state = ByState {
                state: waiting.state.clone(),
            };
            self.operations.get_or_create(&state).set(waiting.count);
            let oldest = self.oldest_operation.get_or_create(&state);
            oldest.set(waiting.oldest.as_secs_f64());
        }
        for region in &standing.regions {
            let name = ByRegion {
                region: region.name.clone(),
            };
            self.agents.get_or_create(&name).set(region.agents);
            self.agents_connected
                .get_or_create(&name)
                .set(region.connected);
        }
        self.mails.set(standing.mails);
        self.oldest_mail.set(standing.oldest_mail.as_secs_f64());
    }
}
