//! Redirect addresses: when one that came is one that was registered.

/// Whether a registered address may be sent to when `given` was asked for: the same text, character for character
/// (RFC 9700 §4.1.3). A public client on the person's own machine may choose its port: `http` on `127.0.0.1` or `[::1]`
/// (RFC 8252 §7.3), never on the name `localhost` (§8.3).
pub fn matches(registered: &str, given: &str, public: bool) -> bool {
    registered == given
        || (public && without_port(registered).is_some_and(|ours| Some(ours) == without_port(given)))
}

/// The text of a loopback address, cut before and after its port; `None` for any other address.
fn without_port(address: &str) -> Option<(&'static str, &str)> {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        if let Some(rest) = address.strip_prefix(host) {
            let path = match rest.strip_prefix(':') {
                Some(port_and_path) => {
                    let path = port_and_path.trim_start_matches(|symbol: char| symbol.is_ascii_digit());
                    let port = port_and_path.strip_suffix(path)?;
                    port.parse::<u16>().ok().filter(|port| *port != 0)?;
                    path
                }
                None => rest,
            };
            return (path.is_empty() || path.starts_with(['/', '?'])).then_some((host, path));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_37_only_the_registered_text_matches() {
        let registered = "https://ent.example/cb";
        assert!(matches(registered, registered, false));
        for tricked in [
            "https://ent.example/cb/",
            "https://ent.example/cb/more",
            "https://ent.example/cb?x=1",
            "https://ent.example/cb#f",
            "https://ent.example//cb",
            "https://ent.example/./cb",
            "https://ent.example/%63b",
            "https://ent.example\\@evil.example/cb",
            "https://user@ent.example/cb",
            "https://ent.example:443/cb",
            "https://ent.example.evil.example/cb",
            "https://evil.example/?https://ent.example/cb",
            "https://еnt.example/cb",
            "https://xn--nt-4nc.example/cb",
            "HTTPS://ent.example/cb",
            "https://ENT.example/cb",
            "http://ent.example/cb",
            "",
        ] {
            assert!(!matches(registered, tricked, false), "{tricked}");
            assert!(!matches(registered, tricked, true), "{tricked}");
        }
    }

    #[test]
    fn rfc_8252_section_7_3_a_public_client_chooses_its_loopback_port() {
        let registered = "http://127.0.0.1/cb";
        assert!(matches(registered, "http://127.0.0.1:51004/cb", true));
        assert!(matches("http://[::1]:1/cb", "http://[::1]:51004/cb", true));
        assert!(
            !matches(registered, "http://127.0.0.1:51004/cb", false),
            "confidential"
        );
        for wrong in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:51004",
            "https://127.0.0.1:51004/cb",
            "http://localhost:51004/cb",
            "http://127.1:51004/cb",
            "http://[::1]:51004/cb",
        ] {
            assert!(!matches(registered, wrong, true), "{wrong}");
        }
        assert!(!matches("http://localhost:1/cb", "http://localhost:2/cb", true));
    }
}
