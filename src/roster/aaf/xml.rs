//! The XML of an AAF file as three tokens (an element opens, closes, the file ends), with text gathered between them.
//!
//! XML 1.0, limited: the bare `<!DOCTYPE … SYSTEM "…">` that real files carry is passed over and never fetched; an
//! internal subset, an entity declaration or any entity but the five predefined and numeric ones ends the reading, and
//! so does anything too long; nesting is bounded by the grammar, which [`super::record`] keeps. Must never know what an attribute means.

use std::io::Read;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use crate::domain::source::Place;
use crate::roster::Unreadable;

use super::stream::Utf8Stream;

/// The longest value, in bytes.
const LONGEST_VALUE: usize = 64 * 1024;

/// An element of the grammar (`ficAlimMENESR.dtd`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// `ficAlimMENESR`, the root.
    Root,
    /// `addRequest`.
    Add,
    /// `modifyRequest`.
    Modify,
    /// `deleteRequest`.
    Delete,
    /// `operationalAttributes`.
    Operational,
    /// `identifier`.
    Identifier,
    /// `id`.
    Id,
    /// `attributes`, and `modifications`, which real files use for each other.
    Attributes,
    /// `attr` (and `modification`): its name, where it is one that is read.
    Attr(Option<&'static str>),
    /// `value`.
    Value,
    /// Anything else.
    Foreign,
}

/// What the file says next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An element opens.
    Open(Element),
    /// The last opened element closes; [`Xml::text`] is what stood between.
    Close,
    /// The file ends, every element closed.
    End,
}

/// Names of `attr` elements that are read.
pub(super) type Wanted = &'static [&'static str];

/// The tokens of one file.
pub(super) struct Xml<R: Read> {
    reader: Reader<Utf8Stream<R>>,
    buffer: Vec<u8>,
    file: Arc<str>,
    wanted: Wanted,
    depth: u32,
    root_seen: bool,
    start: (u64, u64),
    /// Text since the last token, entities resolved.
    pub(super) text: String,
}

/// What one event of the parser makes of the state.
enum Step {
    Token(Token),
    Passed,
}

impl<R: Read> Xml<R> {
    pub(super) fn new(input: R, file: Arc<str>, wanted: Wanted) -> Self {
        let mut reader = Reader::from_reader(Utf8Stream::new(input));
        // `<value/>` opens and closes like `<value></value>`.
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            file,
            wanted,
            depth: 0,
            root_seen: false,
            start: (1, 1),
            text: String::new(),
        }
    }

    /// Where the last token began.
    pub(super) fn place(&self) -> Place {
        let (line, column) = self.start;
        Place {
            file: Arc::clone(&self.file),
            line,
            column,
        }
    }

    /// A refusal of the file at the last token.
    pub(super) fn refuse(&self, message: impl Into<String>) -> Unreadable {
        Unreadable::at(&self.place(), message)
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, Unreadable> {
        self.text.clear();
        loop {
            self.buffer.clear();
            self.reader.get_mut().begin_piece();
            self.start = self.reader.get_ref().position();
            let step = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => step(&event, self.wanted, &mut self.text).map_err(str::to_owned),
                Err(error) => {
                    // The place where reading stopped says more than where the piece began.
                    self.start = self.reader.get_ref().position();
                    Err(match self.reader.get_ref().flaw() {
                        Some(flaw) => flaw.message(),
                        None => complaint(&error).to_owned(),
                    })
                }
            };
            match step.map_err(|message| self.refuse(message))? {
                Step::Passed => {}
                Step::Token(token) => return self.check(token).map(|()| token),
            }
        }
    }

    /// What the grammar says of every token.
    fn check(&mut self, token: Token) -> Result<(), Unreadable> {
        match token {
            Token::Open(element) => {
                if !self.text.trim().is_empty() {
                    return Err(self.refuse("texte entre deux balises, là où le format n'en prévoit pas"));
                }
                let outermost = self.depth == 0 && !self.root_seen;
                if outermost != (element == Element::Root) {
                    return Err(
                        self.refuse("ce n'est pas un fichier AAF : une racine <ficAlimMENESR> est attendue")
                    );
                }
                self.root_seen = true;
                self.depth += 1;
            }
            Token::Close => self.depth = self.depth.saturating_sub(1),
            Token::End if self.depth > 0 => {
                return Err(
                    self.refuse("fichier tronqué : il s'arrête avant la fermeture de <ficAlimMENESR>")
                );
            }
            Token::End if !self.root_seen => {
                return Err(self.refuse("fichier vide"));
            }
            Token::End if !self.text.trim().is_empty() => {
                return Err(self.refuse("texte après la fin du document"));
            }
            Token::End => {}
        }
        Ok(())
    }
}

