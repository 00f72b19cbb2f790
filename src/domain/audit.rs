//! Audit events: every security decision, one line of an append-only, hash-chained journal.
//!
//! What an event says is public to auditors: ids, kinds and reasons, never a name, an INE, a secret or a token.

use std::fmt;

use super::stored_names;
use crate::base::id::{ClassGroupId, IdentityId};
use crate::base::secret::sha256;
use crate::base::time::Timestamp;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person signed in.
    LoginSucceeded,
    /// A wrong secret was given, or a name that nobody has (told by its keyed hash).
    LoginFailed,
    /// An attempt was refused before the secret was looked at.
    LoginThrottled,
    /// A session was ended.
    SessionEnded,
    /// A relying party was granted what it asked.
    AuthorizationGranted,
    /// A relying party was refused.
    AuthorizationRefused,
    /// A code was exchanged for tokens.
    CodeRedeemed,
    /// A code came a second time: its family was revoked.
    CodeReplayed,
    /// A client gave a wrong secret, or none.
    ClientRefused,
    /// A subject identifier was given out for the first time.
    SubjectIssued,
    /// A credential was set.
    CredentialSet,
    /// A class code was made or renewed.
    ClassCodeIssued,
    /// A person was created by hand.
    IdentityCreated,
    /// Nobody enrols a person any more, and no feed said so: their enrolments are over.
    IdentityDeparted,
    /// A person was enrolled again by hand.
    IdentityEnrolled,
    /// The personal data of somebody who left were erased.
    IdentityErased,
    /// How a person is reached was changed by hand.
    ContactChanged,
    /// A school of a feed was applied.
    SchoolImported,
    /// A guard refused a feed.
    ImportRefused,
    /// A run was taken back.
    ImportUndone,
    /// Two identities became one.
    IdentitiesMerged,
    /// A merge was undone.
    MergeUndone,
    /// A human said: one person.
    MatchAccepted,
    /// A human said: two persons.
    MatchRefused,
    /// What agreement weighs was estimated anew.
    WeightsEstimated,
    /// A declaration changed.
    DeclarationApplied,
    /// A signing key was made, promoted or retired.
    KeyRotated,
    /// A refresh token was exchanged.
    TokensRefreshed,
    /// A used refresh token came again: its family was revoked.
    RefreshReplayed,
    /// A client gave a token back (RFC 7009).
    TokenRevoked,
    /// A service was given a token in its own name.
    ServiceTokenIssued,
    /// An assertion or a proof came a second time.
    ProofReplayed,
    /// A client registered itself.
    ClientRegistered,
    /// A registered client changed its registration, or an operator a client.
    ClientChanged,
    /// A client was removed.
    ClientRemoved,
    /// A registration was refused by the limits of its policy.
    RegistrationRefused,
    /// An initial access token was issued.
    InitialTokenIssued,
    /// Initial access tokens were taken back.
    InitialTokenRevoked,
    /// A client secret was issued or taken out of use.
    ClientSecretIssued,
    /// A person was shown what a service receives.
    PersonInformed,
    /// A person consented to a service.
    ConsentGiven,
    /// A person did not consent to a service.
    ConsentRefused,
    /// A person withdrew a consent.
    ConsentWithdrawn,
    /// A CAS service validated a ticket.
    TicketValidated,
    /// A ticket was shown again, or by somebody it was not for.
    TicketRefused,
    /// A service that acts for a person was given a ticket for another (CAS).
    ProxyTicketIssued,
    /// Metadata of SAML service providers changed.
    MetadataChanged,
    /// Metadata of SAML service providers were not taken: what was there before stays.
    MetadataRefused,
    /// A login at an upstream provider was bound to a person.
    UpstreamLinked,
    /// A login at an upstream provider is bound to nobody any more.
    UpstreamUnlinked,
    /// Somebody whom an upstream provider signed in was not let in.
    UpstreamRefused,
    /// Somebody whom an upstream provider signed in has to be recognised by a human.
    UpstreamCaseOpened,
    /// A human said who somebody is whom an upstream provider signed in.
    UpstreamCaseDecided,
    /// An answer of an upstream provider was not believed.
    UpstreamAnswerRefused,
    /// Keys or addresses of an upstream provider changed.
    UpstreamMetadataChanged,
    /// Keys or addresses of an upstream provider were not taken: what was there before stays.
    UpstreamMetadataRefused,
    /// An adult was stated to answer for a pupil.
    GuardianStated,
    /// A pupil's number in the register of their school became known by their own login.
    PupilNumberKept,
    /// Somebody may do more here than before: a role over a scope, or an enrolment that a provider's word gives.
    AssignmentGranted,
    /// They may do it no more.
    AssignmentWithdrawn,
    /// A relying party confirmed a logout.
    LogoutDelivered,
    /// A relying party could not be told of a logout.
    LogoutFailed,
    /// A relying party took a security event.
    EventDelivered,
    /// A relying party could not be told of a security event.
    EventFailed,
    /// Security events that were given up are tried again.
    EventsRetried,
}
stored_names!(Kind, "audit kind", {
    LoginSucceeded => "login.succeeded", LoginFailed => "login.failed", LoginThrottled => "login.throttled",
    SessionEnded => "session.ended",
    AuthorizationGranted => "authorization.granted", AuthorizationRefused => "authorization.refused",
    CodeRedeemed => "code.redeemed", CodeReplayed => "code.replayed", ClientRefused => "client.refused",
    SubjectIssued => "subject.issued", CredentialSet => "credential.set", ClassCodeIssued => "class_code.issued",
    IdentityCreated => "identity.created", IdentityDeparted => "identity.departed",
    IdentityEnrolled => "identity.enrolled", IdentityErased => "identity.erased", ContactChanged => "contact.changed",
    SchoolImported => "school.imported", ImportRefused => "import.refused", ImportUndone => "import.undone",
    IdentitiesMerged => "identities.merged", MergeUndone => "merge.undone", MatchAccepted => "match.accepted", MatchRefused => "match.refused",
    WeightsEstimated => "weights.estimated",
    DeclarationApplied => "declaration.applied", KeyRotated => "key.rotated",
    TokensRefreshed => "tokens.refreshed",
    RefreshReplayed => "refresh.replayed",
    TokenRevoked => "token.revoked",
    ServiceTokenIssued => "service_token.issued",
    ProofReplayed => "proof.replayed",
    ClientRegistered => "client.registered",
    ClientChanged => "client.changed",
    ClientRemoved => "client.removed",
    RegistrationRefused => "registration.refused",
    InitialTokenIssued => "initial_token.issued",
    InitialTokenRevoked => "initial_token.revoked",
    ClientSecretIssued => "client_secret.issued",
    PersonInformed => "person.informed",
    ConsentGiven => "consent.given",
    ConsentRefused => "consent.refused",
    ConsentWithdrawn => "consent.withdrawn",
    TicketValidated => "ticket.validated",
    TicketRefused => "ticket.refused",
    ProxyTicketIssued => "proxy_ticket.issued",
    MetadataChanged => "saml_metadata.changed",
    MetadataRefused => "saml_metadata.refused",
    UpstreamLinked => "upstream.linked",
    UpstreamUnlinked => "upstream.unlinked",
    UpstreamRefused => "upstream.refused",
    UpstreamCaseOpened => "upstream_case.opened",
    UpstreamCaseDecided => "upstream_case.decided",
    UpstreamAnswerRefused => "upstream_answer.refused",
    UpstreamMetadataChanged => "upstream_metadata.changed",
    UpstreamMetadataRefused => "upstream_metadata.refused",
    GuardianStated => "guardian.stated",
    PupilNumberKept => "pupil_number.kept",
    AssignmentGranted => "assignment.granted",
    AssignmentWithdrawn => "assignment.withdrawn",
    LogoutDelivered => "logout.delivered",
    LogoutFailed => "logout.failed", EventDelivered => "event.delivered",
    EventFailed => "event.failed", EventsRetried => "events.retried",
});

