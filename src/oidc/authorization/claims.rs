//! OpenID Connect Core §5.5, `claims`: which claims are asked for one by one, and where. What cannot be read is an error;
//! what is not known here is ignored (§5.5.1).

use super::RedirectError;
use crate::domain::claims_request::ClaimsRequest;
use crate::oauth::parameters::Parameters;

/// Twenty claims with their reasons fit; the whole request has to fit into an address.
const LONGEST: usize = 4096;

pub(super) fn check(parameters: &Parameters) -> Result<ClaimsRequest, RedirectError> {
    match parameters.get("claims") {
        None => Ok(ClaimsRequest::default()),
        Some(text) if text.len() > LONGEST => {
            Err(RedirectError::invalid_request("claims is longer than 4096 bytes"))
        }
        Some(text) => text
            .parse()
            .map_err(|error: crate::domain::claims_request::InvalidClaims| {
                RedirectError::invalid_request(error.description())
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::url;
    use crate::oauth::error::ErrorCode;

    fn read(text: &str) -> Result<ClaimsRequest, ErrorCode> {
        let parameters = Parameters::read(&url::query([("claims", text)])).unwrap();
        check(&parameters).map_err(|error| error.code)
    }

    #[test]
    fn what_cannot_be_read_is_an_invalid_request() {
        assert_eq!(read(""), Ok(ClaimsRequest::default()));
        assert!(
            !read(r#"{"userinfo":{"name":{"essential":true}}}"#)
                .unwrap()
                .is_empty()
        );
        for wrong in ["{", "[]", "name", r#"{"userinfo":{"name":null,"name":null}}"#] {
            assert_eq!(read(wrong), Err(ErrorCode::InvalidRequest), "{wrong}");
        }
        let of_length = |length: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(length - 8));
        assert!(read(&of_length(LONGEST)).is_ok());
        assert_eq!(read(&of_length(LONGEST + 1)), Err(ErrorCode::InvalidRequest));
    }
}
