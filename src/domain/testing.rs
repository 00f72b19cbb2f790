//! For tests: invented people, enrolments, relying parties and grants.

use super::assurance::{Acr, Amr};
use super::claims_request::ClaimsRequest;
use super::contact::{Address, Contact, Verified};
use super::education::{Profile, SchoolYear};
use super::enrolment::Enrolment;
use super::grant::{Grant, Scopes, Standing};
use super::identity::{Identity, Status};
use super::registration::{Policy, SubjectType};
use super::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, GrantType, Release, ReleasePolicy, RelyingParty,
    SecurityProfile, SigningAlgorithm, SubjectStrategy,
};
use super::resource_server::{ResourceServer, TokenFormat};
use super::source::{AafKey, Source};
use super::upstream::{
    Assurance, Linking, OidcProvider, Population, Preset, Protocol, UpstreamProvider, Userinfo,
};
use crate::base::id::{ClassGroupId, EnrolmentId, GrantId, IdentityId, SessionId};
use crate::base::random::SeededRandom;
use crate::base::secret::Secret;
use crate::base::time::{Timestamp, parse_date};

/// 2026-10-01 08:00:00 UTC.
const MORNING: Timestamp = Timestamp::from_seconds(1_790_841_600);

/// An invented pupil; different numbers make different people.
pub(crate) fn person(given_name: &str, number: i64) -> Identity {
    let now = Timestamp::from_seconds(1_790_000_000 + number);
    Identity {
        id: IdentityId::new(now, &SeededRandom::new(number.unsigned_abs())),
        status: Status::Active,
        family_name: "Le Goff".into(),
        usage_name: None,
        given_name: given_name.into(),
        birth_date: parse_date("2016-08-17"),
        sex: None,
        username: None,
        locale: None,
        created_at: now,
    }
}

/// An invented contact with all three parts; the mail address is verified, the number is not.
pub(crate) fn contact(name: &str) -> Contact {
    let line = |text: &str| Some(text.parse().unwrap());
    Contact {
        email: Some(Verified {
            value: format!("{name}@ecole.example").parse().unwrap(),
            is_verified: true,
        }),
        phone: Some(Verified {
            value: "+33199001234".parse().unwrap(),
            is_verified: false,
        }),
        address: Some(Address {
            street: line("3, rue des Marronniers"),
            postal_code: line("80000"),
            locality: line("Amiens"),
            region: None,
            country: line("France"),
        }),
    }
}

/// Somebody in the feed of the second degree of the academy of Amiens, as a pupil of a school.
pub(crate) fn aaf_key(uai: &str) -> AafKey {
    AafKey {
        source: Source::Aaf2d,
        academy: "20".parse().unwrap(),
        jointure: "1234567".into(),
        attachment: Some("1037745".into()),
        school: uai.parse().unwrap(),
        profile: Profile::Pupil,
    }
}

/// Their enrolment as a pupil of the school year 2026.
pub(crate) fn enrolment(pupil: &Identity, uai: &str, level: &str) -> Enrolment {
    let who = pupil.created_at.micros().unsigned_abs();
    let random = SeededRandom::new(uai.bytes().map(u64::from).sum::<u64>() + who);
    Enrolment {
        id: EnrolmentId::new(MORNING, &random),
        identity: pupil.id,
        school: uai.parse().unwrap(),
        class: Some(ClassGroupId::new(MORNING, &random)),
        class_label: Some(format!("{level} A")),
        level: Some(level.into()),
        profile: Profile::Pupil,
        year: SchoolYear::new(2026).unwrap(),
        starts_on: parse_date("2026-09-01").unwrap(),
        ends_on: parse_date("2027-09-15").unwrap(),
        opens_on: None,
        is_current: true,
    }
}

/// A grant of everything to a party.
pub(crate) fn grant(client: &str) -> Grant {
    let random = SeededRandom::new(7);
    Grant {
        id: GrantId::new(MORNING, &random),
        client: client.parse().unwrap(),
        identity: person("Lina", 1).id,
        session: SessionId::new(MORNING, &random),
        scopes: Scopes::known_of("openid profile education"),
        resource: None,
        claims: ClaimsRequest::default(),
        nonce: Some("nonce".into()),
        authenticated_at: MORNING,
        acr: Acr::Class,
        amr: Amr::Picture,
        created_at: MORNING,
        revoked_at: None,
    }
}

