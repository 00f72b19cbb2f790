//! The same reading as [`Document`](super::Document)'s, of a document that does not fit in memory: one tag or one piece of
//! text after the other.
//!
//! As strict, by the same rules; what is remembered is the way from the root to here and nothing else. Comments are
//! dropped. Must never hand out a name without its namespace.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::read::{complaint, is_sound_declaration, read_declaration};
use super::{Fault, Flaw, Limits, Namespace, lexical};

/// The most bytes that one tag or one piece of text may have: logos stand in metadata as text.
const LONGEST_PIECE: usize = 4 * 1024 * 1024;

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagAttribute {
    /// The prefix it is written with.
    pub prefix: String,
    /// Its name, without prefix.
    pub name: String,
    /// Its namespace, empty where there is none.
    pub namespace: String,
    /// Its value, references resolved.
    pub value: String,
}

/// A tag that opens an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The prefix it is written with.
    pub prefix: String,
    /// Its name, without prefix.
    pub name: String,
    /// The namespace of its name, empty where there is none.
    pub namespace: String,
    /// Its attributes, in the order they are written; declarations of namespaces are none.
    pub attributes: Vec<TagAttribute>,
    /// The namespaces that it declares: prefix and URI.
    pub declared: Vec<(String, String)>,
}

impl Tag {
    /// Whether it opens the element of that name.
    pub fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.name == name && self.namespace == namespace.uri()
    }

    /// The value of an attribute without namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let named = |attribute: &&TagAttribute| attribute.name == name && attribute.namespace.is_empty();
        self.attributes
            .iter()
            .find(named)
            .map(|attribute| attribute.value.as_str())
    }
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An element opens.
    Open(Tag),
    /// Text, references resolved; the text of an element may come in several pieces.
    Text(String),
    /// The last opened element closes.
    Close,
    /// The document is over.
    End,
}

/// A document, token by token.
pub struct Stream<R: BufRead> {
    reader: Reader<Watched<R>>,
    buffer: Vec<u8>,
    limits: Limits,
    /// For each open element, how many namespaces were in scope outside.
    open: Vec<usize>,
    /// Prefix and URI, the innermost last.
    scope: Vec<(String, String)>,
    root_seen: bool,
    /// Namespaces of the element that just closed go out of scope with the next token.
    leaving: bool,
    /// An element that was written as one tag is still to be closed.
    closing: bool,
    nodes: usize,
}

impl<R: BufRead> Stream<R> {
    /// The tokens of a document.
    pub fn new(input: R, limits: Limits) -> Self {
        let mut reader = Reader::from_reader(Watched::new(input, limits.bytes));
        let config = reader.config_mut();
        config.check_comments = true;
        config.check_end_names = true;
        Self {
            reader,
            buffer: Vec::new(),
            limits,
            open: Vec::new(),
            scope: Vec::new(),
            root_seen: false,
            leaving: false,
            closing: false,
            nodes: 0,
        }
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The namespaces that are declared here: prefix and URI, the innermost last. Right after [`Token::Close`], those of
    /// the element that closed are still among them.
    pub fn scope(&self) -> &[(String, String)] {
        &self.scope
    }

    /// What comes next.
    ///
    /// # Errors
    /// The first flaw, with its place.
    pub fn next_token(&mut self) -> Result<Token, Fault> {
        self.leave();
        if self.closing {
            self.closing = false;
            self.leaving = true;
            return Ok(Token::Close);
        }
        loop {
            self.buffer.clear();
            let at = self.reader.buffer_position();
            self.reader.get_mut().begin_piece();
            let mut buffer = std::mem::take(&mut self.buffer);
            let step = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => self.step(&event, at),
                Err(error) => Err(self.reader.get_ref().flaw.unwrap_or_else(|| complaint(&error))),
            };
            self.buffer = buffer;
            match step {
                Ok(Some(token)) => return Ok(token),
                Ok(None) => {}
                Err(flaw) => return Err(self.fault(flaw)),
            }
        }
    }

    fn fault(&self, flaw: Flaw) -> Fault {
        let (line, column) = self.reader.get_ref().place;
        Fault { flaw, line, column }
    }

    /// The element that closed is left only now, so that whoever writes it still has its namespaces.
    fn leave(&mut self) {
        if self.leaving {
            self.leaving = false;
            if let Some(outside) = self.open.pop() {
                self.scope.truncate(outside);
            }
        }
    }

    fn step(&mut self, event: &Event<'_>, at: u64) -> Result<Option<Token>, Flaw> {
        let is_outside = self.open.is_empty();
        match event {
            Event::Start(tag) => self.opened(tag).map(Some),
            Event::Empty(tag) => {
                self.closing = true;
                self.opened(tag).map(Some)
            }
            Event::End(_) => {
                self.leaving = true;
                Ok(Some(Token::Close))
            }
            Event::Text(text) if is_outside => {
                let blank = text.chars().all(lexical::is_space);
                blank.then_some(None).ok_or(Flaw::Root)
            }
            // xml §2.4: the end of a CDATA section is no text.
            Event::Text(text) if text.contains("]]>") => Err(Flaw::IllFormed),
            Event::Text(text) => self.text(text),
            Event::CData(text) if !is_outside => self.text(text),
            Event::GeneralRef(name) if !is_outside => {
                let symbol = lexical::reference(name)?;
                self.count()?;
                Ok(Some(Token::Text(symbol.to_string())))
            }
            Event::CData(_) | Event::GeneralRef(_) => Err(Flaw::Root),
            Event::Comment(text) => {
                let sound = text.chars().all(lexical::is_char);
                match (self.limits.comments, sound) {
                    (false, _) => Err(Flaw::Comment),
                    (true, false) => Err(Flaw::Character),
                    (true, true) => Ok(None),
                }
            }
            Event::Decl(declaration) if at == 0 => read_declaration(declaration).map(|()| None),
            Event::Decl(_) => Err(Flaw::Declaration),
            Event::DocType(_) => Err(Flaw::DocumentType),
            Event::PI(_) => Err(Flaw::ProcessingInstruction),
            Event::Eof => match (is_outside, self.root_seen) {
                (true, true) => Ok(Some(Token::End)),
                (true, false) => Err(Flaw::Root),
                (false, _) => Err(Flaw::IllFormed),
            },
        }
    }

