//! Looks for bytes in everything a process or directory holds.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// One thing to look for, in every form in which it could be written down.
pub struct Needle {
    /// What it is, for the failure's message.
    pub name: String,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    /// A secret in text form: as it is, and in base64. When it is hex, also its raw bytes, their
    /// base64, and the hex in capitals.
    pub fn new(name: &str, secret: &str) -> Self {
        let mut forms = vec![secret.as_bytes().to_vec()];
        forms.extend(base64_forms(secret.as_bytes()));
        if let Ok(raw) = hex::decode(secret) {
            forms.push(secret.to_uppercase().into_bytes());
            forms.extend(base64_forms(&raw));
            forms.push(raw);
        }
        Self {
            name: name.to_owned(),
            forms,
        }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms
            .iter()
            .any(|form| memchr::memmem::find(bytes, form).is_some())
    }

    fn longest(&self) -> usize {
        self.forms.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// Base64 in both alphabets, at each of the three places that bytes may have in a longer text, less
/// the characters that their neighbours share.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for shift in 0..3 {
        let shifted = [&[0; 2][..shift], bytes].concat();
        // A character holds six bits: whole ones only, that no neighbour's byte reaches into.
        let first = (shift * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        for alphabet in [
            &general_purpose::STANDARD_NO_PAD,
            &general_purpose::URL_SAFE_NO_PAD,
        ] {
            let text = alphabet.encode(&shifted).into_bytes();
            forms.push(text[first..last].to_vec());
        }
    }
    forms
}

/// The names of the needles that stand in the memory of a process.
pub fn in_process(id: u32, needles: &[Needle]) -> Result<Vec<&str>> {
    let maps = fs::read_to_string(format!("/proc/{id}/maps"))?;
    let mut memory = File::open(format!("/proc/{id}/mem"))
        .with_context(|| format!("the memory of process {id} cannot be read"))?;
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else {
            continue;
        };
        // The kernel's own pages cannot be read and hold nothing of the process.
        let kernels = line.ends_with("[vvar]") || line.ends_with("[vsyscall]");
        if !rights.starts_with('r') || kernels {
            continue;
        }
        let (start, end) = range
            .split_once('-')
            .context("a line of maps has a range")?;
        let start = u64::from_str_radix(start, 16)?;
        let length = u64::from_str_radix(end, 16)? - start;
        memory.seek(SeekFrom::Start(start))?;
        search(&mut (&mut memory).take(length), needles, &mut found);
    }
    Ok(found)
}

/// The names of the needles that stand in some file below a directory.
pub fn in_files<'a>(directory: &Path, needles: &'a [Needle]) -> Result<Vec<&'a str>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(in_files(&entry.path(), needles)?);
        } else if kind.is_file() {
            search(&mut File::open(entry.path())?, needles, &mut found);
        }
    }
    Ok(found)
}

/// Reads to the end (or to the first page that is not there) and keeps an overlap between chunks.
fn search<'a>(source: &mut impl std::io::Read, needles: &'a [Needle], found: &mut Vec<&'a str>) {
    let overlap = needles.iter().map(Needle::longest).max().unwrap_or(0);
    let mut window = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = source.read(&mut chunk) {
        window.extend_from_slice(&chunk[..count]);
        for needle in needles {
            if !found.contains(&needle.name.as_str()) && needle.is_in(&window) {
                found.push(&needle.name);
            }
        }
        window.drain(..window.len().saturating_sub(overlap));
    }
}
