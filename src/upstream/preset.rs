//! What each kind of provider calls what it says: names of attributes and claims as they were read in the field.
//!
//! A name that a preset does not list is not read, whatever a provider states. SAML attributes are looked up by their OID or
//! by their short name, whichever came.

use crate::domain::upstream::{Preset, Userinfo};

/// The names under which a provider says something; the first that has a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The person, where it is not the NameID or `sub`.
    pub subject: &'static [&'static str],
    /// Given name.
    pub given_name: &'static [&'static str],
    /// Family or usage name.
    pub family_name: &'static [&'static str],
    /// Birth date.
    pub birth_date: &'static [&'static str],
    /// `FrEduCtRefId`.
    pub ref_id: &'static [&'static str],
    /// `FrEduVecteur`.
    pub vecteur: &'static [&'static str],
    /// INE in clear.
    pub ine: &'static [&'static str],
    /// What the person is (`eleve2d`).
    pub affiliation: &'static [&'static str],
}

const NOTHING: &[&str] = &[];

/// EduConnect by SAML: the arc of the ministry, or short names.
const EDUCONNECT_SAML: Names = Names {
    subject: &["urn:oid:1.3.6.1.4.1.20326.10.999.1.57", "FrEduCtId"],
    given_name: &["urn:oid:2.5.4.42", "givenName"],
    family_name: &["urn:oid:2.5.4.4", "sn"],
    birth_date: &["urn:oid:1.3.6.1.4.1.20326.10.999.1.67", "FrEduCtDateNaissance"],
    ref_id: &["FrEduCtRefId"],
    vecteur: &["FrEduVecteur"],
    ine: NOTHING,
    affiliation: &["urn:oid:1.3.6.1.4.1.20326.10.999.1.7", "FrEduCtPersonAffiliation"],
};

const EDUCONNECT_OIDC: Names = Names {
    subject: NOTHING,
    given_name: &["given_name"],
    family_name: &["family_name"],
    birth_date: &["birthdate", "FrEduCtDateNaissance"],
    ref_id: &["FrEduCtRefId"],
    vecteur: &["FrEduVecteur"],
    ine: &["FrEduCtEleveINE"],
    affiliation: &["FrEduCtPersonAffiliation"],
};

const CLAIMS: Names = Names {
    subject: NOTHING,
    given_name: &["given_name"],
    family_name: &["family_name"],
    birth_date: &["birthdate"],
    ref_id: NOTHING,
    vecteur: NOTHING,
    ine: NOTHING,
    affiliation: NOTHING,
};

/// ProConnect says `usual_name`.
const PROCONNECT: Names = Names {
    family_name: &["usual_name"],
    birth_date: NOTHING,
    ..CLAIMS
};

const FIM: Names = Names {
    birth_date: NOTHING,
    ..CLAIMS
};

/// Portals of academies: names of LDAP, or those of the older header form.
const AGENTS: Names = Names {
    subject: &["ct-remote-user", "uid", "urn:oid:0.9.2342.19200300.100.1.1"],
    given_name: &["urn:oid:2.5.4.42", "givenName", "ctfn"],
    family_name: &["urn:oid:2.5.4.4", "sn", "ctln"],
    birth_date: NOTHING,
    ref_id: NOTHING,
    vecteur: NOTHING,
    ine: NOTHING,
    affiliation: NOTHING,
};

/// An ENT: what it knows of the ministry's keys, where its convention has it say so.
const ENTCORE: Names = Names {
    given_name: &["given_name", "firstName"],
    family_name: &["family_name", "lastName"],
    birth_date: &["birthdate", "birthDate"],
    ref_id: &["FrEduCtRefId"],
    vecteur: &["FrEduVecteur"],
    affiliation: NOTHING,
    ..CLAIMS
};

const GENERIC_SAML: Names = Names {
    subject: NOTHING,
    given_name: &["urn:oid:2.5.4.42", "givenName"],
    family_name: &["urn:oid:2.5.4.4", "sn"],
    birth_date: &[
        "urn:oid:1.3.6.1.5.5.7.9.1",
        "dateOfBirth",
        "ENTPersonDateNaissance",
    ],
    ref_id: &["FrEduCtRefId"],
    vecteur: &["FrEduVecteur"],
    ine: NOTHING,
    affiliation: NOTHING,
};

