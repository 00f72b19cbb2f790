//! How a service is told that a login has ended (CAS Protocol 3.0 §2.3.3, appendix C): by the ticket it validated.

use crate::base::time::Timestamp;
use crate::base::url;
use crate::xml::{Element, Namespace};

/// The form that is posted to the service: one parameter, a SAML message around the ticket. `id` is new each time.
pub fn form(id: &str, issued_at: Timestamp, ticket: &str) -> String {
    url::query([("logoutRequest", message(id, issued_at, ticket).as_str())])
}

/// Appendix C. The person is not named: the ticket says which login, and to nobody else.
fn message(id: &str, issued_at: Timestamp, ticket: &str) -> String {
    Element::new(Namespace::Samlp, "LogoutRequest")
        .attribute("ID", id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", issued_at.to_string())
        .child(Element::new(Namespace::Saml, "NameID").text("@NOT_USED@"))
        .child(Element::new(Namespace::Samlp, "SessionIndex").text(ticket))
        .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appendix_c_the_message_names_the_ticket_and_not_the_person() {
        let written = message("LR-1", Timestamp::from_seconds(1_790_841_600), "ST-1-abc");
        assert_eq!(
            written,
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"LR-1\" \
             IssueInstant=\"2026-10-01T08:00:00Z\" Version=\"2.0\">\
             <saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@</saml:NameID>\
             <samlp:SessionIndex>ST-1-abc</samlp:SessionIndex></samlp:LogoutRequest>"
        );
        let form = form("LR-1", Timestamp::from_seconds(0), "ST-1");
        assert_eq!(url::parameters(&form)[0].0, "logoutRequest");
    }
}
