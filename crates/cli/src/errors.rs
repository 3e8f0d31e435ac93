//! How `storm` ends: the exit codes, and errors that say what happened and what to do.

use storm_protocol::api::{Operation, OperationStatus, Problem, ProblemBody};
use storm_protocol::error::{Failure, Refusal};
use storm_protocol::receipt::Outcome;

use crate::output;

/// The documented exit codes; 0 is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Not signed in, or not allowed.
    Denied = 3,
    /// There is no such thing.
    NotFound = 4,
    /// The name is taken, or the thing is not in the state that this needs.
    Conflict = 5,
    /// Not finished yet; nothing is lost.
    Unfinished = 6,
    /// The server cannot be reached.
    Unreachable = 7,
    /// A proof does not hold.
    Unverified = 8,
}

/// What `storm --help` says about exit codes.
pub(crate) const EXIT_CODES_HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage
  3  not signed in, or not allowed
  4  not found
  5  conflict: the name is taken, the bucket is not empty, ...
  6  not finished yet; nothing is lost
  7  the server cannot be reached
  8  verification failed: a receipt, statement or trust document does not hold";

/// An error that knows its exit code and its stable code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// A stable code for programs.
    pub(crate) code: &'static str,
    /// What happened and what to do.
    pub(crate) message: String,
}

/// Makes a [`Fault`].
pub(crate) fn fault(exit: Exit, code: &'static str, message: impl Into<String>) -> anyhow::Error {
    Fault {
        exit,
        code,
        message: message.into(),
    }
    .into()
}

/// A command line that asks for something that cannot be.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    fault(Exit::Usage, "usage", message)
}

/// What a parser of the command line says, without its label and the hints below.
pub(crate) fn first_paragraph(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A kind of thing that a person names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A region.
    Region,
    /// A bucket.
    Bucket,
    /// A key.
    Key,
    /// An operation.
    Operation,
    /// An API token.
    Token,
    /// An agent.
    Agent,
    /// A bucket or key of no account.
    Stray,
    /// An account.
    Account,
    /// A session.
    Session,
    /// Somebody in the account.
    Member,
    /// Somebody asked into the account.
    Invitation,
}

impl Thing {
    /// The error that there is none called `name`, and how to list those that there are.
    pub(crate) fn missing(self, name: &impl std::fmt::Display) -> anyhow::Error {
        let (code, word, list) = match self {
            Self::Region => ("no_such_region", "region", "storm region list"),
            Self::Bucket => ("no_such_bucket", "bucket", "storm bucket list"),
            Self::Key => ("no_such_key", "key", "storm key list"),
            Self::Operation => ("no_such_operation", "operation", "storm op list"),
            Self::Token => ("no_such_token", "token", "storm token list"),
            Self::Agent => ("no_such_agent", "agent", "storm agent list"),
            Self::Stray => ("no_such_stray", "stray", "storm stray list"),
            Self::Account => ("no_such_account", "account", "storm account list"),
            Self::Session => ("no_such_session", "session", "storm session list"),
            Self::Member => ("no_such_member", "member", "storm member list"),
            Self::Invitation => ("no_such_invitation", "invitation", "storm invitation list"),
        };
        let text = format!("There is no {word} {name} here. List them with: {list}");
        fault(Exit::NotFound, code, text)
    }

    /// [`Self::missing`] when the API found nothing under `name`, else the error as it is.
    pub(crate) fn named(
        self,
        name: &impl std::fmt::Display,
    ) -> impl FnOnce(ApiError) -> anyhow::Error {
        move |error| match error {
            ApiError::Problem { status: 404, .. } => self.missing(name),
            other => other.into(),
        }
    }
}

/// An error answer of the API, or none at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer.
    #[error("{}", unreachable_text(.url, .reason, *.uncertain))]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        reason: String,
        /// Whether the request may have arrived all the same.
        uncertain: bool,
    },
    /// The server said no.
    #[error("{}", problem_text(*.status, .body))]
    Problem {
        /// The HTTP status.
        status: u16,
        /// What it said.
        body: ProblemBody,
        /// Whether an earlier try of the same request may have arrived.
        uncertain: bool,
    },
    /// Something answered, but not with what the API answers.
    #[error(
        "{url} answered with status {status} and something that is not this API: {reason}. Check the address in the configuration, and what stands between."
    )]
    Unexpected {
        /// The address that was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        reason: String,
    },
}

impl ApiError {
    /// Whether the request surely came to its end and made nothing.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Unreachable { uncertain, .. } => !uncertain,
            Self::Problem {
                status,
                body,
                uncertain,
            } => match status {
                401 | 403 | 408 | 425 | 429 => !uncertain,
                // Another request has this idempotency key: nothing is known of ours.
                422 => false,
                400..=499 => true,
                _ => is_operation_code(&body.code),
            },
            Self::Unexpected { .. } => false,
        }
    }

    /// Whether it is how an operation ended.
    pub(crate) fn is_operation_end(&self) -> bool {
        matches!(self, Self::Problem { body, .. } if is_operation_code(&body.code))
    }

    /// Whether the server has decided, so that asking again gets the same answer.
    pub(crate) fn is_final_word(&self) -> bool {
        matches!(self, Self::Problem { status, .. } if (400..500).contains(status) && *status != 429)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::Problem { status, .. } => match status {
                400 | 413 | 422 => Exit::Usage,
                401 | 403 => Exit::Denied,
                404 => Exit::NotFound,
                409 => Exit::Conflict,
                _ => Exit::Failed,
            },
            Self::Unexpected { .. } => Exit::Failed,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Problem { body, .. } => &body.code,
            Self::Unexpected { .. } => "unexpected_answer",
        }
    }
}