/// The names of a preset.
pub const fn names(preset: Preset) -> &'static Names {
    match preset {
        Preset::EduConnectSaml => &EDUCONNECT_SAML,
        Preset::EduConnectOidc => &EDUCONNECT_OIDC,
        Preset::FimOidc => &FIM,
        Preset::AgentsSaml => &AGENTS,
        Preset::ProConnect => &PROCONNECT,
        Preset::EntcoreOidc => &ENTCORE,
        Preset::GenericSaml => &GENERIC_SAML,
        Preset::FranceConnect | Preset::GenericOidc => &CLAIMS,
    }
}

/// The names under which a provider says what somebody who works there is, and for which schools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaffNames {
    /// Functions.
    pub function: &'static str,
    /// Schools where they work, as what.
    pub post: &'static str,
    /// A school where they work.
    pub school: &'static str,
    /// Schools that they answer for.
    pub responsible_for: &'static str,
    /// Applications that they were delegated.
    pub delegation: &'static str,
    /// Their academy.
    pub academy: &'static str,
}

impl StaffNames {
    /// All of them.
    pub const fn all(&self) -> [&'static str; 6] {
        [
            self.function,
            self.post,
            self.school,
            self.responsible_for,
            self.delegation,
            self.academy,
        ]
    }
}

/// The directory of the ministry's agents says the same by both protocols.
const MINISTRY: StaffNames = StaffNames {
    function: "FrEduFonctAdm",
    post: "FrEduRne",
    school: "rne",
    responsible_for: "FrEduRneResp",
    delegation: "FrEduResDel",
    academy: "codaca",
};

/// The names of a preset, where it says anything of staff. ProConnect does not.
pub const fn staff_names(preset: Preset) -> Option<&'static StaffNames> {
    match preset {
        Preset::FimOidc | Preset::AgentsSaml => Some(&MINISTRY),
        Preset::EduConnectSaml
        | Preset::EduConnectOidc
        | Preset::ProConnect
        | Preset::FranceConnect
        | Preset::EntcoreOidc
        | Preset::GenericSaml
        | Preset::GenericOidc => None,
    }
}

/// Whether it is a provider of SAML.
pub const fn is_saml(preset: Preset) -> bool {
    matches!(
        preset,
        Preset::EduConnectSaml | Preset::AgentsSaml | Preset::GenericSaml
    )
}

/// What an OpenID provider is asked with, where a declaration says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Scopes beside `openid`.
    pub scopes: &'static [&'static str],
    /// `acr_values`.
    pub acr_values: Option<&'static str>,
    /// The levels one of which must come back.
    pub required_acr: &'static [&'static str],
    /// `claims`.
    pub claims: Option<&'static str>,
    /// Whether PKCE is used.
    pub pkce: bool,
    /// How claims are asked for.
    pub userinfo: Userinfo,
}

/// What an OpenID provider of a preset is asked with.
pub const fn asking(preset: Preset) -> Asking {
    match preset {
        // The scope of the service comes with the convention; `eleve` selects the population, it is no level.
        Preset::EduConnectOidc => Asking {
            scopes: &["profile", "ect.scope.cnx"],
            acr_values: Some("eleve"),
            required_acr: &[],
            claims: None,
            pkce: false,
            userinfo: Userinfo::Json,
        },
        Preset::FimOidc => Asking {
            scopes: &["profile", "email"],
            acr_values: None,
            required_acr: &[],
            claims: None,
            pkce: false,
            userinfo: Userinfo::Json,
        },
        // Unknown parameters are refused there (Y000400), PKCE's among them; `amr` comes only where it is asked for.
        Preset::ProConnect => Asking {
            scopes: &["given_name", "usual_name", "email", "uid", "siret", "idp_id"],
            acr_values: Some("eidas1"),
            required_acr: &[],
            claims: Some(r#"{"id_token":{"amr":{"essential":true}}}"#),
            pkce: false,
            userinfo: Userinfo::Signed,
        },
        Preset::FranceConnect => Asking {
            scopes: &["given_name", "family_name", "birthdate"],
            acr_values: Some("eidas1"),
            required_acr: &["eidas1", "eidas2", "eidas3"],
            claims: None,
            pkce: false,
            userinfo: Userinfo::Signed,
        },
        Preset::EntcoreOidc => Asking {
            scopes: &["profile"],
            acr_values: None,
            required_acr: &[],
            claims: None,
            pkce: false,
            userinfo: Userinfo::Json,
        },
        Preset::GenericOidc | Preset::EduConnectSaml | Preset::AgentsSaml | Preset::GenericSaml => Asking {
            scopes: &["profile"],
            acr_values: None,
            required_acr: &[],
            claims: None,
            pkce: true,
            userinfo: Userinfo::Json,
        },
    }
}
