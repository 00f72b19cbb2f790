//! The security event token (RFC 8417) by which a relying party is told of a person it knows: events of the RISC profile
//! (OpenID RISC Profile 1.0 §2) under the subject identifiers of RFC 9493, as the Shared Signals Framework 1.0 has them.
//!
//! | event | `sub_id` | payload |
//! | --- | --- | --- |
//! | `…/risc/event-type/identifier-changed` (§2.5) | the identifier that was | `new-value`: the one that is |
//! | `urn:marelle:event-type:identifier-restored` | the identifier that is a person of its own again | `separated-from` |
//! | `…/risc/event-type/account-purged` (§2.2) | the identifier | |
//! | `…/ssf/event-type/verification` | the stream: the id of the party | `state` |
//!
//! The RISC profile speaks of addresses of mail and telephone numbers where it says identifier; here it is the `sub` that the
//! party has, in the form `iss_sub`, because there is no other event for it. Nothing undoes a change of identifier there, so
//! that event has a name of ours.
//!
//! Must never carry `sub` nor `exp` (SSF §4.1.1, RFC 8417 §2.2: so that no ID Token and no logout token can be taken for
//! one), nor anything of the person but identifiers that the party has.

use serde_json::{Map, Value, json};

use crate::base::time::Timestamp;
use crate::domain::security_event::SecurityEvent;

/// RISC §2.5.
pub const IDENTIFIER_CHANGED: &str = "https://schemas.openid.net/secevent/risc/event-type/identifier-changed";
/// RISC §2.2.
pub const ACCOUNT_PURGED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-purged";
/// Ours: a change of identifier was a mistake.
pub const IDENTIFIER_RESTORED: &str = "urn:marelle:event-type:identifier-restored";
/// SSF §8.1.4.1.
pub const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// What stands in a security event token.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Who issues it.
    pub issuer: &'a str,
    /// The party it is for.
    pub client: &'a str,
    /// What happened.
    pub event: &'a SecurityEvent,
    /// Its own identifier, the same at every attempt, so that a party that took it knows it again (RFC 8935 §2).
    pub jti: &'a str,
    /// When the token is made.
    pub issued_at: Timestamp,
    /// When it happened.
    pub happened_at: Timestamp,
}

/// The claims of a security event token (RFC 8417 §2.2).
pub fn claims(contents: &Contents<'_>) -> Map<String, Value> {
    let subject = |subject: &str| json!({ "format": "iss_sub", "iss": contents.issuer, "sub": subject });
    let (name, payload, about) = match contents.event {
        SecurityEvent::IdentifierChanged {
            subject: was,
            new_value,
        } => (
            IDENTIFIER_CHANGED,
            json!({ "new-value": new_value }),
            subject(was),
        ),
        SecurityEvent::IdentifierRestored {
            subject: is,
            separated_from,
        } => (
            IDENTIFIER_RESTORED,
            json!({ "separated-from": separated_from }),
            subject(is),
        ),
        SecurityEvent::AccountPurged { subject: was } => (ACCOUNT_PURGED, json!({}), subject(was)),
        SecurityEvent::Verification => (
            VERIFICATION,
            json!({ "state": contents.jti }),
            json!({ "format": "opaque", "id": contents.client }),
        ),
    };
    let mut events = Map::new();
    events.insert(name.to_owned(), payload);
    let members = [
        ("iss", contents.issuer.into()),
        ("aud", contents.client.into()),
        ("iat", contents.issued_at.seconds().into()),
        ("jti", contents.jti.into()),
        ("toe", contents.happened_at.seconds().into()),
        ("sub_id", about),
        ("events", Value::Object(events)),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What a receiver answered with a refusal (RFC 8935 §2.3): one of the registered codes of §2.4, where it is one.
pub fn refusal(body: &[u8]) -> Option<&'static str> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let code = answer.get("err")?.as_str()?;
    REFUSALS.iter().find(|known| **known == code).copied()
}

/// RFC 8935 §2.4, §7.1.
const REFUSALS: [&str; 6] = [
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: &SecurityEvent) -> Value {
        Value::Object(claims(&Contents {
            issuer: "https://id.example",
            client: "ent",
            event,
            jti: "1",
            issued_at: Timestamp::from_seconds(1_790_000_060),
            happened_at: Timestamp::from_seconds(1_790_000_000),
        }))
    }

    #[test]
    fn rfc_8417_section_2_2_and_risc_section_2_what_a_token_says() {
        let event = SecurityEvent::IdentifierChanged {
            subject: "old".into(),
            new_value: "new".into(),
        };
        let expected = json!({
            "iss": "https://id.example", "aud": "ent", "iat": 1_790_000_060, "toe": 1_790_000_000, "jti": "1",
            "sub_id": { "format": "iss_sub", "iss": "https://id.example", "sub": "old" },
            "events": { "https://schemas.openid.net/secevent/risc/event-type/identifier-changed": { "new-value": "new" } },
        });
        assert_eq!(told(&event), expected);

        let event = SecurityEvent::IdentifierRestored {
            subject: "old".into(),
            separated_from: "new".into(),
        };
        let restored = told(&event);
        assert_eq!(
            restored["events"],
            json!({ "urn:marelle:event-type:identifier-restored": { "separated-from": "new" } })
        );
        assert_eq!(restored["sub_id"]["sub"], "old");

        let purged = told(&SecurityEvent::AccountPurged {
            subject: "old".into(),
        });
        assert_eq!(
            purged["events"],
            json!({ "https://schemas.openid.net/secevent/risc/event-type/account-purged": {} })
        );

        let verification = told(&SecurityEvent::Verification);
        assert_eq!(verification["sub_id"], json!({ "format": "opaque", "id": "ent" }));
        for token in [expected, restored, purged, verification] {
            assert!(token.get("sub").is_none() && token.get("exp").is_none());
            assert_eq!(token["events"].as_object().unwrap().len(), 1);
        }
    }

    #[test]
    fn rfc_8935_section_2_3_a_refusal_is_one_of_the_registered_codes() {
        let refused = br#"{"err": "invalid_key", "description": "Key ID 12345 has been revoked."}"#;
        assert_eq!(refusal(refused), Some("invalid_key"));
        for other in [
            &b""[..],
            b"{",
            br#"{"err": 1}"#,
            br#"{"err": "jamais vu"}"#,
            b"[]",
        ] {
            assert_eq!(refusal(other), None);
        }
    }
}
