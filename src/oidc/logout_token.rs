//! The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4): what a relying party is told when a login has ended.
//!
//! Must never carry a `nonce` (§2.4: so that no ID Token can be taken for one) nor anything of the person but the
//! identifier that the party has; its `typ` is `logout+jwt`, which keeps it from being taken for an ID Token.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::base::time::Timestamp;

/// The event that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// §2.4: "preferably at most two minutes in the future, to prevent captured Logout Tokens from being replayable".
pub const LIFETIME: Duration = Duration::from_secs(120);

/// What stands in a logout token.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// The client it is for.
    pub client: &'a str,
    /// The person, as the client knows them, where it knows them.
    pub subject: Option<&'a str>,
    /// The login, as the client knows it: the `sid` of its ID Tokens.
    pub sid: &'a str,
    /// Its own identifier, another one at each attempt: a client that took the first and whose answer was lost must not
    /// refuse the second as a replay.
    pub jti: &'a str,
    /// When it is made.
    pub issued_at: Timestamp,
}

/// The claims of a logout token.
pub fn claims(contents: &Contents<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", contents.issuer.into());
    if let Some(subject) = contents.subject {
        put("sub", subject.into());
    }
    put("aud", contents.client.into());
    put("iat", contents.issued_at.seconds().into());
    put("exp", contents.issued_at.plus(LIFETIME).seconds().into());
    put("jti", contents.jti.into());
    // Always: what ends is one login, and every ID Token of ours names it.
    put("sid", contents.sid.into());
    put("events", json!({ EVENT: {} }));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_channel_logout_section_2_4_what_a_logout_token_says() {
        let mut contents = Contents {
            issuer: "https://id.example",
            client: "ent",
            subject: Some("lina"),
            sid: "login",
            jti: "1",
            issued_at: Timestamp::from_seconds(1_790_000_000),
        };
        let expected = json!({
            "iss": "https://id.example", "sub": "lina", "aud": "ent", "iat": 1_790_000_000, "exp": 1_790_000_120,
            "jti": "1", "sid": "login", "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        assert_eq!(Value::Object(claims(&contents)), expected);
        contents.subject = None;
        let without = claims(&contents);
        assert!(!without.contains_key("sub") && without.contains_key("sid"));
        assert!(!without.contains_key("nonce"));
    }
}
