//! saml-profiles §4.1.2: an assertion goes by form. Artifacts are not spoken here, and by Redirect it must never go.

use super::AuthnRequest;
use crate::domain::saml_entity::Binding;
use crate::saml::status::{Detail, Status};

pub(super) fn check(request: &AuthnRequest) -> Result<(), Status> {
    match request.protocol_binding.as_deref() {
        None => Ok(()),
        Some(binding) if binding == Binding::Post.as_str() => Ok(()),
        Some(_) => Err(Status::requester(
            Detail::UnsupportedBinding,
            "answers are sent by HTTP-POST",
        )),
    }
}
