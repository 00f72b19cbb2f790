//! How answers of a provider are read: status, type, length, strict JSON.
//!
//! Must never follow a redirect, nor take an answer for something else than what it says it is.

use http::{Response, header};
use serde_json::{Map, Value};

use super::{Of, Rejected};
use crate::base::json;

/// The longest answer that is read.
const MOST: usize = 256 * 1024;

pub(super) const JSON: &str = "application/json";
pub(super) const JWT: &str = "application/jwt";

/// The text of a good answer.
pub(super) fn text(answer: &Response<Vec<u8>>, of: Of) -> Result<&str, Rejected> {
    if answer.body().len() > MOST {
        return Err(Rejected::TooLong(of));
    }
    let status = answer.status();
    if status.is_redirection() {
        return Err(Rejected::Redirected(of));
    }
    let body = std::str::from_utf8(answer.body());
    if status != http::StatusCode::OK {
        let said = body.ok().and_then(json::read);
        let error = said
            .as_ref()
            .and_then(|said| said.get("error"))
            .and_then(Value::as_str);
        return Err(match error {
            // RFC 6749 §5.2.
            Some(error) => Rejected::answered(of, error),
            None => Rejected::Status {
                of,
                status: status.as_u16(),
            },
        });
    }
    body.map_err(|_| Rejected::malformed(of, "not UTF-8"))
}

/// The same, of exactly this content type; its parameters say nothing.
pub(super) fn typed<'a>(
    answer: &'a Response<Vec<u8>>,
    of: Of,
    due: &'static str,
) -> Result<&'a str, Rejected> {
    let text = text(answer, of)?;
    let mut types = answer.headers().get_all(header::CONTENT_TYPE).iter();
    let (Some(said), None) = (types.next(), types.next()) else {
        return Err(Rejected::ContentType { of, due });
    };
    let said = said.to_str().unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(due) {
        Ok(text)
    } else {
        Err(Rejected::ContentType { of, due })
    }
}

/// An object whose members each come once.
pub(super) fn object(text: &str, of: Of) -> Result<Map<String, Value>, Rejected> {
    match json::read(text) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(Rejected::malformed(
            of,
            "not a JSON object whose members come once",
        )),
    }
}

/// A request without a body.
pub(super) fn get(address: &str, accept: &'static str) -> Result<http::request::Builder, Rejected> {
    let uri: http::Uri = address
        .parse()
        .map_err(|_| Rejected::Request("an address that cannot be asked"))?;
    Ok(http::Request::get(uri).header(header::ACCEPT, accept))
}

/// Ends the making of a request.
pub(super) fn made(
    request: http::request::Builder,
    body: Vec<u8>,
) -> Result<http::Request<Vec<u8>>, Rejected> {
    request
        .body(body)
        .map_err(|_| Rejected::Request("what is to be sent does not fit into a header"))
}
