//! The XML of a feed as three tokens (an element opens, closes, the file ends), with text gathered between them.
//!
//! XML 1.0, limited: the bare `<!DOCTYPE … SYSTEM "…">` that real files carry is passed over and never fetched; an
//! internal subset, an entity declaration or any entity but the five predefined and numeric ones ends the reading, and
//! so does anything too long or too deep. What an element means is the business of a [`Grammar`]; must never know one.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use crate::domain::source::Place;
use crate::roster::Unreadable;

pub(super) mod node;
mod stream;

use stream::Utf8Stream;

/// The longest value, in bytes.
const LONGEST_VALUE: usize = 64 * 1024;
/// The deepest nesting; real files have nine levels.
const DEEPEST: u32 = 64;

/// What a format calls its elements.
pub(super) trait Grammar {
    /// An element of the format.
    type Element: Copy + PartialEq + fmt::Debug;

    /// The element that a tag opens; a refusal is a sentence in French.
    ///
    /// # Errors
    /// A tag that cannot be of the format.
    fn element(&mut self, start: &BytesStart<'_>) -> Result<Self::Element, &'static str>;

    /// Whether an element is the root, and nothing but the root.
    fn is_root(&self, element: Self::Element) -> bool;

    /// What is said of a file with another root.
    fn wrong_root(&self) -> &'static str;

    /// The root, as it is written.
    fn root_name(&self) -> &'static str;
}

/// What the file says next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<E> {
    /// An element opens.
    Open(E),
    /// The last opened element closes; [`Xml::text`] is what stood between.
    Close,
    /// The file ends, every element closed.
    End,
}

/// The tokens of one file.
pub(super) struct Xml<R: Read, G: Grammar> {
    reader: Reader<Utf8Stream<R>>,
    buffer: Vec<u8>,
    file: Arc<str>,
    /// What elements mean.
    pub(super) grammar: G,
    depth: u32,
    root_seen: bool,
    start: (u64, u64),
    /// Text since the last token, entities resolved.
    pub(super) text: String,
}

/// What one event of the parser makes of the state.
enum Step<E> {
    Token(Token<E>),
    Passed,
}

impl<R: Read, G: Grammar> Xml<R, G> {
    pub(super) fn new(input: R, file: Arc<str>, grammar: G) -> Self {
        let mut reader = Reader::from_reader(Utf8Stream::new(input));
        // `<value/>` opens and closes like `<value></value>`.
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            file,
            grammar,
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
    pub(super) fn next(&mut self) -> Result<Token<G::Element>, Unreadable> {
        self.text.clear();
        loop {
            self.buffer.clear();
            self.reader.get_mut().begin_piece();
            self.start = self.reader.get_ref().position();
            let step = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => step(&event, &mut self.grammar, &mut self.text).map_err(str::to_owned),
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

    /// What every format says of every token.
    fn check(&mut self, token: Token<G::Element>) -> Result<(), Unreadable> {
        match token {
            Token::Open(element) => {
                self.no_text("texte entre deux balises, là où le format n'en prévoit pas")?;
                let outermost = self.depth == 0 && !self.root_seen;
                if outermost != self.grammar.is_root(element) || (self.depth == 0 && self.root_seen) {
                    return Err(self.refuse(self.grammar.wrong_root()));
                }
                self.root_seen = true;
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(self.refuse("trop de balises les unes dans les autres (plus de 64)"));
                }
            }
            Token::Close => self.depth = self.depth.saturating_sub(1),
            Token::End if self.depth > 0 => {
                let root = self.grammar.root_name();
                return Err(self.refuse(format!(
                    "fichier tronqué : il s'arrête avant la fermeture de <{root}>"
                )));
            }
            Token::End if !self.root_seen => {
                return Err(self.refuse("fichier vide"));
            }
            Token::End => self.no_text("texte après la fin du document")?,
        }
        Ok(())
    }

    /// Refuses text where the format has none.
    pub(super) fn no_text(&self, complaint: &'static str) -> Result<(), Unreadable> {
        if self.text.trim().is_empty() {
            Ok(())
        } else {
            Err(self.refuse(complaint))
        }
    }
}

/// Takes one event in.
fn step<G: Grammar>(
    event: &Event<'_>,
    grammar: &mut G,
    text: &mut String,
) -> Result<Step<G::Element>, &'static str> {
    match event {
        Event::Start(start) | Event::Empty(start) => {
            return grammar
                .element(start)
                .map(|element| Step::Token(Token::Open(element)));
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

/// An attribute of a tag, entities resolved.
///
/// # Errors
/// A tag that is not well formed, or an entity that is not predefined.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, &'static str> {
    let Some(attribute) = start.try_get_attribute(name).map_err(|_| "balise mal formée")? else {
        return Ok(None);
    };
    let value = quick_xml::escape::unescape(&attribute.value)
        .map_err(|_| "entité refusée dans un attribut : seules les cinq entités prédéfinies et les numériques sont lues")?;
    if value
        .chars()
        .any(|symbol| symbol.is_ascii_control() && !matches!(symbol, '\t' | '\n' | '\r'))
    {
        return Err("caractère de contrôle interdit en XML");
    }
    Ok(Some(value.trim().to_owned()))
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
