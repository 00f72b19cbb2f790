//! A demo service as a CAS service: a ticket comes with the browser, and is validated behind it (CAS Protocol 3.0 §2.5).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Arrival, ClientError, Fields, Login, Registration, Told, field, wrong};
use crate::base::url::{parameters, with_parameters};
use crate::domain::relying_party::CasService;
use crate::flows::outbound::{Outbound, Reach};
use crate::saml::xml::{Document, Limits, Namespace};

/// A service.
#[derive(Clone)]
pub(in crate::demo) struct Client {
    registration: Registration,
    outbound: Arc<dyn Outbound>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("cas::Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A service that validates by `outbound`.
    pub(in crate::demo) fn new(registration: Registration, outbound: Arc<dyn Outbound>) -> Self {
        Self {
            registration,
            outbound,
        }
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    fn at(&self, path: &str, fields: &[(&str, &str)]) -> String {
        with_parameters(
            &format!("{}{path}", self.registration.issuer),
            fields.iter().copied(),
        )
    }

    /// What Marelle is told of it.
    pub(in crate::demo) fn party(&self) -> CasService {
        CasService {
            services: vec![self.registration.callback()],
            ..CasService::default()
        }
    }

    pub(super) fn begin(&self) -> String {
        self.at("/cas/login", &[("service", &self.registration.callback())])
    }

    pub(super) async fn finish(&self, fields: &Fields) -> Result<Option<Arrival>, ClientError> {
        let Some(ticket) = field(fields, "ticket") else {
            return Ok(None);
        };
        let callback = self.registration.callback();
        let asked = [("service", &*callback), ("ticket", ticket), ("format", "JSON")];
        let request = http::Request::get(self.at("/cas/p3/serviceValidate", &asked));
        // The server is this machine.
        let request = request.extension(Reach::Anywhere).body(Vec::new());
        let request = request.map_err(|error| wrong("validation")(&error))?;
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| wrong("validation")(&error))?;
        let answer: Value =
            serde_json::from_slice(answer.body()).map_err(|error| wrong("validation")(&error))?;
        let response = answer.get("serviceResponse");
        let success = response.and_then(|response| response.get("authenticationSuccess"));
        let Some((success, sub)) = success.and_then(|found| Some((found, found.get("user")?.as_str()?)))
        else {
            return Err(ClientError(format!("validation: {answer}")));
        };
        let claims = success.get("attributes").and_then(Value::as_object);
        Ok(Some(Arrival {
            sub: sub.to_owned(),
            claims: claims.cloned().unwrap_or_else(Map::new),
            login: Login::Ticket(ticket.to_owned()),
        }))
    }

    pub(super) fn leave(&self) -> String {
        self.at("/cas/logout", &[("service", &self.registration.home())])
    }

    /// CAS Protocol 3.0 §2.3.3: a form, with the ticket that the service was given as the index of a session.
    pub(super) fn told(&self, form: &str) -> Option<Told> {
        let fields = parameters(form);
        let message = field(&fields, "logoutRequest")?;
        let document = Document::read(message.as_bytes(), &Limits::MESSAGE).ok()?;
        let index = document.root().child(Namespace::Samlp, "SessionIndex")?;
        Some(Told {
            login: index.text()?.trim().to_owned(),
            answer: None,
        })
    }
}
