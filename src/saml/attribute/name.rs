//! The names of attributes: the short one of the annuaire ENT (SDET), and the one by OID where it has one.
//!
//! OIDs: X.520 and RFC 4524 for people, eduPerson and SUPANN for federations, and the arc of the ministry
//! (`1.3.6.1.4.1.20326.10.999.1`) for EduConnect's.

/// A name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The short one, which is the friendly one too.
    pub(super) short: &'static str,
    /// The one by OID, or another URI.
    pub(super) oid: Option<&'static str>,
    /// Whether anybody knows it by the short one alone.
    pub(super) short_form: bool,
}

const fn name(short: &'static str, oid: &'static str) -> Name {
    Name {
        short,
        oid: Some(oid),
        short_form: true,
    }
}

const fn only_short(short: &'static str) -> Name {
    Name {
        short,
        oid: None,
        short_form: true,
    }
}

/// Names that are defined as URIs only (SAML V2.0 Subject Identifier Attributes Profile, eduPerson).
const fn only_uri(short: &'static str, oid: &'static str) -> Name {
    Name {
        short,
        oid: Some(oid),
        short_form: false,
    }
}

pub(super) const SN: Name = name("sn", "urn:oid:2.5.4.4");
pub(super) const GIVEN_NAME: Name = name("givenName", "urn:oid:2.5.4.42");
pub(super) const DISPLAY_NAME: Name = name("displayName", "urn:oid:2.16.840.1.113730.3.1.241");
pub(super) const LOGIN: Name = name("ENTPersonLogin", "urn:oid:0.9.2342.19200300.100.1.1");
pub(super) const BIRTH_DATE: Name = only_short("ENTPersonDateNaissance");
pub(super) const TITLE: Name = name("personalTitle", "urn:oid:0.9.2342.19200300.100.1.40");
pub(super) const LANGUAGE: Name = name("preferredLanguage", "urn:oid:2.16.840.1.113730.3.1.39");
pub(super) const MAIL: Name = name("mail", "urn:oid:0.9.2342.19200300.100.1.3");
pub(super) const TELEPHONE: Name = name("telephoneNumber", "urn:oid:2.5.4.20");
pub(super) const STREET: Name = only_short("ENTPersonAdresse");
pub(super) const POSTAL_CODE: Name = only_short("ENTPersonCodePostal");
pub(super) const LOCALITY: Name = only_short("ENTPersonVille");
pub(super) const COUNTRY: Name = only_short("ENTPersonPays");
pub(super) const UAI: Name = only_short("ENTPersonStructRattachUAI");
pub(super) const LEVEL: Name = only_short("ENTEleveNivFormation");
pub(super) const CLASSES: Name = only_short("ENTEleveClasses");
pub(super) const PROFILES: Name = only_short("ENTPersonProfils");
pub(super) const JOINTURE: Name = only_short("ENTPersonJointure");

pub(super) const ID_ENT: Name = only_short("FrEduIdENT");
pub(super) const VECTEUR: Name = only_short("FrEduVecteur");
pub(super) const REF_ID: Name = only_short("FrEduCtRefId");
pub(super) const URL_RETOUR: Name = name("FrEduUrlRetour", "urn:oid:1.3.6.1.4.1.20326.10.999.1.5");
pub(super) const CT_DATE: Name = name("FrEduCtDateConnexion", "urn:oid:1.3.6.1.4.1.20326.10.999.1.6");
pub(super) const CT_AFFILIATION: Name =
    name("FrEduCtPersonAffiliation", "urn:oid:1.3.6.1.4.1.20326.10.999.1.7");
pub(super) const CT_ID: Name = name("FrEduCtId", "urn:oid:1.3.6.1.4.1.20326.10.999.1.57");
pub(super) const CT_BIRTH_DATE: Name = name("FrEduCtDateNaissance", "urn:oid:1.3.6.1.4.1.20326.10.999.1.67");
pub(super) const CT_UAI: Name = name("FrEduCtEleveUAI", "urn:oid:1.3.6.1.4.1.20326.10.999.1.72");

pub(super) const PAIRWISE: Name = only_uri("pairwise-id", "urn:oasis:names:tc:SAML:attribute:pairwise-id");
pub(super) const AFFILIATION: Name = name("eduPersonAffiliation", "urn:oid:1.3.6.1.4.1.5923.1.1.1.1");
pub(super) const SCOPED_AFFILIATION: Name =
    name("eduPersonScopedAffiliation", "urn:oid:1.3.6.1.4.1.5923.1.1.1.9");
pub(super) const ESTABLISHMENT: Name = name("supannEtablissement", "urn:oid:1.3.6.1.4.1.7135.1.2.1.14");
