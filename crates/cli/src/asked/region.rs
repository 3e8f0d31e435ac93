//! What is asked of a region's agent itself, and of its jobs.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use storm_protocol::{
    api::MoveExecutorRequest,
    command::{Command, CommandResult},
    ident::{OperationId, RegionName},
};

use super::Request;

/// A change that is asked for of a region's agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum RegionAsked {
    /// The agent is to answer.
    Ping {
        /// The region.
        region: RegionName,
    },
    /// The region's buckets and keys are to be read anew.
    Refresh {
        /// The region.
        region: RegionName,
    },
    /// The executor is to give up its role, for another agent.
    MoveExecutor {
        /// The region.
        region: RegionName,
        /// Who takes it.
        request: MoveExecutorRequest,
    },
    /// A job is to stop.
    JobCancel {
        /// The job.
        operation: OperationId,
    },
}

impl RegionAsked {
    pub(super) fn request(&self) -> Result<Request, serde_json::Error> {
        match self {
            Self::Ping { region } => Ok(post(format!("/regions/{region}/ping"))),
            Self::Refresh { region } => Ok(post(format!("/regions/{region}/refresh"))),
            Self::MoveExecutor { region, request } => {
                post(format!("/regions/{region}/executor")).with(request)
            }
            Self::JobCancel { operation } => Ok(post(format!("/operations/{operation}/cancel"))),
        }
    }

    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::Ping { .. } => "agent.ping",
            Self::Refresh { .. } => "inventory.refresh",
            Self::MoveExecutor { .. } => "executor.release",
            Self::JobCancel { .. } => "job.cancel",
        }
    }

    pub(super) fn subject(&self) -> String {
        match self {
            Self::Ping { region }
            | Self::Refresh { region }
            | Self::MoveExecutor { region, .. } => format!("region {region}"),
            Self::JobCancel { operation } => format!("operation {operation}"),
        }
    }

    pub(super) fn region(&self) -> Option<&RegionName> {
        match self {
            Self::Ping { region }
            | Self::Refresh { region }
            | Self::MoveExecutor { region, .. } => Some(region),
            Self::JobCancel { .. } => None,
        }
    }

    pub(super) fn is(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::Ping { .. }, Command::AgentPing(_))
            | (Self::Refresh { .. }, Command::InventoryRefresh(_))
            | (Self::MoveExecutor { .. }, Command::ExecutorRelease(_)) => true,
            (Self::JobCancel { operation }, Command::JobCancel(p)) => p.operation == *operation,
            (
                Self::Ping { .. }
                | Self::Refresh { .. }
                | Self::MoveExecutor { .. }
                | Self::JobCancel { .. },
                _,
            ) => false,
        }
    }

    pub(super) fn fits(&self, result: &CommandResult) -> bool {
        match (self, result) {
            (Self::Ping { .. }, CommandResult::AgentPing(_))
            | (Self::Refresh { .. }, CommandResult::InventoryRefresh(_))
            | (Self::MoveExecutor { .. }, CommandResult::ExecutorRelease(_)) => true,
            (Self::JobCancel { operation }, CommandResult::JobCancel(stopped)) => {
                stopped.operation == *operation
            }
            (
                Self::Ping { .. }
                | Self::Refresh { .. }
                | Self::MoveExecutor { .. }
                | Self::JobCancel { .. },
                _,
            ) => false,
        }
    }
}

fn post(path: String) -> Request {
    Request::new(Method::POST, path)
}
