//! A document as it came becomes canonical bytes that a pinned key is known to have signed, in bounded memory.
//!
//! One pass: the root's tag is held back until its signature, its first child (saml-metadata §2.3.1, §2.3.2), has said how
//! it was canonicalised; then tag after tag is written, and digested as it is written. Until the end nobody knows whether
//! the bytes are good: who gives the output must not read it before [`take`] has answered. Where a signature is not asked
//! for, one that is there is left out and nothing is said of it.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};

use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::saml::xml::{Document, Fault, Flaw, Limits, Namespace, Rendering, Stream, Tag, Token, write_tag};
use crate::saml::xmlsec::{Detached, Hasher, PublicKey, Refused};

/// The longest signature, certificates included.
const LONGEST_SIGNATURE: usize = 256 * 1024;
/// How many times longer than the document its canonical form may be: it repeats names of namespaces, and a short document
/// could be written that fills a disk.
const GROWTH: usize = 4;
/// The most entities of a document: twenty times those of eduGAIN.
const MOST_ENTITIES: usize = 250_000;

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Its XML is refused.
    #[error("the document is refused: {0}")]
    Xml(#[from] Fault),
    /// Its root is something else.
    #[error("the root is neither EntityDescriptor nor EntitiesDescriptor")]
    Root,
    /// Its signature is missing, or not accepted.
    #[error("{0}")]
    Signature(#[from] Refused),
    /// More entities than are counted.
    #[error("the document has more than {MOST_ENTITIES} entities")]
    TooMany,
    /// An end that cannot be read.
    #[error("its validUntil cannot be read")]
    End,
    /// The canonical form cannot be written, or digested.
    #[error("writing: {0}")]
    Output(#[from] io::Error),
}

/// Names, sixteen bytes each whatever their length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashSet<u128>);

impl Names {
    /// Adds a name; whether it was not there.
    pub fn add(&mut self, name: &str) -> bool {
        self.0.insert(Self::short(name))
    }

    /// Whether a name is there.
    pub fn has(&self, name: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&Self::short(name))
    }

    fn short(name: &str) -> u128 {
        let digest = sha256(name.as_bytes());
        let half = digest.get(..16).and_then(|half| half.try_into().ok());
        u128::from_be_bytes(half.unwrap_or_default())
    }
}

/// A document that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which of the keys signed it; `None` where none was asked for.
    pub key: Option<usize>,
    /// Until when it holds, where it says so.
    pub valid_until: Option<Timestamp>,
    /// The entityIDs that are in it more than once.
    pub repeated: Names,
}

/// Writes the canonical form of a document, its signature left out, and checks that one of `keys` signed it. Without keys
/// nothing is checked.
///
/// # Errors
/// Why it is not taken. What was written by then is nothing.
pub fn take<R: BufRead, W: Write>(
    input: R,
    keys: Option<&[PublicKey]>,
    limits: Limits,
    out: W,
) -> Result<Taken, NotTaken> {
    let mut stream = Stream::new(input, limits);
    let Token::Open(root) = stream.next_token()? else {
        return Err(NotTaken::Root);
    };
    if !root.is(Namespace::Md, "EntitiesDescriptor") && !root.is(Namespace::Md, "EntityDescriptor") {
        return Err(NotTaken::Root);
    }
    let scope = stream.scope().to_vec();
    let head = head(&mut stream, &root)?;
    let signed = match keys {
        None => None,
        Some(keys) => {
            let stub = head.stub.as_ref().ok_or(Refused::Unsigned)?;
            Some(Detached::read(stub.root(), keys)?)
        }
    };
    let valid_until = stated_end(&root)?;
    let prefixes = signed.as_ref().map(|signed| signed.prefixes.clone());
    let hasher = signed.as_ref().map(Detached::hasher).transpose();
    let tee = Tee {
        out,
        hasher: hasher.map_err(io::Error::other)?,
        left: limits.bytes.saturating_mul(GROWTH),
    };
    let mut rendering = Rendering::new(tee, &prefixes.unwrap_or_default());
    rendering.open(&root, &scope)?;
    for space in &head.before {
        rendering.text(space)?;
    }
    let mut next = head.next;
    let (mut names, mut repeated) = (Names::default(), Names::default());
    loop {
        let token = match next.take() {
            Some(token) => token,
            None => stream.next_token()?,
        };
        match token {
            Token::Open(tag) => {
                // saml-core §5.4.2: one signature; a second one could be taken for the first by somebody else.
                if rendering.depth() == 1 && is_signature(&tag) {
                    return Err(Refused::Form("more than one signature, or not the first element").into());
                }
                if let Some(id) = tag.attribute("entityID")
                    && tag.is(Namespace::Md, "EntityDescriptor")
                    && !names.add(id)
                {
                    repeated.add(id);
                }
                if names.0.len() > MOST_ENTITIES {
                    return Err(NotTaken::TooMany);
                }
                rendering.open(&tag, stream.scope())?;
            }
            Token::Text(text) => rendering.text(&text)?,
            Token::Close => rendering.close()?,
            Token::End => break,
        }
    }
    let tee = rendering.finish()?;
    if let (Some(signed), Some(hasher)) = (&signed, tee.hasher)
        && !signed.is(hasher)
    {
        return Err(Refused::Signature.into());
    }
    Ok(Taken {
        key: signed.map(|signed| signed.key),
        valid_until,
        repeated,
    })
}

