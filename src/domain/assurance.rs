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

impl Acr {
    /// Whether somebody can sign in like that today.
    pub fn is_reachable(self) -> bool {
        Amr::ALL.iter().any(|amr| amr.acr() == self)
    }

    /// Those somebody can sign in with here today, weakest first.
    pub fn reachable() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|acr| acr.is_reachable())
    }

    /// The surest of these; another provider may prove more.
    pub fn surest_here() -> Self {
        Self::reachable().max().unwrap_or(Self::Class)
    }

    /// This one and those that are less sure, weakest first.
    pub fn and_below(self) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |acr| *acr <= self)
    }
}

/// How it was proved (`amr`, RFC 8176 §2 where it has a name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amr {
    /// Password.
    Password,
    /// Picture code: something the child knows, not a password.
    Picture,
    /// Another provider vouches for it: how, is the provider's to say.
    Federated,
}
stored_names!(Amr, "amr", { Password => "pwd", Picture => "kba", Federated => "fed" });

impl Amr {
    /// How sure that is, by itself; of a provider, what it is taken for where nothing else is declared of it.
    pub const fn acr(self) -> Acr {
        match self {
            Self::Password | Self::Federated => Acr::SingleFactor,
            Self::Picture => Acr::Class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assurance_is_ordered_and_several_factors_are_nobodys_yet() {
        assert_eq!(
            Acr::reachable().collect::<Vec<_>>(),
            [Acr::Class, Acr::SingleFactor]
        );
        assert!(Acr::Class < Acr::SingleFactor && Acr::SingleFactor < Acr::MultiFactor);
    }
}
