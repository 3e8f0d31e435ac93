//! Bytes as text: canonical padded base64 for keys, signatures and ciphertexts. Any other spelling
//! of the same bytes is refused, so that one value has one form.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Encodes `bytes` as canonical padded base64.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes canonical padded base64; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Any number of bytes, base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Byte))]
pub struct Base64(pub Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text)
            .map(Base64)
            .ok_or_else(|| D::Error::custom("expected canonical padded base64"))
    }
}

/// Declares a newtype over exactly `$size` bytes that is base64 in JSON and text.
macro_rules! fixed_bytes {
    ($(#[$meta:meta])* $name:ident, $size:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Byte))]
        pub struct $name(pub [u8; $size]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::encoding::encode(&self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ident::ParseIdentError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::encoding::decode(text)
                    .and_then(|bytes| <[u8; $size]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or($crate::ident::ParseIdentError::new(
                        stringify!($name),
                        concat!($size, " bytes in canonical padded base64"),
                    ))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use fixed_bytes;
