//! The strict reading of JSON from outside: a member named twice, an unknown member, trailing bytes
//! and excess size are refused, each under its own name, before any value is used.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor},
};

use crate::error::Refusal;

const DUPLICATE: &str = "a member is named twice";

/// Reads exactly one `T` from `bytes`, which must not be longer than `max_bytes`.
///
/// Errors: [`Refusal::Oversized`], [`Refusal::TrailingData`], [`Refusal::DuplicateKey`] (at any
/// depth), [`Refusal::UnknownField`], [`Refusal::Malformed`].
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8], max_bytes: usize) -> Result<T, Refusal> {
    if bytes.len() > max_bytes {
        return Err(Refusal::Oversized);
    }
    let mut walker = serde_json::Deserializer::from_slice(bytes);
    NoDuplicates::deserialize(&mut walker).map_err(|error| classify(&error))?;
    walker.end().map_err(|_| Refusal::TrailingData)?;
    serde_json::from_slice(bytes).map_err(|error| classify(&error))
}

fn classify(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    if text.starts_with(DUPLICATE) || text.starts_with("duplicate field") {
        Refusal::DuplicateKey
    } else if text.starts_with("unknown field") {
        Refusal::UnknownField
    } else {
        Refusal::Malformed
    }
}

/// Walks a whole document and keeps nothing; fails on the first member named twice.
struct NoDuplicates;

impl<'de> Deserialize<'de> for NoDuplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk).map(|()| Self)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key) {
                return Err(A::Error::custom(DUPLICATE));
            }
            map.next_value::<NoDuplicates>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<NoDuplicates>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
