//! One request of an AAF file, gathered: what it asks, of which category, and the values of the attributes that are
//! read. Everything else is passed over without being kept.

use std::io::Read;

use crate::domain::source::Place;
use crate::roster::Unreadable;

use super::composite::unescape_again;
use super::grammar::{AafGrammar, Element};
use crate::roster::xml::{Token, Xml};

/// The most `attr` elements of one record.
const MOST_ATTRIBUTES: usize = 500;
/// The most values of one `attr`.
const MOST_VALUES: usize = 5_000;
/// The most bytes that one record may leave in memory.
const LARGEST_RECORD: usize = 1024 * 1024;

/// What a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// States that someone or something is there.
    Add,
    /// Changes what an earlier delivery stated.
    Modify,
    /// Takes back what an earlier delivery stated.
    Delete,
}

/// One request.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) request: Request,
    /// Where its element begins.
    pub(super) place: Place,
    /// `categoriePersonne` or `categorieStructure` (or another `categorie…`).
    pub(super) category: String,
    id: String,
    values: Vec<(&'static str, String)>,
    /// Attributes that are there, empty ones too: in a change, an empty one may be an order to clear.
    present: Vec<&'static str>,
    /// Something it asks that is not read (a `modification` other than `replace`).
    pub(super) beyond: bool,
    held: usize,
}

impl Record {
    /// The first value of an attribute that says something.
    pub(super) fn value(&self, name: &'static str) -> Option<&str> {
        self.values(name).next()
    }

    /// Every value of an attribute that says something.
    pub(super) fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether an attribute is there, with or without a value.
    pub(super) fn has(&self, name: &'static str) -> bool {
        self.present.contains(&name)
    }

    /// The key: the attribute, else the identifier of the request (they are one in every delivery seen).
    pub(super) fn key(&self, attribute: &'static str) -> Option<&str> {
        self.value(attribute)
            .or(Some(self.id.as_str()))
            .filter(|key| !key.is_empty())
    }
}

/// Reads the next request; `None` at the end of a whole file.
pub(super) fn read<R: Read>(xml: &mut Xml<R, AafGrammar>) -> Result<Option<Record>, Unreadable> {
    loop {
        let request = match xml.next()? {
            Token::End => return Ok(None),
            Token::Open(Element::Root) | Token::Close => {
                no_text(xml)?;
                continue;
            }
            Token::Open(Element::Add) => Request::Add,
            Token::Open(Element::Modify) => Request::Modify,
            Token::Open(Element::Delete) => Request::Delete,
            Token::Open(_) => return Err(unexpected(xml)),
        };
        let mut record = Record {
            request,
            place: xml.place(),
            category: String::new(),
            id: String::new(),
            values: Vec::new(),
            present: Vec::new(),
            beyond: false,
            held: 0,
        };
        fill(xml, &mut record)?;
        return Ok(Some(record));
    }
}

fn unexpected<R: Read>(xml: &Xml<R, AafGrammar>) -> Unreadable {
    xml.refuse("balise que le format AAF ne prévoit pas à cet endroit")
}

fn no_text<R: Read>(xml: &Xml<R, AafGrammar>) -> Result<(), Unreadable> {
    xml.no_text("texte hors d'une valeur, là où le format n'en prévoit pas")
}

/// The three parts of a request.
fn fill<R: Read>(xml: &mut Xml<R, AafGrammar>, record: &mut Record) -> Result<(), Unreadable> {
    let mut attributes = 0;
    loop {
        match xml.next()? {
            Token::Open(Element::Identifier) => identifier(xml, record)?,
            Token::Open(part @ (Element::Operational | Element::Attributes)) => {
                let operational = part == Element::Operational;
                loop {
                    match xml.next()? {
                        Token::Open(element @ (Element::Attr(_) | Element::OtherOperation)) => {
                            attributes += 1;
                            if attributes > MOST_ATTRIBUTES {
                                return Err(
                                    xml.refuse("trop d'attributs dans un enregistrement (plus de 500)")
                                );
                            }
                            let name = match element {
                                Element::Attr(name) => name,
                                _ => {
                                    record.beyond = true;
                                    None
                                }
                            };
                            record.present.extend(name);
                            attribute(xml, record, name, operational)?;
                        }
                        Token::Close => {
                            no_text(xml)?;
                            break;
                        }
                        _ => return Err(unexpected(xml)),
                    }
                }
            }
            Token::Close => return no_text(xml),
            _ => return Err(unexpected(xml)),
        }
    }
}

fn identifier<R: Read>(xml: &mut Xml<R, AafGrammar>, record: &mut Record) -> Result<(), Unreadable> {
    loop {
        match xml.next()? {
            Token::Open(Element::Id) => {
                if xml.next()? != Token::Close {
                    return Err(unexpected(xml));
                }
                xml.text.trim().clone_into(&mut record.id);
            }
            Token::Close => return no_text(xml),
            _ => return Err(unexpected(xml)),
        }
    }
}

/// The values of one `attr`, which has just opened.
fn attribute<R: Read>(
    xml: &mut Xml<R, AafGrammar>,
    record: &mut Record,
    name: Option<&'static str>,
    operational: bool,
) -> Result<(), Unreadable> {
    let mut values = 0;
    loop {
        match xml.next()? {
            Token::Open(Element::Value) => {
                if xml.next()? != Token::Close {
                    return Err(unexpected(xml));
                }
            }
            Token::Close => return no_text(xml),
            _ => return Err(unexpected(xml)),
        }
        values += 1;
        if values > MOST_VALUES {
            return Err(xml.refuse("trop de valeurs pour un attribut (plus de 5 000)"));
        }
        let value = xml.text.trim();
        if value.is_empty() {
            continue;
        }
        if operational {
            value.clone_into(&mut record.category);
        } else if let Some(name) = name {
            record.held += value.len();
            if record.held > LARGEST_RECORD {
                return Err(xml.refuse("enregistrement de plus de 1 Mio"));
            }
            record.values.push((name, unescape_again(value).into_owned()));
        }
    }
}