    fn text(&mut self, raw: &str) -> Result<Option<Token>, Flaw> {
        let mut text = String::with_capacity(raw.len());
        lexical::text(raw, &mut text)?;
        if text.is_empty() {
            return Ok(None);
        }
        self.count()?;
        Ok(Some(Token::Text(text)))
    }

    fn count(&mut self) -> Result<(), Flaw> {
        self.nodes += 1;
        (self.nodes <= self.limits.nodes)
            .then_some(())
            .ok_or(Flaw::TooManyNodes)
    }

    fn opened(&mut self, tag: &BytesStart<'_>) -> Result<Token, Flaw> {
        if self.open.is_empty() && self.root_seen {
            return Err(Flaw::Root);
        }
        if self.open.len() >= self.limits.depth {
            return Err(Flaw::TooDeep);
        }
        self.count()?;
        self.root_seen = true;
        let written = lexical::attributes(tag.attributes_raw(), self.limits.attributes)?;
        let outside = self.scope.len();
        let mut plain = Vec::with_capacity(written.len());
        for (name, raw) in written {
            let (prefix, local) = lexical::qname(name)?;
            let mut value = String::with_capacity(raw.len());
            lexical::attribute_value(raw, &mut value)?;
            match (prefix, local) {
                ("", "xmlns") => self.declare("", value, outside)?,
                ("xmlns", prefix) => self.declare(prefix, value, outside)?,
                _ => plain.push((prefix, local, value)),
            }
        }
        let called = tag.name();
        let (prefix, local) = lexical::qname(called.as_ref())?;
        let namespace = self.namespace(prefix, true)?;
        let mut attributes: Vec<TagAttribute> = Vec::with_capacity(plain.len());
        for (prefix, name, value) in plain {
            let namespace = self.namespace(prefix, false)?;
            // Tens at most: the limit on one tag.
            if attributes
                .iter()
                .any(|known| known.name == name && known.namespace == namespace)
            {
                return Err(Flaw::RepeatedAttribute);
            }
            attributes.push(TagAttribute {
                prefix: prefix.to_owned(),
                name: name.to_owned(),
                namespace,
                value,
            });
        }
        let declared = self.scope.get(outside..).unwrap_or_default().to_vec();
        self.open.push(outside);
        Ok(Token::Open(Tag {
            prefix: prefix.to_owned(),
            name: local.to_owned(),
            namespace,
            attributes,
            declared,
        }))
    }

    fn declare(&mut self, prefix: &str, uri: String, outside: usize) -> Result<(), Flaw> {
        let here = self.scope.get(outside..).unwrap_or_default();
        if here.iter().any(|(declared, _)| declared == prefix) {
            return Err(Flaw::RepeatedAttribute);
        }
        if !is_sound_declaration(prefix, &uri) {
            return Err(Flaw::NamespaceDeclaration);
        }
        if self.scope.len() >= self.limits.namespaces {
            return Err(Flaw::TooManyNamespaces);
        }
        self.scope.push((prefix.to_owned(), uri));
        Ok(())
    }

    fn namespace(&self, prefix: &str, of_element: bool) -> Result<String, Flaw> {
        match prefix {
            "" if !of_element => return Ok(String::new()),
            "xml" => return Ok(Namespace::Xml.uri().to_owned()),
            // xml-names §3: nothing is called so.
            "xmlns" => return Err(Flaw::UndeclaredPrefix),
            _ => {}
        }
        let found = self.scope.iter().rev().find(|(declared, _)| declared == prefix);
        match found {
            Some((_, uri)) => Ok(uri.clone()),
            None if prefix.is_empty() => Ok(String::new()),
            None => Err(Flaw::UndeclaredPrefix),
        }
    }
}

/// The input with a budget for each piece and for the whole, and the place of the next byte.
struct Watched<R> {
    input: R,
    begun: bool,
    /// Bytes left for the piece, and for the document.
    piece: usize,
    whole: usize,
    place: (usize, usize),
    flaw: Option<Flaw>,
}

impl<R> Watched<R> {
    fn new(input: R, whole: usize) -> Self {
        Self {
            input,
            begun: false,
            piece: LONGEST_PIECE,
            whole,
            place: (1, 1),
            flaw: None,
        }
    }

    fn begin_piece(&mut self) {
        self.piece = LONGEST_PIECE;
    }
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Watched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.begun {
            self.begun = true;
            if self.input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
                self.input.consume(3);
            }
        }
        let most = self.piece.min(self.whole);
        let there = self.input.fill_buf()?;
        if most == 0 && !there.is_empty() {
            self.flaw = Some(Flaw::TooLong);
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(there.get(..most).unwrap_or(there))
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(there) = self.input.fill_buf() {
            let taken = there.get(..amount).unwrap_or(there);
            let (line, column) = &mut self.place;
            *line += taken.iter().filter(|byte| **byte == b'\n').count();
            match taken.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => *column = taken.len() - last,
                None => *column += taken.len(),
            }
        }
        self.piece = self.piece.saturating_sub(amount);
        self.whole = self.whole.saturating_sub(amount);
        self.input.consume(amount);
    }
}
