//! An authenticator in software, which says what it is told to say.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::PUBLIC_URL;
use crate::clock::random;

/// Flags of what an authenticator signs (WebAuthn, 6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

/// A device with one passkey.
pub(super) struct Device {
    /// Whose passkey it says that it is.
    pub(super) user: Vec<u8>,
    /// How often it signed.
    pub(super) counter: u32,
    /// Whether it asks who is there.
    pub(super) verifies: bool,
    key: KeyPair,
    id: [u8; 32],
    origin: String,
}

impl Device {
    pub(super) fn new() -> Self {
        Self {
            user: vec![7; 16],
            counter: 0,
            verifies: true,
            key: KeyPair::generate().unwrap(),
            id: random(),
            origin: PUBLIC_URL.to_owned(),
        }
    }

    /// On a page of another site.
    pub(super) fn at(&mut self, origin: &str) -> &mut Self {
        origin.clone_into(&mut self.origin);
        self
    }

    /// What it calls its passkey.
    pub(super) fn credential(&self) -> String {
        encode(&self.id)
    }

    /// Makes the passkey that is asked for.
    pub(super) fn make(&mut self, asked: &Value) -> Value {
        let user = asked["public_key"]["user"]["id"].as_str().unwrap();
        self.user = URL_SAFE_NO_PAD.decode(user).unwrap();
        self.make_again(asked)
    }

    /// Makes it, and stays somebody else's.
    pub(super) fn make_again(&self, asked: &Value) -> Value {
        let mut data = self.data(HAS_KEY);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(self.id);
        // A COSE key: EC2, ES256, P-256.
        let point = self.key.public_key_raw();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let response = json!({
            "attestationObject": encode(&object),
            "clientDataJSON": encode(&self.client("webauthn.create", asked)),
        });
        self.answer(response)
    }

    /// Signs what is asked.
    pub(super) fn sign(&mut self, asked: &Value) -> Value {
        self.counter += 1;
        let data = self.data(0);
        let client = self.client("webauthn.get", asked);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client));
        let response = json!({
            "authenticatorData": encode(&data),
            "clientDataJSON": encode(&client),
            "signature": encode(&self.key.sign(&signed).unwrap()),
            "userHandle": encode(&self.user),
        });
        self.answer(response)
    }

    fn answer(&self, response: Value) -> Value {
        json!({
            "id": self.credential(),
            "rawId": self.credential(),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest("buckets.example.org").to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client(&self, kind: &str, asked: &Value) -> Vec<u8> {
        let challenge = &asked["public_key"]["challenge"];
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }
}

/// Changes the last byte of a text of bytes but one.
pub(super) fn tamper(text: &mut Value) {
    let mut bytes = URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let at = bytes.len() - 2;
    bytes[at] ^= 1;
    *text = encode(&bytes).into();
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
