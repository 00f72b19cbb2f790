//! How surely the person must have signed in: the least that the client accepts (`minimum_acr`), and `acr` where it is
//! asked for as essential with values (OpenID Connect Core §5.5.1.1).
//!
//! A login that is of none of those values will not do, however sure it was: the ID Token would say something else than was
//! asked. The wishes of `acr_values` refuse nobody (§3.1.2.1); they choose where a login begins.

use crate::domain::assurance::Acr;
use crate::domain::claims_request::ClaimsRequest;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;

/// What the party wishes for: by the request, or by registration (Dynamic Registration §2, `default_acr_values`).
pub(super) fn wishes(parameters: &Parameters, party: &RelyingParty) -> Vec<String> {
    match parameters.get("acr_values") {
        Some(values) => values.split_ascii_whitespace().map(str::to_owned).collect(),
        None => party.metadata.default_acr_values.clone(),
    }
}

/// Where a login begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// At the page of login name and password, which leads to the class page too.
    Password,
    /// At the class page.
    Class,
}

/// The classes of login that will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assurance {
    will_do: Vec<Acr>,
    /// The surest that anybody can sign in with.
    surest: Acr,
}

impl Assurance {
    /// Reads what a request and its party demand.
    pub fn read(claims: &ClaimsRequest, party: &RelyingParty) -> Self {
        let asked = claims.id_token.get("acr").filter(|asked| asked.is_essential);
        let will_do = |acr: &Acr| {
            let is_one = asked.is_none_or(|asked| asked.takes(&acr.as_str().into()));
            let is_enough = party.metadata.minimum_acr.is_none_or(|least| *acr >= least);
            is_one && is_enough
        };
        Self {
            will_do: Acr::ALL.iter().copied().filter(will_do).collect(),
            surest: Acr::surest_here(),
        }
    }

    /// The same, where another provider proves that much.
    #[must_use]
    pub fn where_surest_is(self, surest: Acr) -> Self {
        Self { surest, ..self }
    }

    /// Whether a login of this class will do.
    pub fn is_met_by(&self, acr: Acr) -> bool {
        self.will_do.contains(&acr)
    }

    /// Whether there is a way to sign in that will do.
    pub fn can_be_met(&self) -> bool {
        self.surest.and_below().any(|acr| self.is_met_by(acr))
    }

    /// Where a login begins that is wished to be of one of these classes: at the class page only where nothing else will
    /// do, or nothing else that we know was wished for.
    pub fn entrance(&self, wishes: &[String]) -> Entrance {
        let mut will_do = self.surest.and_below().filter(|acr| self.is_met_by(*acr));
        let mut wished = wishes.iter().filter_map(|name| name.parse().ok()).peekable();
        let is_wished = wished.peek().is_some() && wished.all(|acr: Acr| acr == Acr::Class);
        if self.is_met_by(Acr::Class) && (is_wished || will_do.all(|acr| acr == Acr::Class)) {
            Entrance::Class
        } else {
            Entrance::Password
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::party;

    fn demanded(acr: &str, minimum: Option<Acr>) -> Assurance {
        let mut ent = party("ent");
        ent.metadata.minimum_acr = minimum;
        let claims = format!(r#"{{"id_token":{{"acr":{acr}}}}}"#);
        Assurance::read(&claims.parse().unwrap(), &ent)
    }

    const CLASS: &str = r#"{"essential":true,"value":"urn:marelle:acr:class"}"#;
    const SEVERAL: &str = r#"{"essential":true,"values":["https://refeds.org/profile/mfa"]}"#;

    #[test]
    fn core_section_5_5_1_1_only_an_essential_class_with_values_refuses_a_login() {
        for wish in [
            "null",
            r#"{"essential":true}"#,
            r#"{"value":"https://refeds.org/profile/mfa"}"#,
        ] {
            let wish = demanded(wish, None);
            assert!(Acr::ALL.iter().all(|acr| wish.is_met_by(*acr)));
        }
        let class = demanded(CLASS, None);
        assert!(class.is_met_by(Acr::Class) && !class.is_met_by(Acr::SingleFactor) && class.can_be_met());
        let several = demanded(SEVERAL, None);
        assert!(several.is_met_by(Acr::MultiFactor) && !several.can_be_met());
        let elsewhere = several.where_surest_is(Acr::MultiFactor);
        assert!(elsewhere.can_be_met(), "by a provider that proves it");
        assert_eq!(elsewhere.entrance(&[]), Entrance::Password);
        for never in [
            r#"{"essential":true,"value":"urn:x"}"#,
            r#"{"essential":true,"values":[1]}"#,
        ] {
            assert!(!demanded(never, None).can_be_met(), "{never}");
        }
        let sure = demanded("null", Some(Acr::SingleFactor));
        assert!(!sure.is_met_by(Acr::Class) && sure.is_met_by(Acr::SingleFactor));
        assert!(sure.is_met_by(Acr::MultiFactor), "more is enough");
        assert!(
            !demanded(CLASS, Some(Acr::SingleFactor)).can_be_met(),
            "both must be met"
        );
    }

    #[test]
    fn a_login_begins_where_it_can_end_well() {
        let at = |acr: &str, minimum, wishes: &str| {
            let wishes: Vec<String> = wishes.split(' ').map(str::to_owned).collect();
            demanded(acr, minimum).entrance(&wishes)
        };
        let (class, single) = (Acr::Class.as_str(), Acr::SingleFactor.as_str());
        assert_eq!(at("null", None, ""), Entrance::Password);
        assert_eq!(at("null", None, "urn:x"), Entrance::Password);
        assert_eq!(at("null", None, class), Entrance::Class);
        assert_eq!(at("null", None, &format!("urn:x {class}")), Entrance::Class);
        assert_eq!(at("null", None, &format!("{class} {single}")), Entrance::Password);
        assert_eq!(at(CLASS, None, single), Entrance::Class);
        assert_eq!(at("null", Some(Acr::SingleFactor), class), Entrance::Password);
        let sure = Assurance::read(&Default::default(), &party("ent"));
        assert_eq!(sure.entrance(&[]), Entrance::Password);
    }
}
