//! Cuts a JSON array of objects into its elements while it arrives, so that thousands of buckets
//! are read with one of them in memory.

use bytes::{Buf as _, Bytes};

/// The largest element, in bytes.
const MAX_ELEMENT_BYTES: usize = 8 * 1024 * 1024;

/// Takes the bytes of one array and gives its elements.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    element: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
    begun: bool,
    ended: bool,
    /// `element` was given away and is to be forgotten.
    given: bool,
}

impl Splitter {
    /// Takes bytes off the front of `chunk` up to the end of the next element; `None` when all are
    /// taken and none has ended.
    pub(super) fn next(&mut self, chunk: &mut Bytes) -> Result<Option<&[u8]>, String> {
        if std::mem::take(&mut self.given) {
            self.element.clear();
        }
        for (at, &byte) in chunk.iter().enumerate() {
            if self.depth == 0 {
                self.between(byte)?;
                continue;
            }
            self.inside(byte)?;
            if self.depth == 0 {
                chunk.advance(at + 1);
                self.given = true;
                return Ok(Some(&self.element));
            }
        }
        chunk.clear();
        Ok(None)
    }

    /// Whether the array has ended.
    pub(super) const fn is_complete(&self) -> bool {
        self.ended
    }

    fn between(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'[' if !self.begun => self.begun = true,
            b',' if self.begun && !self.ended => {}
            b']' if self.begun && !self.ended => self.ended = true,
            b'{' if self.begun && !self.ended => {
                self.depth = 1;
                self.element.push(byte);
            }
            _ => return Err("the answer is not a list of objects".to_owned()),
        }
        Ok(())
    }

    fn inside(&mut self, byte: u8) -> Result<(), String> {
        if self.element.len() >= MAX_ELEMENT_BYTES {
            return Err("an element of the list is too long".to_owned());
        }
        self.element.push(byte);
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, proptest};

    use super::{Bytes, Splitter};

    fn split(text: &[u8], chunk: usize) -> Result<(Vec<serde_json::Value>, bool), String> {
        let mut splitter = Splitter::default();
        let mut elements = Vec::new();
        for part in text.chunks(chunk) {
            let mut part = Bytes::copy_from_slice(part);
            while let Some(element) = splitter.next(&mut part)? {
                elements.push(serde_json::from_slice(element).map_err(|e| e.to_string())?);
            }
        }
        Ok((elements, splitter.is_complete()))
    }

    #[test]
    fn a_cut_list_is_not_complete_and_another_shape_is_refused() {
        assert_eq!(
            split(b"[{\"a\":1},", 3),
            Ok((vec![serde_json::json!({"a": 1})], false))
        );
        assert_eq!(split(b" [ ] ", 1), Ok((vec![], true)));
        assert!(split(b"{\"a\":1}", 4).is_err());
        assert!(split(b"[1,2]", 4).is_err());
        assert!(split(b"[]x", 4).is_err());
    }

    proptest! {
        #[test]
        fn any_list_comes_out_as_it_went_in(
            texts in prop::collection::vec(
                (".*", any::<i64>()).prop_map(|(text, number)| {
                    serde_json::json!({ "t": text, "n": [number, { "deep": "}]\\\"" }] })
                }),
                0..8,
            ),
            chunk in 1_usize..40,
        ) {
            let text = serde_json::to_vec_pretty(&texts).unwrap();
            let (elements, complete) = split(&text, chunk).unwrap();
            assert_eq!(elements, texts);
            assert!(complete);
        }
    }
}
