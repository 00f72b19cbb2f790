//! What must hold of every input, each as a function of bytes: the targets hand them what libFuzzer makes up, `seeds` what it
//! begins with.
//!
//! | target | what comes from outside | what must hold |
//! | --- | --- | --- |
//! | [`saml_message`] | addresses and forms with SAML messages, and answers of providers | an answer goes to an address of the metadata or nowhere; what is not signed by the party is not believed; who signs in is who was signed |
//! | [`saml_metadata`] | entities and aggregates | the stream and the tree read the same; what is taken is canonical, is taken again, and was signed where it must be; no address without TLS, no name twice |
//! | [`cas`] | addresses of services, tickets, logouts | an address that is covered leads a browser to the declared host and path; no value becomes markup |
//! | [`xml_signature`] | signed XML, taken apart and put together anew | what is given back was signed, as one of the documents that there are, and nothing around it |
//! | [`roster`] | files of schools and academies | every record is counted once; the pieces in which a file comes change nothing |
//! | [`registers`] | other CSV, SIECLE, STS, OneRoster, changes of AAF, mappings | the same; a key is of one row; no link without its adult |
//!
//! A property that does not hold panics: that is what a finding is. Must never be part of the program.

pub mod cas;
mod markup;
pub mod registers;
pub mod roster;
pub mod saml_message;
pub mod saml_metadata;
mod samples;
pub mod xml_signature;

/// Bytes that are taken from the front, nothing where none are left.
struct Bytes<'d>(&'d [u8]);

impl<'d> Bytes<'d> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Up to the next byte that no text has, or to the end.
    fn text(&mut self) -> Option<&'d str> {
        let end = self.0.iter().position(|byte| *byte == 0xff);
        let end = end.unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(text).ok()
    }
}
