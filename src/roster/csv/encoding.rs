//! From the bytes of one school's file to text: byte order mark, then strict UTF-8, then windows-1252.
//!
//! ONDE declares no encoding, so the whole file has to be seen to know it; one school is small enough to be held, and
//! anything larger is refused. Must never replace what it cannot decode.

use std::io::Read;

/// The largest file of one school: some two hundred thousand pupils.
pub(super) const LARGEST: u64 = 32 * 1024 * 1024;

/// Why bytes are not the text of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotText {
    /// The file could not be read to its end.
    Io(std::io::ErrorKind),
    /// Larger than [`LARGEST`].
    Large,
    /// A UTF-8 mark in front of bytes that are not UTF-8; the bytes before the first wrong one.
    BrokenUtf8 {
        /// Line of the first wrong byte.
        line: u64,
    },
    /// UTF-16, as "Unicode text" is saved by spreadsheets.
    Utf16,
    /// A spreadsheet or an archive.
    Zip,
}

impl NotText {
    /// Where it is seen.
    pub(super) fn line(&self) -> u64 {
        match self {
            Self::BrokenUtf8 { line } => *line,
            _ => 1,
        }
    }

    /// A sentence for the person who delivered the file.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Io(kind) => format!("lecture interrompue ({kind})"),
            Self::Large => format!(
                "fichier trop gros pour une école (plus de {} Mio)",
                LARGEST / (1024 * 1024)
            ),
            Self::BrokenUtf8 { .. } => {
                "le fichier s'annonce en UTF-8 mais cette ligne n'en est pas : fichier abîmé".to_owned()
            }
            Self::Utf16 => {
                "fichier en UTF-16 : déposez le fichier tel qu'ONDE l'a produit, sans le réenregistrer"
                    .to_owned()
            }
            Self::Zip => "ce fichier est un classeur ou une archive, pas le CSV produit par ONDE".to_owned(),
        }
    }
}

/// Reads and decodes a whole file; byte order marks (one or several) are taken off.
pub(super) fn read_text(input: impl Read) -> Result<String, NotText> {
    let mut bytes = Vec::new();
    input
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| NotText::Io(error.kind()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(NotText::Large);
    }
    decode(&bytes)
}

fn decode(bytes: &[u8]) -> Result<String, NotText> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(NotText::Zip);
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(NotText::Utf16);
    }
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(MARK) {
        rest = after;
    }
    let marked = rest.len() < bytes.len();
    match std::str::from_utf8(rest) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) if marked => {
            let good = rest.iter().take(error.valid_up_to());
            let breaks = good.filter(|byte| **byte == b'\n').count();
            Err(NotText::BrokenUtf8 {
                line: breaks as u64 + 1,
            })
        }
        // Every byte has a meaning in windows-1252, so this cannot fail; ISO-8859-1 is read by it too.
        Err(_) => Ok(encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(rest)
            .0
            .into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_found() {
        assert_eq!(read_text(&b"No\xC3\xA9mie"[..]).unwrap(), "Noémie");
        assert_eq!(
            read_text(&b"\xEF\xBB\xBF\xEF\xBB\xBFNo\xC3\xA9mie"[..]).unwrap(),
            "Noémie"
        );
        assert_eq!(read_text(&b"No\xE9mie"[..]).unwrap(), "Noémie");
        assert_eq!(
            read_text(&b"D\x92H\x9Crt"[..]).unwrap(),
            "D’Hœrt",
            "windows-1252, not ISO-8859-1"
        );
    }

    #[test]
    fn what_is_not_the_file_of_the_register_is_named() {
        assert_eq!(
            read_text(&b"\xEF\xBB\xBFa\nb\xE9\n"[..]),
            Err(NotText::BrokenUtf8 { line: 2 })
        );
        assert_eq!(read_text(&b"\xFF\xFEN\0o\0m\0"[..]), Err(NotText::Utf16));
        assert_eq!(read_text(&b"PK\x03\x04rest"[..]), Err(NotText::Zip));
        let large = std::io::repeat(b'a').take(LARGEST + 1);
        assert_eq!(read_text(large), Err(NotText::Large));
    }
}
