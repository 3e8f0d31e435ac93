//! `storm-pulse commands`: the whitelist, for people, programs and documents.

use std::fmt::Write as _;

use serde_json::json;
use storm_protocol::command::{Command, Row};

/// The whitelist as a list for a person.
pub(crate) fn text(disabled: &[String]) -> String {
    let mut text = String::new();
    for row in Command::TABLE {
        let off = if is_disabled(row, disabled) {
            "  (switched off here)"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "{:<20} {:<12} {}{off}",
            row.name,
            row.class.as_str(),
            doc(row)
        );
    }
    text.push_str(
        "\nThis is all that the agent can be asked to do. [commands] disabled takes entries away.\n",
    );
    text
}

/// The whitelist as JSON.
pub(crate) fn as_json(disabled: &[String]) -> serde_json::Result<String> {
    let rows = Command::TABLE.iter().map(|row| {
        let parameters = row.parameters.iter().map(|(name, kind, meaning)| {
            json!({ "name": name, "type": squeeze(kind), "meaning": meaning.trim() })
        });
        json!({
            "name": row.name,
            "class": row.class.as_str(),
            "job": row.job,
            "doc": doc(row),
            "parameters": parameters.collect::<Vec<_>>(),
            "result": row.result,
            "calls": row.calls.iter().map(|call| call.as_str()).collect::<Vec<_>>(),
            "digest": row.digest(),
            "disabled": is_disabled(row, disabled),
        })
    });
    serde_json::to_string_pretty(&rows.collect::<Vec<_>>())
}

/// docs/commands.md.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Commands\n\n\
         Everything that an agent can be asked to do. Generated from the table in\n\
         `crates/protocol/src/command.rs` with `storm-pulse commands --markdown`; do not edit.\n",
    );
    for row in Command::TABLE {
        let class = row.class.as_str();
        let job = if row.job { ", a job" } else { "" };
        let _ = write!(
            text,
            "\n## {}\n\nClass: {class}{job}. {}\n\n",
            row.name,
            doc(row)
        );
        if !row.parameters.is_empty() {
            text.push_str("| parameter | type | meaning |\n|---|---|---|\n");
        }
        for (name, kind, meaning) in row.parameters {
            let _ = writeln!(
                text,
                "| `{name}` | `{}` | {} |",
                squeeze(kind),
                meaning.trim()
            );
        }
        if !row.parameters.is_empty() {
            text.push('\n');
        }
        let calls: Vec<_> = row
            .calls
            .iter()
            .map(|call| format!("`{}`", call.as_str()))
            .collect();
        let calls = if calls.is_empty() {
            "none".to_owned()
        } else {
            calls.join(", ")
        };
        let _ = writeln!(
            text,
            "Answers: `{}`. Garage admin calls: {calls}.\n\nDigest: `{}`",
            row.result,
            row.digest()
        );
    }
    text
}

fn is_disabled(row: &Row, disabled: &[String]) -> bool {
    disabled.iter().any(|name| name == row.name)
}

fn doc(row: &Row) -> &'static str {
    row.doc.trim()
}

/// A type as it stands in Rust, without the spaces of its tokens.
fn squeeze(kind: &str) -> String {
    kind.replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_every_command() {
        let disabled = vec!["bucket.delete".to_owned()];
        let (plain, json, markdown) = (
            text(&disabled),
            as_json(&disabled).expect("JSON"),
            markdown(),
        );
        for row in Command::TABLE {
            assert!(plain.contains(row.name) && json.contains(row.name));
            assert!(markdown.contains(&format!("\n## {}\n", row.name)));
        }
        assert_eq!(plain.matches("switched off here").count(), 1);
        assert_eq!(json.matches("\"disabled\": true").count(), 1);
    }
}