/// Takes one event in.
fn step(event: &Event<'_>, wanted: Wanted, text: &mut String) -> Result<Step, &'static str> {
    match event {
        Event::Start(start) | Event::Empty(start) => {
            return element(start, wanted).map(|element| Step::Token(Token::Open(element)));
        }
        Event::End(_) => return Ok(Step::Token(Token::Close)),
        Event::Eof => return Ok(Step::Token(Token::End)),
        Event::Text(piece) => append(text, piece)?,
        Event::CData(piece) => append(text, piece)?,
        Event::GeneralRef(reference) => {
            let symbol = match &**reference {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "apos" => '\'',
                "quot" => '"',
                _ => reference.resolve_char_ref().ok().flatten().ok_or(
                    "entité refusée : seules les cinq entités prédéfinies et les numériques sont lues",
                )?,
            };
            append(text, symbol.encode_utf8(&mut [0; 4]))?;
        }
        Event::DocType(declaration) => {
            if declaration.contains(['[', ']']) || declaration.contains("<!") {
                return Err("DOCTYPE avec un sous-ensemble interne : déclarations refusées");
            }
        }
        Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
    }
    Ok(Step::Passed)
}

fn append(text: &mut String, piece: &str) -> Result<(), &'static str> {
    // XML 1.0 §2.2: no control character but tabulation and line ends is legal, written or by reference.
    if piece
        .chars()
        .any(|symbol| symbol.is_ascii_control() && !matches!(symbol, '\t' | '\n' | '\r'))
    {
        return Err("caractère de contrôle interdit en XML");
    }
    if text.len() + piece.len() > LONGEST_VALUE {
        return Err("valeur de plus de 64 Kio");
    }
    text.push_str(piece);
    Ok(())
}

fn element(start: &BytesStart<'_>, wanted: Wanted) -> Result<Element, &'static str> {
    Ok(match start.name().as_ref() {
        "value" => Element::Value,
        "attr" | "modification" => Element::Attr(attribute_name(start, wanted)?),
        "ficAlimMENESR" => Element::Root,
        "addRequest" => Element::Add,
        "modifyRequest" => Element::Modify,
        "deleteRequest" => Element::Delete,
        "operationalAttributes" => Element::Operational,
        "identifier" => Element::Identifier,
        "id" => Element::Id,
        "attributes" | "modifications" => Element::Attributes,
        _ => Element::Foreign,
    })
}

fn attribute_name(start: &BytesStart<'_>, wanted: Wanted) -> Result<Option<&'static str>, &'static str> {
    let attribute = start
        .try_get_attribute("name")
        .map_err(|_| "balise mal formée")?
        .ok_or("<attr> sans attribut « name »")?;
    if attribute.value.contains('&') {
        return Err("entité dans un nom d'attribut");
    }
    let name = attribute.value.trim();
    Ok(wanted.iter().find(|known| **known == name).copied())
}

/// What is wrong with the XML, without repeating any of it.
fn complaint(error: &Error) -> &'static str {
    match error {
        Error::Syntax(_) => {
            "fichier tronqué ou XML mal formé : balise, commentaire ou déclaration jamais fermés"
        }
        Error::IllFormed(_) => "XML mal formé : une balise fermante ou une entité ne correspond pas",
        _ => "XML mal formé",
    }
}
