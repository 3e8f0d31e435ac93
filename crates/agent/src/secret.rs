//! Secrets of new access keys: made here, sealed for the client, handed to Garage once, never at
//! rest in readable form.

use secrecy::SecretString;
use storm_protocol::{
    envelope::Actor,
    ident::{AccessKeyId, AgentId, OperationId, RegionName},
    seal::{SealContext, SealError, SealKey, Sealed},
};
use zeroize::Zeroizing;

use crate::clock::random;

/// A new secret key as S3 knows them: 64 hex digits.
pub(crate) fn new_secret() -> SecretString {
    let bytes = Zeroizing::new(random::<32>());
    SecretString::from(hex::encode(*bytes))
}

/// The place that a new key's secret is sealed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) agent: AgentId,
    pub(crate) region: &'a RegionName,
    pub(crate) actor: &'a Actor,
    pub(crate) operation: OperationId,
}

impl Place<'_> {
    /// Seals `secret`, which belongs to `key`, to `recipient`.
    pub(crate) fn seal(
        &self,
        secret: &SecretString,
        key: &AccessKeyId,
        recipient: &SealKey,
    ) -> Result<Sealed, SealError> {
        let context = SealContext {
            operation: self.operation,
            account: self.actor.account,
            region: self.region,
            agent: self.agent,
            key,
        };
        Sealed::seal(secret, recipient, &context)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::new_secret;

    #[test]
    fn a_secret_is_64_hex_digits_and_never_the_same() {
        let (one, other) = (new_secret(), new_secret());
        assert_eq!(one.expose_secret().len(), 64);
        assert!(
            one.expose_secret()
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
        );
        assert_ne!(one.expose_secret(), other.expose_secret());
    }
}
