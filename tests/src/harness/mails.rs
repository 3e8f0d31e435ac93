//! E-mails that the control plane has written to its folder.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// The link in the newest e-mail to an address.
pub fn link_to(folder: &Path, email: &str) -> Result<Option<String>> {
    let mut newest = None;
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let text = fs::read_to_string(&path)?;
            if text.contains(&format!("To: {email}"))
                && newest.as_ref().is_none_or(|(old, _)| *old < path)
            {
                newest = Some((path, text));
            }
        }
    }
    let Some((_, text)) = newest else {
        return Ok(None);
    };
    // Long lines are broken by `=` at their end, and `=` itself is written `=3D`.
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    let start = text.find("http").context("the e-mail has a link")?;
    Ok(text[start..].split_whitespace().next().map(str::to_owned))
}