/// Who decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The program by itself.
    System,
    /// Whoever may run the command line on the server.
    Operator,
    /// A person.
    Identity(IdentityId),
    /// A relying party.
    RelyingParty(String),
    /// A visitor of a class page.
    Class(ClassGroupId),
    /// Someone who is not known yet.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator => f.write_str("operator"),
            Self::Identity(id) => write!(f, "identity:{id}"),
            Self::RelyingParty(id) => write!(f, "relying_party:{id}"),
            Self::Class(id) => write!(f, "class:{id}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// An event, before it takes its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Who decided.
    pub actor: Actor,
    /// What it was about (an id), where there is one.
    pub about: Option<String>,
    /// Details: names of things and reasons, in order.
    pub details: Vec<(&'static str, String)>,
}

impl Event {
    /// An event without details.
    pub fn new(kind: Kind, actor: Actor) -> Self {
        Self {
            kind,
            actor,
            about: None,
            details: Vec::new(),
        }
    }

    /// Says what it was about.
    #[must_use]
    pub fn about(mut self, id: impl fmt::Display) -> Self {
        self.about = Some(id.to_string());
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.details.push((name, value.to_string()));
        self
    }

    /// The details as stored: a JSON object with string values.
    pub fn details_json(&self) -> String {
        let object: serde_json::Map<String, serde_json::Value> = self
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), serde_json::Value::String(value.clone())))
            .collect();
        serde_json::Value::Object(object).to_string()
    }
}

/// The hash that chains an entry to the one before it in its lane: SHA-256 over the previous hash and each field with
/// its length, so that no two different entries write the same bytes.
pub fn chain(previous: &[u8], sequence: i64, at: Timestamp, fields: [&str; 4]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(previous);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&at.micros().to_be_bytes());
    for field in fields {
        bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    sha256(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_depends_on_every_field_and_on_where_fields_end() {
        let at = Timestamp::from_seconds(1);
        let base = chain(&[0; 32], 1, at, ["a", "b", "c", "d"]);
        let others = [
            chain(&[1; 32], 1, at, ["a", "b", "c", "d"]),
            chain(&[0; 32], 2, at, ["a", "b", "c", "d"]),
            chain(&[0; 32], 1, Timestamp::from_seconds(2), ["a", "b", "c", "d"]),
            chain(&[0; 32], 1, at, ["ab", "", "c", "d"]),
            chain(&[0; 32], 1, at, ["a", "b", "c", "e"]),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn details_are_json() {
        let event = Event::new(Kind::LoginFailed, Actor::Anonymous).with("way", "pass\"word");
        assert_eq!(event.details_json(), r#"{"way":"pass\"word"}"#);
    }
}
