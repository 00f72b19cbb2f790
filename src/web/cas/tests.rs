//! The CAS server, tried in process as browsers and services use it, on each engine.

mod access_date;
mod flow;
mod logout;
mod proxy;
mod tickets;

use std::sync::Arc;

use crate::domain::identity::Identity;
use crate::domain::relying_party::{CasService, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::Partners;
pub(super) use crate::web::oauth::tests::site::*;

/// An invented service below `https://<id>.example/app`, which speaks nothing but CAS.
fn service(id: &str) -> RelyingParty {
    RelyingParty {
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        secrets: Vec::new(),
        cas: Some(CasService {
            services: vec![format!("https://{id}.example/app")],
            ..CasService::default()
        }),
        ..party(id)
    }
}

/// The address of a path and its parameters.
fn at(path: &str, parameters: &[(&str, &str)]) -> String {
    crate::base::url::with_parameters(path, parameters.iter().copied())
}

/// The address of `/cas/login` for a service.
fn login_url(service: &str, more: &[(&str, &str)]) -> String {
    at("/cas/login", &[&[("service", service)], more].concat())
}

const NOTES: &str = "https://notes.example/app/6e?tab=1";
const AGENDA: &str = "https://agenda.example/app/";

/// A site with the services `notes` and `agenda`, and Lina of the école signed in, who was told of them.
async fn with_lina_and_notes((mut context, clock): Scene) -> (Site, Browser, Identity, Arc<Partners>) {
    let partners = Arc::new(Partners::default());
    context.outbound = partners.clone();
    let (site, mut browser, lina) = with_lina((context, clock)).await;
    for id in ["notes", "agenda"] {
        site.declare(&service(id)).await;
    }
    site.sign_in(&mut browser, &lina).await;
    site.advance(1);
    (site, browser, lina, partners)
}

impl Browser {
    /// The ticket a service gets for whoever is signed in here.
    async fn ticket(&self, site: &Site, service: &str) -> String {
        let reply = self.get(site, &login_url(service, &[])).await;
        assert!(reply.location().starts_with(service), "{reply:?}");
        reply.sent("ticket").unwrap()
    }
}

impl Site {
    /// What a service is answered to a ticket.
    async fn show(&self, path: &str, service: &str, ticket: &str) -> Reply {
        let parameters = [("service", service), ("ticket", ticket)];
        Browser::default().get(self, &at(path, &parameters)).await
    }

    /// The code of a refusal to a ticket.
    async fn refusal(&self, path: &str, service: &str, ticket: &str) -> String {
        let reply = self.show(path, service, ticket).await;
        code(&reply)
    }
}

/// The code of a refusal.
fn code(reply: &Reply) -> String {
    let (_, rest) = reply
        .body
        .split_once("code=\"")
        .unwrap_or_else(|| panic!("no refusal: {}", reply.body));
    rest.split('"').next().unwrap().to_owned()
}

/// What stands in the first element of a name.
fn element<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    let (_, rest) = reply.body.split_once(&format!("<cas:{name}>"))?;
    rest.split_once(&format!("</cas:{name}>")).map(|(text, _)| text)
}
