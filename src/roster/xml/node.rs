//! Registers written as nested elements (SIECLE, STS): one record at a time, as a small tree of the elements that are
//! read. Everything else is passed over without being kept.
//!
//! Must never hold more than one record, nor know what an element means.

use std::io::Read;

use quick_xml::events::BytesStart;

use super::{Grammar, Token, Xml, attribute};
use crate::domain::source::Place;
use crate::roster::Unreadable;

/// The most elements that one record may keep.
const MOST_NODES: usize = 20_000;
/// The most bytes of text that one record may keep.
const LARGEST_RECORD: usize = 1024 * 1024;

/// What is read of a register.
#[derive(Clone, Copy, Debug)]
pub(in crate::roster) struct Shape {
    /// Its root.
    pub(in crate::roster) root: &'static str,
    /// What is said of a file with another root.
    pub(in crate::roster) wrong_root: &'static str,
    /// Elements that only hold records.
    pub(in crate::roster) holders: &'static [&'static str],
    /// Records.
    pub(in crate::roster) records: &'static [&'static str],
    /// What is kept inside of records.
    pub(in crate::roster) fields: &'static [&'static str],
    /// Attributes that are kept.
    pub(in crate::roster) attributes: &'static [&'static str],
}

/// An element that is kept.
#[derive(Debug)]
pub(in crate::roster) struct Node {
    pub(in crate::roster) name: &'static str,
    pub(in crate::roster) place: Place,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// The text at the end of a path of elements, the first of each name; `None` where it says nothing.
    pub(in crate::roster) fn text(&self, path: &[&str]) -> Option<&str> {
        let mut node = self;
        for name in path {
            node = node.children.iter().find(|child| child.name == *name)?;
        }
        Some(node.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Its elements of a name.
    pub(in crate::roster) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Every element of a name below it, however deep.
    pub(in crate::roster) fn below<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        let mut open: Vec<&Self> = self.children.iter().rev().collect();
        while let Some(node) = open.pop() {
            if node.name == name {
                found.push(node);
            }
            open.extend(node.children.iter().rev());
        }
        found
    }

    /// An attribute that says something.
    pub(in crate::roster) fn attribute(&self, name: &str) -> Option<&str> {
        let mut known = self.attributes.iter();
        known
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// What a tag of a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Root,
    Named(&'static str),
    Foreign,
}

struct Names {
    shape: &'static Shape,
    /// Attributes of the tag that opened last.
    attributes: Vec<(&'static str, String)>,
}

impl Grammar for Names {
    type Element = Element;

    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, &'static str> {
        let name = start.name();
        let name = name.as_ref();
        self.attributes.clear();
        if name == self.shape.root {
            return Ok(Element::Root);
        }
        let lists = [self.shape.holders, self.shape.records, self.shape.fields];
        let mut known = lists.into_iter().flatten();
        let Some(name) = known.find(|known| **known == name) else {
            return Ok(Element::Foreign);
        };
        for wanted in self.shape.attributes {
            let value = attribute(start, wanted)?;
            self.attributes.extend(value.map(|value| (*wanted, value)));
        }
        Ok(Element::Named(name))
    }

    fn is_root(&self, element: Element) -> bool {
        element == Element::Root
    }

    fn wrong_root(&self) -> &'static str {
        self.shape.wrong_root
    }

    fn root_name(&self) -> &'static str {
        self.shape.root
    }
}

/// The records of one register.
pub(in crate::roster) struct Records<R: Read> {
    xml: Xml<R, Names>,
}

impl<R: Read> Records<R> {
    pub(in crate::roster) fn new(input: R, file: std::sync::Arc<str>, shape: &'static Shape) -> Self {
        let names = Names {
            shape,
            attributes: Vec::new(),
        };
        Self {
            xml: Xml::new(input, file, names),
        }
    }

    /// A refusal of the file where it is read.
    pub(in crate::roster) fn refuse(&self, message: impl Into<String>) -> Unreadable {
        self.xml.refuse(message)
    }

    /// The next record; `None` at the end of a whole file.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(in crate::roster) fn next(&mut self) -> Result<Option<Node>, Unreadable> {
        loop {
            match self.xml.next()? {
                Token::End => return Ok(None),
                Token::Close => self
                    .xml
                    .no_text("texte hors d'un élément, là où le format n'en prévoit pas")?,
                Token::Open(Element::Root) => {}
                Token::Open(Element::Named(name)) => {
                    let shape = self.xml.grammar.shape;
                    if shape.records.contains(&name) {
                        return self.record(name).map(Some);
                    }
                    if !shape.holders.contains(&name) {
                        self.pass_over()?;
                    }
                }
                Token::Open(Element::Foreign) => self.pass_over()?,
            }
        }
    }

    /// Reads to the end of the element that opened last, keeping nothing.
    fn pass_over(&mut self) -> Result<(), Unreadable> {
        let mut depth = 1;
        while depth > 0 {
            match self.xml.next()? {
                Token::Open(_) => depth += 1,
                Token::Close => depth -= 1,
                Token::End => return Ok(()),
            }
        }
        Ok(())
    }

    fn opened(&mut self, name: &'static str) -> Node {
        Node {
            name,
            place: self.xml.place(),
            attributes: std::mem::take(&mut self.xml.grammar.attributes),
            text: String::new(),
            children: Vec::new(),
        }
    }

    fn record(&mut self, name: &'static str) -> Result<Node, Unreadable> {
        let mut open = vec![self.opened(name)];
        let (mut nodes, mut held) = (1, 0);
        loop {
            match self.xml.next()? {
                Token::Open(Element::Named(name)) => {
                    nodes += 1;
                    if nodes > MOST_NODES {
                        return Err(self
                            .xml
                            .refuse("trop d'éléments dans un enregistrement (plus de 20 000)"));
                    }
                    let node = self.opened(name);
                    held += node
                        .attributes
                        .iter()
                        .map(|(_, value)| value.len())
                        .sum::<usize>();
                    open.push(node);
                }
                Token::Open(_) => self.pass_over()?,
                Token::Close => {
                    let Some(mut node) = open.pop() else { continue };
                    let text = self.xml.text.trim();
                    held += text.len();
                    if held > LARGEST_RECORD {
                        return Err(self.xml.refuse("enregistrement de plus de 1 Mio"));
                    }
                    if node.children.is_empty() {
                        text.clone_into(&mut node.text);
                    }
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return Ok(node),
                    }
                }
                Token::End => return Err(self.xml.refuse("fichier tronqué")),
            }
        }
    }
}
