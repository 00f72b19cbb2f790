//! What a person reads before a service learns anything about them: made from what would leave at this moment, and kept
//! once it was read.
//!
//! The page carries a seal of what it showed. An answer counts where nothing more would leave than that, in the login the
//! page was shown in; what is kept is what was shown and would leave now.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::session::SignedIn;
use super::{Context, Failure};
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::acknowledgement::{Acknowledgement, Covered, Kind};
use crate::domain::audit::{self, Actor, Event};
use crate::domain::enrolment::Enrolment;
use crate::domain::grant::Scopes;
use crate::domain::relying_party::{Attribute, RelyingParty};
use crate::oidc::authorization::Request;
use crate::oidc::claims::{self, Asked, EDUCATION, Released, Verdict};
use crate::oidc::notice::{self, Reader};
use crate::release::AllListed;
use crate::store;
use crate::store::db::{Conn, Tx};

const CONTEXT: &str = "notice";
/// Longer than any seal we make.
const LIMIT: usize = 16 * 1024;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether it tells or asks.
    pub kind: Kind,
    /// The service.
    pub service: About,
    /// What it would learn.
    pub facts: Vec<Fact>,
    /// What else it might do, as [`Covered::rights`].
    pub rights: Vec<String>,
    /// Whether the person was told or asked before, of less.
    pub is_more: bool,
    /// Who reads.
    pub who: SignedIn,
    /// The request that waits, sealed ([`super::continuation`]).
    pub continuation: String,
    /// What is shown, sealed: to be sent back with the answer.
    pub shown: String,
}

/// A service, as a person is told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Where the answer goes: a name can be anything.
    pub host: Option<String>,
    /// What it says it does with data.
    pub policy_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
}

impl About {
    /// Of a relying party; `address` is where the answer goes.
    pub fn of(party: &RelyingParty, address: Option<&str>) -> Self {
        // Text of the party's own: nothing but an address of the web may become a link.
        let link = |uri: &Option<String>| uri.clone().filter(|uri| uri.starts_with("https://"));
        let host = address.and_then(|address| url::Url::parse(address).ok());
        Self {
            name: party.name.clone(),
            host: host.and_then(|url| url.host_str().map(str::to_owned)),
            policy_uri: link(&party.metadata.policy_uri),
            tos_uri: link(&party.metadata.tos_uri),
        }
    }
}

/// A service, as a person is told of it before they signed in; nothing of one that there is not (any more).
///
/// # Errors
/// [`Failure`].
pub async fn about(context: &Context, client: &str) -> Result<About, Failure> {
    let Ok(client) = client.parse() else {
        return Ok(About::default());
    };
    let mut conn = context.db.reader().await?;
    let party = store::relying_party::find(&mut conn, &client).await?;
    Ok(party.map(|party| About::of(&party, None)).unwrap_or_default())
}

/// An attribute that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which.
    pub attribute: Attribute,
    /// What leaves: more than one where several enrolments do.
    pub values: Vec<String>,
    /// Why the service needs it.
    pub purpose: String,
    /// Whether the person was told before, and not of this.
    pub is_new: bool,
}

/// What leaves, attribute by attribute.
pub(super) fn facts(released: &Released, before: Option<&Covered>) -> Vec<Fact> {
    let line = |(attribute, verdict): &(Attribute, Verdict)| match verdict {
        Verdict::Released(release) => Some(Fact {
            attribute: *attribute,
            values: values(*attribute, released),
            purpose: release.purpose.clone(),
            is_new: before.is_some_and(|before| !before.attributes.contains(attribute)),
        }),
        _ => None,
    };
    released.verdicts.iter().filter_map(line).collect()
}

fn values(attribute: Attribute, released: &Released) -> Vec<String> {
    let name = attribute.as_str();
    let education = released.claims.get(EDUCATION).and_then(Value::as_array);
    let of_enrolments = education.into_iter().flatten().filter_map(|one| one.get(name));
    let mut values = Vec::new();
    for value in released.claims.get(name).into_iter().chain(of_enrolments) {
        let text = match value {
            Value::String(text) => text.clone(),
            // An address: lines of its own.
            Value::Object(members) => {
                let lines = members.values().filter_map(Value::as_str);
                members
                    .get("formatted")
                    .and_then(Value::as_str)
                    .map_or_else(|| lines.collect::<Vec<_>>().join(", "), str::to_owned)
            }
            Value::Array(several) => {
                values.extend(several.iter().filter_map(Value::as_str).map(str::to_owned));
                continue;
            }
            other => other.to_string(),
        };
        if !values.contains(&text) {
            values.push(text);
        }
    }
    values
}

/// What was found out about a request.
pub(super) struct Looked {
    /// What comes before its code.
    pub(super) decision: notice::Notice,
    released: Released,
    covered: Covered,
    before: Option<Acknowledgement>,
}

/// What a service wants to know of a person.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// What its request asks for (OpenID Connect).
    Request(&'a Request),
    /// All that its policy lists: its protocol has no words for asking (SAML, CAS).
    AllListed,
}

