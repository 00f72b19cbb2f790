//! The raw rates: what the libraries below do where nothing stands around them.

use std::time::Duration;

use anyhow::Result;
use marelle::base::random::SystemRandom;
use marelle::login::password::{self, Cost, Password};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;

use super::measure::{figure, head, row};
use super::rate::rate;
use super::route::route;

/// Rates per second.
pub(super) struct Raw {
    /// Argon2id at the cost of the house, one thread.
    pub(super) argon2: f64,
    /// The same, two threads together.
    pub(super) argon2_two: f64,
    /// RS256 signatures of a token's length, one thread.
    pub(super) rsa: f64,
    /// ES256 signatures of a token's length, one thread.
    pub(super) p256: f64,
    /// An axum route that answers "ok", one thread.
    pub(super) route: f64,
}

/// About as long as the signed part of an ID Token.
const TOKEN: [u8; 600] = [b'x'; 600];

pub(super) fn measure(length: Duration) -> Result<Raw> {
    let rsa = PKey::from_rsa(Rsa::generate(2048)?)?;
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let p256 = PKey::from_ec_key(EcKey::generate(&group)?)?;
    Ok(Raw {
        argon2: argon2(length)?,
        argon2_two: std::thread::scope(|scope| {
            let other = scope.spawn(|| argon2(length));
            let own = argon2(length)?;
            let other = other
                .join()
                .map_err(|_| anyhow::anyhow!("the other thread fell"))??;
            anyhow::Ok(own + other)
        })?,
        rsa: rate(length, || sign(&rsa))?,
        p256: rate(length, || sign(&p256))?,
        route: route(length)?,
    })
}

fn argon2(length: Duration) -> Result<f64> {
    let password = Password::typed("le chat dort à midi").ok_or_else(|| anyhow::anyhow!("too long"))?;
    let verifier = password::hash(&password, Cost::OWASP, &SystemRandom)?;
    Ok(rate(length, || {
        password::check(&password, &verifier, Cost::OWASP).map(drop)
    })?)
}

fn sign(key: &PKey<Private>) -> Result<(), openssl::error::ErrorStack> {
    let mut signer = Signer::new(MessageDigest::sha256(), key)?;
    signer.sign_oneshot_to_vec(&TOKEN).map(drop)
}

impl Raw {
    pub(super) fn print(&self) {
        head("Raw rates", &["what", "threads", "/s"]);
        row(&[&"Argon2id, 19 MiB, 2 passes", &1, &figure(self.argon2)]);
        row(&[&"Argon2id, 19 MiB, 2 passes", &2, &figure(self.argon2_two)]);
        row(&[&"RSA-2048 signature", &1, &figure(self.rsa)]);
        row(&[&"P-256 signature", &1, &figure(self.p256)]);
        row(&[&"bare axum route", &1, &figure(self.route)]);
    }
}
