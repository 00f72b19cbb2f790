//! Addresses: what is one origin, and a query read without losing or merging parameters.
//!
//! Must never decide whether an address is trusted: that is policy, above.

pub use url::Url;

/// The origin of an absolute `http(s)` address (`https://ent.example:8443`), `None` for anything without one.
pub fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// The parameters of a query or form body, in order, duplicates kept.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// Writes parameters as a query.
pub fn query<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        out.append_pair(name, value);
    }
    out.finish()
}

/// One value out of `application/x-www-form-urlencoded` text.
pub fn form_decoded(text: &str) -> String {
    // Parsed as the name of a pair, so that `&` and `=` in it, which an encoder would have escaped, stay what they are.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

/// `address` with parameters added behind those it has, in `application/x-www-form-urlencoded` form
/// (RFC 6749 §4.1.2 and Appendix B). The rest of the address is kept byte for byte.
pub fn with_parameters<'a>(
    address: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let added = query(parameters);
    if added.is_empty() {
        return address.to_owned();
    }
    let joint = match address.find('?') {
        None => "?",
        // A question mark further on is part of the last parameter.
        Some(at) if at + 1 == address.len() || address.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_behind_those_there_are() {
        assert_eq!(
            with_parameters("https://a.example/cb", [("code", "x y")]),
            "https://a.example/cb?code=x+y"
        );
        assert_eq!(
            with_parameters("https://a.example/cb?k=1", [("s", "é")]),
            "https://a.example/cb?k=1&s=%C3%A9"
        );
        assert_eq!(
            with_parameters("https://a.example/cb", []),
            "https://a.example/cb"
        );
        for (address, expected) in [
            ("https://a.example/cb?", "https://a.example/cb?t=1"),
            ("https://a.example/cb?k=1&", "https://a.example/cb?k=1&t=1"),
            ("https://a.example/cb?k=what?", "https://a.example/cb?k=what?&t=1"),
            ("https://a.example/cb??", "https://a.example/cb??&t=1"),
        ] {
            assert_eq!(with_parameters(address, [("t", "1")]), expected);
        }
    }

    #[test]
    fn one_encoded_value_is_read_whole() {
        assert_eq!(form_decoded("a+b%20c%3A%C3%A9"), "a b c:é");
        assert_eq!(form_decoded("a&b=c"), "a&b=c");
        assert_eq!(form_decoded(""), "");
    }

    #[test]
    fn duplicates_survive_reading() {
        assert_eq!(parameters("a=1&a=2").len(), 2);
    }

    #[test]
    fn only_web_addresses_have_an_origin() {
        assert_eq!(
            origin("https://ent.example/cb?x").as_deref(),
            Some("https://ent.example")
        );
        assert_eq!(origin("javascript:alert(1)"), None);
        assert_eq!(origin("/relative"), None);
    }
}