fn is_signature(tag: &Tag) -> bool {
    tag.is(Namespace::Ds, "Signature")
}

/// The root's own end, before anything else is read.
fn stated_end(root: &Tag) -> Result<Option<Timestamp>, NotTaken> {
    let stated = root.attribute("validUntil");
    stated
        .map(|text| super::moment(text).ok_or(NotTaken::End))
        .transpose()
}

/// What stands before the content: perhaps a signature.
struct Head {
    /// The text before the signature, which belongs to the signed form.
    before: Vec<String>,
    /// The root's tag around its signature, where there is one.
    stub: Option<Document>,
    /// What comes next, where there is no signature.
    next: Option<Token>,
}

fn head<R: BufRead>(stream: &mut Stream<R>, root: &Tag) -> Result<Head, NotTaken> {
    let mut before = Vec::new();
    let mut length = 0;
    loop {
        match stream.next_token()? {
            Token::Text(text) => {
                length += text.len();
                within(length)?;
                before.push(text);
            }
            Token::Open(tag) if is_signature(&tag) => {
                let stub = stub(stream, root, &tag)?;
                return Ok(Head {
                    before,
                    stub: Some(stub),
                    next: None,
                });
            }
            other => {
                return Ok(Head {
                    before,
                    stub: None,
                    next: Some(other),
                });
            }
        }
    }
}

/// The root with its signature alone, as a document of its own.
fn stub<R: BufRead>(stream: &mut Stream<R>, root: &Tag, signature: &Tag) -> Result<Document, NotTaken> {
    let mut text = String::new();
    let mut open = vec![write_tag(root, &mut text), write_tag(signature, &mut text)];
    let outside = open.len() - 1;
    while open.len() > outside {
        match stream.next_token()? {
            Token::Open(tag) => open.push(write_tag(&tag, &mut text)),
            Token::Text(piece) => text.push_str(&escaped(&piece)),
            Token::Close => close(&mut open, &mut text),
            Token::End => break,
        }
        within(text.len())?;
    }
    while !open.is_empty() {
        close(&mut open, &mut text);
    }
    Ok(Document::read(text.as_bytes(), &Limits::MESSAGE)?)
}

fn close(open: &mut Vec<String>, out: &mut String) {
    if let Some(name) = open.pop() {
        out.push_str("</");
        out.push_str(&name);
        out.push('>');
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#xD;")
}

fn within(length: usize) -> Result<(), NotTaken> {
    if length <= LONGEST_SIGNATURE {
        return Ok(());
    }
    Err(NotTaken::Xml(Fault {
        flaw: Flaw::TooLong,
        line: 1,
        column: 1,
    }))
}

/// Writes and digests the same bytes.
struct Tee<W> {
    out: W,
    hasher: Option<Hasher>,
    /// How many bytes may still be written.
    left: usize,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or_else(|| io::Error::other("the canonical form is too long"))?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes).map_err(io::Error::other)?;
        }
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
