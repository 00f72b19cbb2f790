//! The ID Token (OpenID Connect Core §2): who signed in, when, how surely. Attributes of the person are at the userinfo
//! endpoint, where they are released anew each time; here stand those alone that were asked for here by name (§5.5), and
//! never in place of what the protocol says.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::base::secret::{Secret, sha256};
use crate::base::time::Timestamp;
use crate::domain::grant::Grant;

/// What stands in an ID Token besides what its grant knows.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// The person, as the client knows them.
    pub subject: &'a str,
    /// The login, as the client knows it.
    pub sid: &'a str,
    /// The access token that is issued with it.
    pub access_token: &'a Secret,
    /// The attributes that were asked for here, as they may be released.
    pub attributes: Map<String, Value>,
    /// When it is made.
    pub issued_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// The claims of an ID Token.
pub fn claims(grant: &Grant, contents: Contents<'_>) -> Map<String, Value> {
    let mut claims = contents.attributes;
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", contents.issuer.into());
    put("sub", contents.subject.into());
    put("aud", grant.client.as_str().into());
    put("exp", contents.expires_at.seconds().into());
    put("iat", contents.issued_at.seconds().into());
    put("auth_time", grant.authenticated_at.seconds().into());
    if let Some(nonce) = &grant.nonce {
        put("nonce", nonce.as_str().into());
    }
    put("acr", grant.acr.as_str().into());
    put("amr", json!([grant.amr.as_str()]));
    put("sid", contents.sid.into());
    put("at_hash", half_hash(contents.access_token.expose()).into());
    claims
}

/// OpenID Connect Core §3.1.3.6: the left half of the hash that the signature algorithm uses (SHA-256 for both of ours).
fn half_hash(token: &str) -> String {
    let hash = sha256(token.as_bytes());
    let (left, _) = hash.split_at(16);
    BASE64URL_NOPAD.encode(left)
}

/// What an `id_token_hint` says, once its signature has been checked (OpenID Connect Core §3.1.2.1, RP-Initiated Logout
/// §2). That it has expired says nothing against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The client it was issued to.
    pub client: String,
    /// The person, as that client knows them.
    pub subject: String,
    /// The login, as that client knows it.
    pub sid: Option<String>,
}

impl Hint {
    /// Reads the claims of a token whose signature is ours; `None` where another issuer stands in it, or it lacks what
    /// every ID Token of ours has.
    pub fn read(claims: &Map<String, Value>, issuer: &str) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        if text("iss")? != issuer {
            return None;
        }
        // A signed userinfo answer has none of these: it says nothing about a login.
        claims.get("exp").and_then(Value::as_i64)?;
        Some(Self {
            client: text("aud")?,
            subject: text("sub")?,
            sid: text("sid"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::grant;

    #[test]
    fn openid_connect_core_appendix_a_3_at_hash() {
        assert_eq!(
            half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }

    #[test]
    fn what_is_signed_but_tells_of_no_login_is_no_hint() {
        let mut userinfo = Map::new();
        for (name, value) in [("iss", "https://id.example"), ("aud", "ent"), ("sub", "abc")] {
            userinfo.insert(name.to_owned(), value.into());
        }
        assert_eq!(Hint::read(&userinfo, "https://id.example"), None);
        userinfo.insert("exp".to_owned(), 1.into());
        assert!(Hint::read(&userinfo, "https://id.example").is_some());
        assert_eq!(Hint::read(&userinfo, "https://other.example"), None);
    }

    #[test]
    fn an_id_token_says_what_it_must_and_of_the_person_what_was_asked_for_here() {
        let grant = grant("ent");
        let token = Secret::new("at");
        let contents = Contents {
            issuer: "https://id.example",
            subject: "abc",
            sid: "sid",
            access_token: &token,
            attributes: Map::new(),
            issued_at: grant.created_at,
            expires_at: grant.created_at.plus(std::time::Duration::from_secs(300)),
        };
        let mut asked = contents.clone();
        asked.attributes = [("name", "Lina"), ("sub", "nobody"), ("aud", "nobody")]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect();
        let with_name = claims(&grant, asked);
        let claims = claims(&grant, contents);
        for (name, value) in &with_name {
            if name == "name" {
                assert_eq!(value, "Lina");
            } else {
                assert_eq!(claims.get(name), Some(value), "{name}");
            }
        }
        let mut names: Vec<_> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "acr",
            "amr",
            "at_hash",
            "aud",
            "auth_time",
            "exp",
            "iat",
            "iss",
            "nonce",
            "sid",
            "sub",
        ];
        assert_eq!(names, expected);
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            300
        );
        let hint = Hint::read(&claims, "https://id.example").unwrap();
        assert_eq!(
            (hint.client.as_str(), hint.subject.as_str(), hint.sid.as_deref()),
            ("ent", "abc", Some("sid"))
        );
        assert_eq!(Hint::read(&claims, "https://other.example"), None);
    }
}
