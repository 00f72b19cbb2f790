//! The algorithms there are: an explicit list, because a token names its own algorithm and may lie (RFC 8725 §3.1).

/// A signature algorithm (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5); by clients and providers only.
    Ps256,
    /// EdDSA with Ed25519 (RFC 8037 §3.1); by clients only.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that we sign with.
    pub const ALL: &'static [Self] = &[Self::Rs256, Self::Es256];
    /// Every algorithm that a client may sign with, the best first: some take the first they read.
    pub const OF_CLIENTS: &'static [Self] = &[Self::Es256, Self::Ps256, Self::EdDsa, Self::Rs256];
    /// Those of them that FAPI 2.0 Security Profile §5.4.1 allows.
    pub const OF_FAPI: &'static [Self] = &[Self::Es256, Self::Ps256, Self::EdDsa];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a registered name, in exactly that spelling; `None` for every other, `none` included.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::OF_CLIENTS
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_names_exist() {
        assert_eq!(Algorithm::from_name("RS256"), Some(Algorithm::Rs256));
        for algorithm in Algorithm::OF_CLIENTS {
            assert_eq!(Algorithm::from_name(algorithm.as_str()), Some(*algorithm));
        }
        for other in [
            "none", "None", "NONE", "", "HS256", "rs256", "RS384", "PS384", "EDDSA",
        ] {
            assert_eq!(Algorithm::from_name(other), None, "{other}");
        }
    }
}