/// A grant whose person and login are as they should be.
pub(crate) fn standing(grant: Grant) -> Standing {
    Standing {
        person: Status::Active,
        login_until: Some(grant.created_at.plus(std::time::Duration::from_secs(3600))),
        subject: Some("abc".into()),
        live: Vec::new(),
        grant,
    }
}

/// An invented confidential client that releases everything and serves every school; its secret is `secret of <id>`.
pub(crate) fn party(id: &str) -> RelyingParty {
    let release = |attribute: &Attribute| Release {
        attribute: *attribute,
        purpose: "accueillir l’élève".into(),
        convention: "2026-17".into(),
    };
    RelyingParty {
        id: id.parse().unwrap(),
        name: format!("Service {id}"),
        home: None,
        redirect_uris: vec![format!("https://{id}.example/cb")],
        post_logout_redirect_uris: vec![format!("https://{id}.example/bye")],
        sector: id.into(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: vec![Secret::new(format!("secret of {id}")).digest()],
        pkce_required: true,
        id_token_alg: SigningAlgorithm::Es256,
        release: ReleasePolicy(Attribute::ALL.iter().map(release).collect()),
        schools: Vec::new(),
        basis: Basis::Convention,
        metadata: ClientMetadata::default(),
        saml: None,
        cas: None,
        populations: Vec::new(),
        registration: None,
        enabled: true,
    }
}

/// A policy that lets `<id>.example` and `127.0.0.1` register everything there is, ten clients, and releases given names.
pub(crate) fn policy(id: &str) -> Policy {
    Policy {
        id: id.parse().unwrap(),
        name: format!("Projet {id}"),
        hosts: vec![
            format!("{id}.example").parse().unwrap(),
            "127.0.0.1".parse().unwrap(),
        ],
        most: 10,
        grant_types: GrantType::ALL.to_vec(),
        auth_methods: ClientAuthMethod::ALL.to_vec(),
        subject_types: SubjectType::ALL.to_vec(),
        profile: SecurityProfile::Standard,
        pkce_required: true,
        basis: Basis::Convention,
        resources: Vec::new(),
        service_scopes: Vec::new(),
        release: ReleasePolicy(vec![Release {
            attribute: Attribute::GivenName,
            purpose: "accueillir l’élève".into(),
            convention: "2026-17".into(),
        }]),
        schools: Vec::new(),
        enabled: true,
    }
}

/// An invented resource server, `https://<id>.example/api`, with the scopes `menus:read` and `menus:write`; the party of
/// that id may introspect.
pub(crate) fn resource_server(id: &str) -> ResourceServer {
    ResourceServer {
        audience: format!("https://{id}.example/api").parse().unwrap(),
        name: format!("API {id}"),
        scopes: vec!["menus:read".parse().unwrap(), "menus:write".parse().unwrap()],
        token_format: TokenFormat::Opaque,
        token_alg: SigningAlgorithm::Es256,
        introspectors: vec![id.parse().unwrap()],
        enabled: true,
    }
}

/// A provider of agents of the academy of Lille (09), by OpenID Connect, without a rule.
pub(crate) fn staff_provider(id: &str) -> UpstreamProvider {
    UpstreamProvider {
        id: id.parse().unwrap(),
        name: format!("Agents {id}"),
        preset: Preset::FimOidc,
        populations: vec![Population::Staff],
        protocol: Protocol::Oidc(OidcProvider {
            issuer: format!("https://{id}.example"),
            client_id: "marelle".into(),
            auth_method: ClientAuthMethod::SecretPost,
            scopes: Vec::new(),
            acr_values: None,
            required_acr: Vec::new(),
            claims: None,
            pkce: false,
            requires_iss: false,
            userinfo: Userinfo::Json,
            endpoints: None,
            logout: false,
        }),
        linking: Linking::default(),
        assurance: Assurance::default(),
        academies: vec!["09".parse().unwrap()],
        staff_rules: Vec::new(),
        convention: None,
        starts_on: None,
        ends_on: None,
        enabled: true,
    }
}
