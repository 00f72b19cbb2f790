//! L1: XML as SAML and CAS speak it: an [`Element`] writes ours, a [`Document`] reads theirs.
//!
//! Ours is written as exclusive canonical XML (xml-exc-c14n §3), so that what is signed is what is sent. Theirs is read
//! strictly, once, into a small tree that cannot be changed: what would let two readers see two documents (a DOCTYPE,
//! an entity, a processing instruction, a relative namespace) ends the reading. Must never guess at broken XML, and must
//! never know what an element means.

mod canonical;
mod document;
mod element;
mod fault;
mod lexical;
mod namespace;
mod read;
mod rendering;
mod stream;

pub use canonical::canonical;
pub use document::{Attribute, Document, Node};
pub use element::Element;
pub use fault::{Fault, Flaw};
pub use namespace::Namespace;
pub use read::{Limits, Scope};
pub use rendering::{Rendering, write_tag};
pub use stream::{Stream, Tag, TagAttribute, Token};
