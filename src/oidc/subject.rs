//! The identifier of a person toward a sector (OpenID Connect Core §8.1; design §5.3).
//!
//! Computed once, at first release; what was issued is stored and wins ever after, so nothing here may be asked for a
//! value that was issued already. Why it is made this way is in `docs/adr/0008-subjects.md`.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::base::id::IdentityId;
use crate::base::random::{self, Random};
use crate::base::secret::{SecretError, hmac_sha256};
use crate::domain::relying_party::SubjectStrategy;

/// The secret of the installation that pairwise subjects are made with. Apart from the master key, so that a new
/// master key changes nobody's subject.
#[derive(Clone)]
pub struct SubjectSecret(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SubjectSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[subject secret]")
    }
}

impl SubjectSecret {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }

    /// From its 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lower-case base32 without padding of HMAC-SHA-256(secret, sector ‖ 0 ‖ identity), the identity as its canonical
    /// UUID text (36 characters, lower case). A sector holds no zero byte, so no two pairs write the same bytes. Case
    /// does not matter to it: services that fold or upper-case an identifier do not confuse two people.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn pairwise(&self, sector: &str, identity: IdentityId) -> Result<String, SecretError> {
        let identity = identity.to_string();
        let mac = hmac_sha256(self.0.as_slice(), &[sector.as_bytes(), &[0], identity.as_bytes()])?;
        Ok(BASE32_NOPAD.encode(&mac).to_lowercase())
    }

    /// The first value a person gets toward a sector.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn first_value(
        &self,
        strategy: SubjectStrategy,
        sector: &str,
        identity: IdentityId,
        random: &dyn Random,
    ) -> Result<String, SecretError> {
        match strategy {
            SubjectStrategy::Pairwise => self.pairwise(sector, identity),
            SubjectStrategy::PersistentUuid => Ok(random_uuid(random)),
        }
    }
}

/// A random UUID (RFC 9562 §5.4), which tells nothing of when the person was made.
pub fn random_uuid(random: &dyn Random) -> String {
    uuid::Builder::from_random_bytes(random::bytes(random))
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    fn identity() -> IdentityId {
        "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap()
    }

    #[test]
    fn a_pairwise_subject_is_the_documented_hash_and_never_changes() {
        let secret = SubjectSecret::from_bytes(&[7; 32]).unwrap();
        // Computed apart: python3 hmac.new(bytes([7]*32), b"ent-college\0" + b"0190163d-…", "sha256").
        assert_eq!(secret.pairwise("ent-college", identity()).unwrap(), EXPECTED);
        assert_ne!(secret.pairwise("ecole", identity()).unwrap(), EXPECTED);
        let other = SubjectSecret::from_bytes(&[8; 32]).unwrap();
        assert_ne!(other.pairwise("ent-college", identity()).unwrap(), EXPECTED);
    }

    const EXPECTED: &str = "ctaszplsrcnnuw2433sbfoffryufieiqsox4qhrciqqbxskhjexq";

    #[test]
    fn a_persistent_uuid_is_random_and_a_uuid() {
        let random = SeededRandom::new(1);
        let secret = SubjectSecret::generate(&random);
        let value = || {
            secret
                .first_value(SubjectStrategy::PersistentUuid, "ent", identity(), &random)
                .unwrap()
        };
        let (first, second) = (value(), value());
        assert_ne!(first, second);
        assert!(
            first
                .parse::<uuid::Uuid>()
                .is_ok_and(|uuid| uuid.get_version_num() == 4)
        );
        assert_eq!(format!("{secret:?}"), "[subject secret]");
    }
}
