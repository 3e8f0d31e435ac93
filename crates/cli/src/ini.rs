//! Other tools' files of sections (`rclone.conf`, AWS's `config` and `credentials`): one section is
//! read, added or replaced, and not a byte of the others changes.

/// The value of `name` in each section, with the section's header: `("photos", "GK…")`.
pub(crate) fn values<'a>(text: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(header) = header(line) {
            section = header;
        } else if let Some((key, value)) = line.split_once('=')
            && key.trim() == name
        {
            found.push((section, value.trim()));
        }
    }
    found
}

/// The value of `name` in `section`.
pub(crate) fn value<'a>(text: &'a str, section: &str, name: &str) -> Option<&'a str> {
    let mut all = values(text, name).into_iter();
    all.find(|found| found.0 == section).map(|found| found.1)
}

/// Whether there is such a section.
pub(crate) fn has_section(text: &str, section: &str) -> bool {
    text.lines().any(|line| header(line) == Some(section))
}

/// `text` with the section's lines replaced by `body`, or with the section at its end.
pub(crate) fn with_section(text: &str, section: &str, body: &str) -> String {
    let block = format!("[{section}]\n{body}");
    let mut before = String::new();
    let mut after = String::new();
    let mut found = false;
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        if let Some(header) = header(line) {
            inside = header == section && !found;
            found |= inside;
        }
        if inside {
            continue;
        }
        if found { &mut after } else { &mut before }.push_str(line);
    }
    if !before.is_empty() && !before.ends_with('\n') {
        before.push('\n');
    }
    if !before.is_empty() && !before.ends_with("\n\n") {
        before.push('\n');
    }
    if after.is_empty() {
        format!("{before}{block}")
    } else {
        format!("{before}{block}\n{after}")
    }
}

/// The name in a section's header.
fn header(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix('[')?;
    inner.split_once(']').map(|(name, _)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\n[a]\nkey = 1\nsecret = x=y\n\n[b]\nkey = 2\n# end\n";

    #[test]
    fn a_new_section_comes_last() {
        let merged = with_section(FILE, "c", "key = 3\n");
        assert_eq!(merged, format!("{FILE}\n[c]\nkey = 3\n"));
        assert_eq!(with_section("", "c", "key = 3\n"), "[c]\nkey = 3\n");
        assert_eq!(
            with_section("[a]\nx = 1", "c", "k\n"),
            "[a]\nx = 1\n\n[c]\nk\n"
        );
    }

    #[test]
    fn a_section_is_replaced_where_it_stands() {
        let merged = with_section(FILE, "a", "key = 3\n");
        assert_eq!(merged, "# mine\n\n[a]\nkey = 3\n\n[b]\nkey = 2\n# end\n");
        // Again: the same.
        assert_eq!(with_section(&merged, "a", "key = 3\n"), merged);
        let last = with_section(FILE, "b", "key = 9\n");
        assert_eq!(last, "# mine\n[a]\nkey = 1\nsecret = x=y\n\n[b]\nkey = 9\n");
    }

    #[test]
    fn values_are_found_by_section() {
        assert_eq!(value(FILE, "a", "key"), Some("1"));
        assert_eq!(value(FILE, "a", "secret"), Some("x=y"));
        assert_eq!(value(FILE, "b", "secret"), None);
        assert_eq!(values(FILE, "key"), [("a", "1"), ("b", "2")]);
        assert!(has_section(FILE, "b") && !has_section(FILE, "c"));
    }
}