/// Whether `code` says how an operation ended.
pub(crate) fn is_operation_code(code: &str) -> bool {
    Failure::ALL.iter().any(|known| known.code() == code)
        || Refusal::ALL.iter().any(|known| known.code() == code)
        || ["expired", "cancelled", "failed", "refused"].contains(&code)
}

fn unreachable_text(url: &str, reason: &str, uncertain: bool) -> String {
    let kept = if uncertain {
        "Whether the request arrived is not known."
    } else {
        "Nothing was changed."
    };
    format!(
        "The server at {url} cannot be reached: {reason}. {kept} Check that it runs, and the address \
         in the configuration."
    )
}

fn problem_text(status: u16, body: &ProblemBody) -> String {
    let message = output::clean(&body.message);
    match status {
        // The server's words are for whoever writes requests by hand.
        401 if body.code == "bad_token" => {
            "The API token is not valid: it is mistyped, was deleted \
                                           or has ended. Get a new one with: storm login"
                .to_owned()
        }
        401 => format!("{message} Sign in with: storm login"),
        500..=599 if !is_operation_code(&body.code) => {
            format!("{message} (reference {})", output::clean(&body.request))
        }
        _ => message,
    }
}

/// The error of an operation that ended otherwise than done; `None` when it is done or goes on.
pub(crate) fn operation_fault(operation: &Operation) -> Option<anyhow::Error> {
    let (exit, code, message) = match operation.state {
        OperationStatus::Done
        | OperationStatus::Requested
        | OperationStatus::Signed
        | OperationStatus::Sent
        | OperationStatus::Accepted
        | OperationStatus::Unknown => return None,
        OperationStatus::Expired => (
            Exit::Failed,
            "expired",
            "Expired: the region's agent was away. Nothing was changed. Ask again.".to_owned(),
        ),
        OperationStatus::Cancelled => (
            Exit::Failed,
            "cancelled",
            "Cancelled before it began. Nothing was changed.".to_owned(),
        ),
        OperationStatus::Failed | OperationStatus::Refused => match &operation.outcome {
            Some(outcome @ (Outcome::Failed { .. } | Outcome::Refused { .. })) => {
                return Some(operation_words(outcome));
            }
            Some(Outcome::Done(_)) | None => (
                Exit::Failed,
                "failed",
                format!("{} did not do its work.", operation.command),
            ),
        },
    };
    Some(fault(exit, code, message))
}

/// The error of an outcome that is not done.
pub(crate) fn operation_words(outcome: &Outcome) -> anyhow::Error {
    match outcome {
        Outcome::Failed { code, message } => fault(
            failure_exit(*code),
            code.code(),
            words(code.sentence(), message),
        ),
        Outcome::Refused { code, message } => fault(
            refusal_exit(*code),
            code.code(),
            words(code.sentence(), message),
        ),
        Outcome::Done(_) => fault(Exit::Failed, "failed", "It did its work after all."),
    }
}

/// The code's sentence, with the agent's own words when they say more.
fn words(sentence: &str, message: &str) -> String {
    let message = output::clean(message);
    if message.is_empty() || message == sentence {
        sentence.to_owned()
    } else {
        format!("{sentence} ({message})")
    }
}

fn failure_exit(code: Failure) -> Exit {
    match code {
        Failure::NameTaken
        | Failure::BucketNotEmpty
        | Failure::LastAlias
        | Failure::TooLate
        | Failure::JobsRunning => Exit::Conflict,
        Failure::NoSuchBucket | Failure::NoSuchKey | Failure::NoSuchAlias => Exit::NotFound,
        Failure::GarageRefused
        | Failure::GarageUnavailable
        | Failure::GaveUp
        | Failure::AgentLost
        | Failure::Cancelled
        | Failure::JobBroken => Exit::Failed,
    }
}

fn refusal_exit(code: Refusal) -> Exit {
    match code {
        Refusal::NotYours | Refusal::DisabledCommand => Exit::Denied,
        Refusal::IntentConflict | Refusal::LimitReached => Exit::Conflict,
        Refusal::Oversized
        | Refusal::Malformed
        | Refusal::DuplicateKey
        | Refusal::UnknownField
        | Refusal::TrailingData
        | Refusal::WrongPayloadType
        | Refusal::BadSignature
        | Refusal::UnsupportedVersion
        | Refusal::WrongAudience
        | Refusal::OldEpoch
        | Refusal::Expired
        | Refusal::NotYetValid
        | Refusal::Replayed
        | Refusal::Busy
        | Refusal::UnknownCommand
        | Refusal::BadParameters
        | Refusal::SealKeyRequired => Exit::Failed,
    }
}

/// Says the error on stderr, in words or as JSON, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error, json: bool) -> u8 {
    let (exit, code) = if let Some(fault) = error.downcast_ref::<Fault>() {
        (fault.exit, fault.code)
    } else if let Some(api) = error.downcast_ref::<ApiError>() {
        (api.exit(), api.code())
    } else if let Some(verify) = error.downcast_ref::<crate::verify::VerifyError>() {
        (Exit::Unverified, verify.code())
    } else {
        (Exit::Failed, "failed")
    };
    if json {
        let request = match error.downcast_ref::<ApiError>() {
            Some(ApiError::Problem { body, .. }) => body.request.clone(),
            _ => String::new(),
        };
        let body = ProblemBody {
            code: code.to_owned(),
            message: format!("{error:#}"),
            request,
        };
        let text = serde_json::to_string(&Problem { error: body }).unwrap_or_default();
        output::note(&text);
    } else {
        output::note(&format!("storm: {error:#}"));
    }
    exit as u8
}
