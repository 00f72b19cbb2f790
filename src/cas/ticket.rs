//! What tickets look like (CAS Protocol 3.0 §3): a prefix that says the kind, then 256 random bits in letters and digits,
//! the only ones that §3.7 allows besides the hyphen.

use data_encoding::BASE32_NOPAD;

use crate::base::random::{self, Random};
use crate::base::secret::Secret;
use crate::domain::cas_ticket::TicketKind;

/// Longer than any ticket of ours.
const LIMIT: usize = 128;

/// A new ticket of a kind.
pub fn generate(kind: TicketKind, random: &dyn Random) -> Secret {
    written(kind.as_str(), random)
}

/// What says, in the place of a proxy-granting ticket, that there is one (§3.4).
pub fn iou(random: &dyn Random) -> Secret {
    written("PGTIOU", random)
}

fn written(prefix: &str, random: &dyn Random) -> Secret {
    let symbols = BASE32_NOPAD.encode(&random::bytes::<32>(random));
    Secret::new(format!("{prefix}-{symbols}"))
}

/// The ticket in text that was sent; `None` where it cannot be one.
pub fn read(text: &str) -> Option<Secret> {
    let sound = text.len() <= LIMIT
        && text
            .bytes()
            .all(|symbol| symbol.is_ascii_alphanumeric() || symbol == b'-');
    let known = TicketKind::ALL.iter().any(|kind| {
        text.strip_prefix(kind.as_str())
            .is_some_and(|rest| rest.starts_with('-'))
    });
    (sound && known).then(|| Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    #[test]
    fn section_3_7_tickets_are_letters_digits_and_hyphens_and_say_their_kind() {
        let random = SeededRandom::new(1);
        for kind in TicketKind::ALL {
            let ticket = generate(*kind, &random);
            let text = ticket.expose();
            assert!(text.starts_with(&format!("{kind}-")), "{text}");
            // 52 symbols of 5 bits are 256 bits. §3.3: services take at least 64 characters of a PGT.
            assert_eq!(text.len(), kind.as_str().len() + 1 + 52);
            assert!(text.len() <= 64);
            assert_eq!(read(text), Some(ticket.clone()));
            assert_ne!(generate(*kind, &random), ticket);
        }
        let iou = iou(&random);
        assert!(iou.expose().starts_with("PGTIOU-") && iou.expose().len() <= 64);
        assert_eq!(read(iou.expose()), None, "an IOU is no ticket");
        for wrong in [
            "",
            "ST",
            "XT-1",
            "ST-a b",
            "ST-é",
            "ST-\"",
            "st-1",
            "ST_1",
            &format!("ST-{}", "a".repeat(200)),
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
