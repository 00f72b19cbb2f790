//! The algorithms of signatures and digests that exist for us. Must never know one that is not a signature by a key
//! pair: no HMAC, no RSA with MD5.

use openssl::hash::MessageDigest;

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1, for parties that know no better.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    const ALL: &'static [Self] = &[Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its identifier (xmldsig-core §6.2, RFC 6931 §2.1, xmlenc-core §5.7).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
            Self::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            Self::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            Self::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    /// The digest of that identifier.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|digest| digest.uri() == uri)
    }

    pub(super) fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// How a signature is made: the kind of key and the digest under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    Rsa(Digest),
    /// ECDSA, on the curve of the key.
    Ecdsa(Digest),
}

impl SignatureAlgorithm {
    /// Every algorithm there is; whether SHA-1 is accepted is for the party's policy.
    pub const ALL: &'static [Self] = &[
        Self::Rsa(Digest::Sha256),
        Self::Ecdsa(Digest::Sha256),
        Self::Rsa(Digest::Sha384),
        Self::Ecdsa(Digest::Sha384),
        Self::Rsa(Digest::Sha512),
        Self::Ecdsa(Digest::Sha512),
        Self::Rsa(Digest::Sha1),
        Self::Ecdsa(Digest::Sha1),
    ];

    /// Its identifier (xmldsig-core §6.4, RFC 6931 §2.3).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Rsa(Digest::Sha1) => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            Self::Rsa(Digest::Sha256) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::Rsa(Digest::Sha384) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
            Self::Rsa(Digest::Sha512) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
            Self::Ecdsa(Digest::Sha1) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
            Self::Ecdsa(Digest::Sha256) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            Self::Ecdsa(Digest::Sha384) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            Self::Ecdsa(Digest::Sha512) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        }
    }

    /// The algorithm of that identifier.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.uri() == uri)
    }

    /// The digest under it.
    pub const fn digest(self) -> Digest {
        match self {
            Self::Rsa(digest) | Self::Ecdsa(digest) => digest,
        }
    }
}