impl Wanted<'_> {
    fn would_leave(self, party: &RelyingParty, about: claims::About<'_>) -> Released {
        match self {
            Self::Request(request) => by_request(party, request, about),
            Self::AllListed => claims::release(party, Asked::by(&Scopes::every()), about),
        }
    }

    fn covered(self, attributes: impl IntoIterator<Item = Attribute>) -> Covered {
        match self {
            Self::Request(request) => Covered::new(attributes, &request.scopes, request.resource.as_ref()),
            Self::AllListed => Covered::new(attributes, &Scopes::default(), None),
        }
    }

    /// Whether the person is to be asked in any case.
    fn again(self) -> bool {
        matches!(self, Self::Request(request) if request.prompts.consent())
    }
}

/// What a request asks for leaves by userinfo, in the ID Token, or both.
fn by_request(party: &RelyingParty, request: &Request, about: claims::About<'_>) -> Released {
    let of_userinfo = Asked {
        scopes: &request.scopes,
        claims: &request.claims.userinfo,
    };
    let of_id_token = Asked {
        scopes: &Scopes::default(),
        claims: &request.claims.id_token,
    };
    let mut released = claims::release(party, of_userinfo, about);
    let more = claims::release(party, of_id_token, about);
    for ((_, verdict), (_, in_id_token)) in released.verdicts.iter_mut().zip(more.verdicts) {
        if matches!(in_id_token, Verdict::Released(_)) {
            *verdict = in_id_token;
        }
    }
    for (name, value) in more.claims {
        released.claims.entry(name).or_insert(value);
    }
    released
}

/// Looks what the person of a request must read.
pub(super) async fn look(
    conn: &mut Conn,
    party: &RelyingParty,
    wanted: Wanted<'_>,
    signed_in: &SignedIn,
    live: &[Enrolment],
    now: Timestamp,
) -> Result<Looked, Failure> {
    let identity = &signed_in.identity;
    let before = store::acknowledgement::find(conn, identity.id, &party.id).await?;
    let contact = store::contact::find(conn, identity.id).await?;
    let keys = super::release::keys_for(conn, party, &AllListed, identity).await?;
    let about = claims::About {
        identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live,
        keys: &keys,
    };
    let released = wanted.would_leave(party, about);
    let leaves = |(attribute, verdict): &(Attribute, Verdict)| {
        matches!(verdict, Verdict::Released(_)).then_some(*attribute)
    };
    let covered = wanted.covered(released.verdicts.iter().filter_map(leaves));
    let reader = Reader::of(identity, live, now.date());
    Ok(Looked {
        decision: notice::decide(party.basis, reader, before.as_ref(), &covered, wanted.again()),
        released,
        covered,
        before,
    })
}

/// What a page showed, and to whom.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    session: String,
    client: String,
    attributes: String,
    rights: String,
}

impl Looked {
    /// The page; `continuation` is the request that waits, sealed.
    pub(super) fn page(
        self,
        context: &Context,
        kind: Kind,
        (party, address): (&RelyingParty, &str),
        signed_in: &SignedIn,
        continuation: String,
    ) -> Result<Notice, Failure> {
        let shown = Shown {
            session: signed_in.session.id.to_string(),
            client: party.id.to_string(),
            attributes: self.covered.attribute_names(),
            rights: self.covered.right_names(),
        };
        let plain = serde_json::to_vec(&shown).map_err(|error| Failure::Task(error.to_string()))?;
        let sealed = context.vault.seal(CONTEXT, &plain, &*context.random)?;
        let before = self.before.as_ref().filter(|before| before.kind == kind);
        Ok(Notice {
            kind,
            service: About::of(party, Some(address)),
            facts: facts(&self.released, before.map(|before| &before.covered)),
            is_more: before.is_some_and(|before| !before.covered.covers(&self.covered)),
            rights: self.covered.rights.into_iter().collect(),
            who: signed_in.clone(),
            continuation,
            shown: BASE64URL_NOPAD.encode(&sealed),
        })
    }

    /// Whether a page that was sealed so showed all that would leave now.
    pub(super) fn was_shown(
        &self,
        context: &Context,
        party: &RelyingParty,
        signed_in: &SignedIn,
        sealed: &str,
    ) -> bool {
        let Some(shown) = open(context, sealed) else {
            return false;
        };
        let Ok(covered) = Covered::read(&shown.attributes, &shown.rights) else {
            return false;
        };
        shown.session == signed_in.session.id.to_string()
            && shown.client == party.id.as_str()
            && covered.covers(&self.covered)
    }

    /// Keeps that the page was read.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx,
        kind: Kind,
        party: &RelyingParty,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let identity = signed_in.identity.id;
        let given = Acknowledgement {
            identity,
            client: party.id.clone(),
            kind,
            covered: self.covered.clone(),
            since: now,
            given_at: now,
        };
        store::acknowledgement::save(tx, &given).await?;
        let what = match kind {
            Kind::Information => audit::Kind::PersonInformed,
            Kind::Consent => audit::Kind::ConsentGiven,
        };
        let event = Event::new(what, Actor::Identity(identity))
            .about(&party.id)
            .with("attributes", given.covered.attribute_names())
            .with("rights", given.covered.right_names());
        store::audit::append(tx, now, &event).await?;
        Ok(())
    }
}

fn open(context: &Context, sealed: &str) -> Option<Shown> {
    let text = Some(sealed).filter(|sealed| sealed.len() <= LIMIT)?;
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    serde_json::from_slice(&context.vault.open(CONTEXT, &bytes).ok()?).ok()
}
