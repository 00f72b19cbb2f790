//! Assurance: how surely a login proved who signed in, explicit and ordered.

use super::stored_names;

/// Authentication context classes, weakest first (`acr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// A supervised child credential: picture code on a class page, badge.
    Class,
    /// One factor: a password (REFEDS SFA).
    SingleFactor,
    /// Several factors (REFEDS MFA).
    MultiFactor,
}
stored_names!(Acr, "acr", {
    Class => "urn:marelle:acr:class",
    SingleFactor => "https://refeds.org/profile/sfa",
    MultiFactor => "https://refeds.org/profile/mfa",
});

/// How it was proved (`amr`, RFC 8176 §2 where it has a name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amr {
    /// Password.
    Password,
    /// Picture code: something the child knows, not a password.
    Picture,
}
stored_names!(Amr, "amr", { Password => "pwd", Picture => "kba" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assurance_is_ordered() {
        assert!(Acr::Class < Acr::SingleFactor && Acr::SingleFactor < Acr::MultiFactor);
    }
}
