//! `[http]`: where Marelle listens and how the world calls it.

use serde::Deserialize;

use super::ConfigError;
use crate::base::url::Url;

/// Addresses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port to listen on. Default `127.0.0.1:8080`.
    pub listen: String,
    /// The address people and relying parties use, without a slash at the end: it is the issuer, and is frozen at
    /// first start. `https`, except on this machine itself. Default `http://127.0.0.1:8080`.
    pub public_url: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
        }
    }
}

impl Http {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            return Err(ConfigError::value(
                "http",
                "listen",
                "expected an address and a port, like 0.0.0.0:8443",
            ));
        }
        let wrong = |message: &str| Err(ConfigError::value("http", "public_url", message));
        let Ok(url) = Url::parse(&self.public_url) else {
            return wrong("expected an address like https://id.example.fr");
        };
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return wrong("must be https (http is for this machine itself only)"),
        }
        // OpenID Connect Discovery §3: the issuer has no query and no fragment; ours has no path either, so that
        // cookies of the __Host- kind and the well-known address are where they must be.
        if url.origin().ascii_serialization() != self.public_url {
            return wrong("expected scheme, host and port only, in lower case, without a slash at the end");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_over_tls() {
        let check = |public_url: &str| {
            Http {
                public_url: public_url.into(),
                ..Http::default()
            }
            .validate()
        };
        for right in [
            "https://id.example.fr",
            "https://id.example.fr:8443",
            "http://127.0.0.1:8080",
            "http://localhost",
        ] {
            assert!(check(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://id.example.fr",
            "https://id.example.fr/",
            "https://ID.example.fr",
            "https://a/b?c",
            "id",
            "",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
