//! Which request can name an object's key. A key may be any text of 1024 bytes; XML 1.0 and paths of
//! URLs cannot say every one, and one that is said wrongly would name another object.

/// The request that can name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// DeleteObjects, whose keys stand in XML.
    Xml,
    /// DeleteObject, whose key stands in the path.
    Path,
    /// None.
    Nothing,
}

impl Naming {
    /// Of `key`.
    pub(crate) fn of(key: &str) -> Self {
        if key.chars().all(is_xml) {
            Self::Xml
        } else if key.split('/').all(|segment| !is_dots(segment)) {
            Self::Path
        } else {
            Self::Nothing
        }
    }
}

/// The characters of XML 1.0.
fn is_xml(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

/// A segment that URLs resolve instead of keeping it.
fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::Naming;

    #[test]
    fn only_what_a_request_can_say_is_named() {
        for key in [
            "a",
            " ",
            "a b/../c",
            "\u{e4}\u{1f600}\u{fffd}",
            "a\tb\nc\rd",
            "]<>&\"'",
            "\u{7f}\u{80}",
        ] {
            assert_eq!(Naming::of(key), Naming::Xml, "{key:?}");
        }
        for key in ["\u{1}", "a\u{0}b", "\u{ffff}", "..a/\u{1f}/b.", "/\u{1}//"] {
            assert_eq!(Naming::of(key), Naming::Path, "{key:?}");
        }
        for key in ["\u{1}/..", "./\u{1}", "a/../\u{fffe}"] {
            assert_eq!(Naming::of(key), Naming::Nothing, "{key:?}");
        }
    }
}
