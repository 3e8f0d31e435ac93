//! A message, and its two forms.

use crate::web::escaped;

/// What is to be said to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The e-mail address.
    pub(crate) to: String,
    /// The subject.
    pub(crate) subject: String,
    /// As plain text.
    pub(crate) text: String,
    /// As HTML.
    pub(crate) html: String,
}

/// A piece of a message.
pub(super) enum Piece<'a> {
    /// A paragraph.
    Text(&'a str),
    /// An address to open, on a line of its own.
    Link(&'a str),
    /// A command to type.
    Command(&'a str),
}

impl Mail {
    /// A message of these pieces.
    pub(super) fn of(to: &str, subject: &str, pieces: &[Piece<'_>]) -> Self {
        let (mut text, mut html) = (String::new(), String::new());
        for piece in pieces {
            match piece {
                Piece::Text(words) => {
                    text.push_str(&format!("{words}\n\n"));
                    html.push_str(&format!("<p>{}</p>\n", escaped(words)));
                }
                Piece::Link(url) => {
                    text.push_str(&format!("  {url}\n\n"));
                    let url = escaped(url);
                    html.push_str(&format!("<p><a href=\"{url}\">{url}</a></p>\n"));
                }
                Piece::Command(line) => {
                    text.push_str(&format!("  {line}\n\n"));
                    html.push_str(&format!("<pre>{}</pre>\n", escaped(line)));
                }
            }
        }
        Self {
            to: to.to_owned(),
            // A header has one line, whatever a name in it holds.
            subject: subject.chars().filter(|c| !c.is_control()).collect(),
            text: format!("{}\n", text.trim_end()),
            html: format!(
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
                 <body style=\"font: 16px/1.5 sans-serif; max-width: 36em\">\n{html}</body></html>\n",
                escaped(subject)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mail, Piece};

    #[test]
    fn nothing_in_a_name_is_more_than_a_name() {
        let mail = Mail::of(
            "ann@example.org",
            "Join <b>\r\nBcc: all@example.org",
            &[
                Piece::Text("<script>alert(1)</script> & co"),
                Piece::Link("https://x.example/#a\"onclick=\"b"),
            ],
        );
        assert_eq!(mail.subject, "Join <b>Bcc: all@example.org");
        assert!(!mail.html.contains("<script>") && !mail.html.contains("\"onclick"));
        assert!(
            mail.text
                .starts_with("<script>alert(1)</script> & co\n\n  https://")
        );
    }
}
