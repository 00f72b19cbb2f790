//! Reads a document strictly, or says where and why not.
//!
//! XML 1.0 in UTF-8 with namespaces, and of that no DOCTYPE, no entity but the five predefined, no processing
//! instruction, no relative namespace. Comments are refused or, where [`Limits::comments`] says so, dropped, and the text
//! around them joined, as canonicalisation does. Must never be lenient: what is not understood ends the reading.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use super::document::{AttributeData, EMPTY, ElementData, Item, Name, Span, Word};
use super::lexical;
use super::{Document, Fault, Flaw, Namespace};

/// `xmlns:xmlns` must not be said, nor anything else be called so (xml-names §3).
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// The longest name of a namespace: canonicalisation repeats it at each element that uses it first.
const LONGEST_NAMESPACE: usize = 256;

/// What a document may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// Elements in one another.
    pub depth: usize,
    /// Elements and texts.
    pub nodes: usize,
    /// Attributes of one tag, declarations of namespaces among them.
    pub attributes: usize,
    /// Namespaces declared at any one place.
    pub namespaces: usize,
    /// Whether comments are dropped; otherwise they are refused.
    pub comments: bool,
}

impl Limits {
    /// For a protocol message, which comes from anyone.
    pub const MESSAGE: Self = Self {
        bytes: 512 * 1024,
        depth: 48,
        nodes: 20_000,
        attributes: 64,
        namespaces: 64,
        comments: false,
    };

    /// For metadata: people write it by hand, and a federation's aggregate has thousands of entities.
    pub const METADATA: Self = Self {
        bytes: 256 * 1024 * 1024,
        depth: 48,
        nodes: 30_000_000,
        attributes: 64,
        namespaces: 128,
        comments: true,
    };
}

/// The namespaces that are declared where a piece of XML comes from: prefix and URI.
pub type Scope<'s> = &'s [(&'s str, &'s str)];

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The first flaw, with its place.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Fault> {
        Self::read_in(bytes, limits, &[])
    }

    /// Reads an element that was taken out of a document, where these namespaces were declared (xmlenc-core §4.4).
    ///
    /// # Errors
    /// The first flaw, with its place.
    pub fn read_in(bytes: &[u8], limits: &Limits, scope: Scope<'_>) -> Result<Self, Fault> {
        let beginning = |flaw| Fault {
            flaw,
            line: 1,
            column: 1,
        };
        if bytes.len() > limits.bytes.min(u32::MAX as usize) {
            return Err(beginning(Flaw::TooLong));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| place(bytes, error.valid_up_to(), Flaw::Encoding))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut build = Build::new(limits, text.len());
        build.inherit(scope).map_err(beginning)?;
        build
            .run(text)
            .map_err(|(offset, flaw)| place(text.as_bytes(), offset, flaw))?;
        Ok(build.document)
    }
}

fn place(bytes: &[u8], offset: usize, flaw: Flaw) -> Fault {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let lines = before.split(|byte| *byte == b'\n');
    let (count, last) = lines.fold((0, 0), |(count, _), line| (count + 1, line.len()));
    Fault {
        flaw,
        line: count,
        column: last + 1,
    }
}

/// An element that is still open.
struct Open {
    index: usize,
    /// How many namespaces were in scope outside.
    scope: usize,
}

struct Build<'l> {
    limits: &'l Limits,
    document: Document,
    known: HashMap<Box<str>, Word>,
    open: Vec<Open>,
    /// Prefix and URI, the innermost last.
    scope: Vec<(Word, Word)>,
    /// Declarations of the outside, which become those of the root.
    inherited: usize,
    /// Whether the last item is a text that goes on: no tag stood since.
    in_text: bool,
}

impl<'l> Build<'l> {
    fn new(limits: &'l Limits, length: usize) -> Self {
        let document = Document {
            items: Vec::new(),
            attributes: Vec::new(),
            declared: Vec::new(),
            words: Vec::new(),
            text: String::with_capacity(length / 2),
        };
        let mut build = Self {
            limits,
            document,
            known: HashMap::new(),
            open: Vec::new(),
            scope: Vec::new(),
            inherited: 0,
            in_text: false,
        };
        build.word("");
        build
    }

    fn inherit(&mut self, scope: Scope<'_>) -> Result<(), Flaw> {
        for (prefix, uri) in scope {
            self.declare(prefix, uri)?;
        }
        self.inherited = self.scope.len();
        Ok(())
    }

    fn run(&mut self, text: &str) -> Result<(), (usize, Flaw)> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        config.check_end_names = true;
        loop {
            let before = offset(reader.buffer_position());
            let event = match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(event) => event,
                Err(error) => return Err((offset(reader.error_position()), complaint(&error))),
            };
            self.take(&event, before).map_err(|flaw| (before, flaw))?;
        }
        if self.open.is_empty() && !self.document.items.is_empty() {
            return Ok(());
        }
        let flaw = if self.open.is_empty() {
            Flaw::Root
        } else {
            Flaw::IllFormed
        };
        Err((text.len(), flaw))
    }

    fn take(&mut self, event: &Event<'_>, at: usize) -> Result<(), Flaw> {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::Empty(tag) => {
                self.open(tag)?;
                self.close();
                Ok(())
            }
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::Text(text) if self.open.is_empty() => {
                let blank = text.chars().all(lexical::is_space);
                blank.then_some(()).ok_or(Flaw::Root)
            }
            // xml §2.4: the end of a CDATA section is no text.
            Event::Text(text) if text.contains("]]>") => Err(Flaw::IllFormed),
            Event::Text(text) => self.text(text),
            Event::CData(text) if !self.open.is_empty() => self.text(text),
            Event::GeneralRef(name) if !self.open.is_empty() => {
                let symbol = lexical::reference(name)?;
                self.append(|out| {
                    out.push(symbol);
                    Ok(())
                })
            }
            Event::CData(_) | Event::GeneralRef(_) => Err(Flaw::Root),
            Event::Comment(text) => {
                let sound = text.chars().all(lexical::is_char);
                match (self.limits.comments, sound) {
                    (false, _) => Err(Flaw::Comment),
                    (true, false) => Err(Flaw::Character),
                    (true, true) => Ok(()),
                }
            }
            Event::Decl(declaration) if at == 0 => read_declaration(declaration),
            Event::Decl(_) => Err(Flaw::Declaration),
            Event::DocType(_) => Err(Flaw::DocumentType),
            Event::PI(_) => Err(Flaw::ProcessingInstruction),
            Event::Eof => Ok(()),
        }
    }

    fn text(&mut self, raw: &str) -> Result<(), Flaw> {
        self.append(|out| lexical::text(raw, out))
    }

    /// Adds text to the one that the document ends in, or begins one.
    fn append(&mut self, write: impl FnOnce(&mut String) -> Result<(), Flaw>) -> Result<(), Flaw> {
        let start = self.document.text.len();
        write(&mut self.document.text)?;
        let end = self.document.text.len();
        if start == end {
            return Ok(());
        }
        let (start, end) = (short(start)?, short(end)?);
        match self.document.items.last_mut() {
            Some(Item::Text(span)) if self.in_text => span.end = end,
            _ => self.push(Item::Text(Span { start, end }))?,
        }
        self.in_text = true;
        Ok(())
    }

    fn push(&mut self, item: Item) -> Result<(), Flaw> {
        if self.document.items.len() >= self.limits.nodes {
            return Err(Flaw::TooManyNodes);
        }
        self.document.items.push(item);
        Ok(())
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Flaw> {
        self.in_text = false;
        if self.open.is_empty() && !self.document.items.is_empty() {
            return Err(Flaw::Root);
        }
        if self.open.len() >= self.limits.depth {
            return Err(Flaw::TooDeep);
        }
        let written = lexical::attributes(tag.attributes_raw(), self.limits.attributes)?;
        let index = self.document.items.len();
        let outside = if index == 0 { 0 } else { self.scope.len() };
        let mut plain = Vec::with_capacity(written.len());
        for (name, raw) in written {
            let (prefix, local) = lexical::qname(name)?;
            let value = self.value(raw)?;
            match (prefix, local) {
                ("", "xmlns") => self.declare_value("", value, outside)?,
                ("xmlns", prefix) => self.declare_value(prefix, value, outside)?,
                _ => plain.push((prefix, local, value)),
            }
        }
        let declared_at = short(self.document.declared.len())?;
        let declared = self.scope.get(outside..).unwrap_or(&[]);
        self.document.declared.extend_from_slice(declared);
        let declared = Span {
            start: declared_at,
            end: short(self.document.declared.len())?,
        };
        let called = tag.name();
        let (prefix, local) = lexical::qname(called.as_ref())?;
        let name = self.name(prefix, local, true)?;
        let attributes = self.attributes(plain)?;
        let parent = self.open.last().map_or(0, |open| open.index);
        self.push(Item::Element(ElementData {
            parent: short(parent)?,
            end: 0,
            name,
            attributes,
            declared,
        }))?;
        self.open.push(Open {
            index,
            scope: outside,
        });
        Ok(())
    }

    fn close(&mut self) {
        self.in_text = false;
        let end = u32::try_from(self.document.items.len()).unwrap_or(u32::MAX);
        let Some(open) = self.open.pop() else { return };
        self.scope.truncate(open.scope);
        if let Some(Item::Element(data)) = self.document.items.get_mut(open.index) {
            data.end = end;
        }
    }

    fn value(&mut self, raw: &str) -> Result<Span, Flaw> {
        let start = short(self.document.text.len())?;
        lexical::attribute_value(raw, &mut self.document.text)?;
        let end = short(self.document.text.len())?;
        Ok(Span { start, end })
    }

    fn declare_value(&mut self, prefix: &str, value: Span, outside: usize) -> Result<(), Flaw> {
        let uri = value.of_text(&self.document.text).to_owned();
        let word = self.word(prefix);
        let here = self.scope.get(outside.max(self.inherited)..).unwrap_or(&[]);
        if here.iter().any(|(declared, _)| *declared == word) {
            return Err(Flaw::RepeatedAttribute);
        }
        if outside < self.inherited {
            // The root says it anew: what the outside said of the prefix is gone.
            let before = self.scope.len();
            self.scope.retain(|(declared, _)| *declared != word);
            self.inherited -= before - self.scope.len();
        }
        self.declare(prefix, &uri)
    }

    fn declare(&mut self, prefix: &str, uri: &str) -> Result<(), Flaw> {
        if !is_sound_declaration(prefix, uri) {
            return Err(Flaw::NamespaceDeclaration);
        }
        if self.scope.len() >= self.limits.namespaces {
            return Err(Flaw::TooManyNamespaces);
        }
        let declared = (self.word(prefix), self.word(uri));
        self.scope.push(declared);
        Ok(())
    }

    fn name(&mut self, prefix: &str, local: &str, of_element: bool) -> Result<Name, Flaw> {
        let namespace = match prefix {
            "" if !of_element => EMPTY,
            "xml" => self.word(Namespace::Xml.uri()),
            // xml-names §3: no element is called so.
            "xmlns" => return Err(Flaw::UndeclaredPrefix),
            _ => {
                let word = self.word(prefix);
                let found = self.scope.iter().rev().find(|(declared, _)| *declared == word);
                match found {
                    Some((_, uri)) => *uri,
                    None if prefix.is_empty() => EMPTY,
                    None => return Err(Flaw::UndeclaredPrefix),
                }
            }
        };
        Ok(Name {
            prefix: self.word(prefix),
            local: self.word(local),
            namespace,
        })
    }

    fn attributes(&mut self, plain: Vec<(&str, &str, Span)>) -> Result<Span, Flaw> {
        let start = self.document.attributes.len();
        for (prefix, local, value) in plain {
            let name = self.name(prefix, local, false)?;
            self.document.attributes.push(AttributeData { name, value });
        }
        let added = self.document.attributes.get(start..).unwrap_or(&[]);
        let mut names: Vec<_> = added
            .iter()
            .map(|attribute| (attribute.name.namespace, attribute.name.local))
            .collect();
        names.sort_unstable();
        if names
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one == other))
        {
            return Err(Flaw::RepeatedAttribute);
        }
        Ok(Span {
            start: short(start)?,
            end: short(self.document.attributes.len())?,
        })
    }

    fn word(&mut self, text: &str) -> Word {
        if let Some(word) = self.known.get(text) {
            return *word;
        }
        // Fewer words than bytes, of which there are fewer than this number can say.
        let word = Word::try_from(self.document.words.len()).unwrap_or(Word::MAX);
        self.document.words.push(text.into());
        self.known.insert(text.into(), word);
        word
    }
}

/// Whether a prefix may stand for a namespace: xml-names §2.2, §3, and xml-c14n §1.3, no relative one.
pub(super) fn is_sound_declaration(prefix: &str, uri: &str) -> bool {
    let is_xml = uri == Namespace::Xml.uri();
    let sound = match prefix {
        "" => (uri.is_empty() || is_absolute(uri)) && !is_xml && uri != XMLNS,
        "xml" => is_xml,
        "xmlns" => false,
        _ => is_absolute(uri) && !is_xml && uri != XMLNS,
    };
    sound && uri.len() <= LONGEST_NAMESPACE
}

/// RFC 3986 §4.3 and §3.5: with a scheme, in the characters of a URI, with one fragment at most. Not with `&`, which
/// libxml2 leaves as it is in canonical forms and others escape.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    let mut symbols = scheme.chars();
    let fragments = rest.matches('#').count();
    symbols.next().is_some_and(|first| first.is_ascii_alphabetic())
        && symbols.all(|symbol| symbol.is_ascii_alphanumeric() || "+-.".contains(symbol))
        && rest
            .chars()
            .all(|symbol| symbol.is_ascii_alphanumeric() || "-._~:/?#@!$'()*+,;=".contains(symbol))
        && fragments <= 1
}

/// xml §2.8: `version`, then perhaps `encoding`, then perhaps `standalone`.
pub(super) fn read_declaration(content: &str) -> Result<(), Flaw> {
    let inside = content.strip_prefix("xml").ok_or(Flaw::Declaration)?;
    let said = lexical::attributes(inside, 3).map_err(|_| Flaw::Declaration)?;
    let mut said = said.into_iter().peekable();
    if said.next() != Some(("version", "1.0")) {
        return Err(Flaw::Declaration);
    }
    if let Some((_, encoding)) = said.next_if(|(name, _)| *name == "encoding")
        && !encoding.eq_ignore_ascii_case("utf-8")
    {
        return Err(Flaw::Encoding);
    }
    let standalone = said.next_if(|(name, value)| *name == "standalone" && matches!(*value, "yes" | "no"));
    match (standalone, said.next()) {
        (_, None) => Ok(()),
        _ => Err(Flaw::Declaration),
    }
}

pub(super) fn complaint(error: &Error) -> Flaw {
    match error {
        Error::Encoding(_) => Flaw::Encoding,
        _ => Flaw::IllFormed,
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn short(number: usize) -> Result<u32, Flaw> {
    u32::try_from(number).map_err(|_| Flaw::TooLong)
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    fn read(text: &str) -> Result<Document, Flaw> {
        Document::read(text.as_bytes(), &Limits::MESSAGE).map_err(|fault| fault.flaw)
    }

    fn flaw(text: &str) -> Flaw {
        read(text).err().unwrap_or_else(|| panic!("read: {text}"))
    }

    #[test]
    fn elements_attributes_and_text_are_what_they_mean() {
        let document = read(concat!(
            "\u{FEFF}<?xml version='1.0' encoding=\"utf-8\" standalone='yes'?>\r\n",
            "<a:r xmlns:a='urn:a' xmlns='urn:d' a:x='1' x = \"2 &#x9;&lt;&apos;\n\tq\"><b/>",
            "<c xmlns=''>t&amp;<![CDATA[<&]]>&#233;\r\n\r</c ></a:r>\n"
        ))
        .unwrap();
        let root = document.root();
        assert_eq!(
            (root.namespace(), root.name(), root.prefix()),
            ("urn:a", "r", "a")
        );
        assert_eq!(root.attribute("x"), Some("2 \t<'  q"));
        assert_eq!(root.attributes().count(), 2);
        let children: Vec<_> = root
            .children()
            .map(|child| (child.namespace(), child.name()))
            .collect();
        assert_eq!(children, [("urn:d", "b"), ("", "c")]);
        let texts: Vec<_> = root.children().map(Node::text).collect();
        assert_eq!(texts, [Some(""), Some("t&<&é\n\n")]);
        assert_eq!(root.text(), None);
        assert!(!root.has_text());
        assert_eq!(root.namespace_of("a"), Some("urn:a"));
        assert_eq!(root.children().last().unwrap().namespace_of(""), None);
    }

    #[test]
    fn text_behind_an_element_is_not_that_of_the_element() {
        let document = read("<a>1<b>2</b>3<c/>4<d>5<e>6</e></d>7</a>").unwrap();
        let texts: Vec<_> = document
            .elements()
            .map(|node| (node.name(), node.text()))
            .collect();
        let expected = [
            ("a", None),
            ("b", Some("2")),
            ("c", Some("")),
            ("d", None),
            ("e", Some("6")),
        ];
        assert_eq!(texts, expected);
        assert_eq!(
            crate::xml::canonical(document.root(), None, &[]),
            "<a>1<b>2</b>3<c></c>4<d>5<e>6</e></d>7</a>"
        );
    }

    #[test]
    fn a_document_is_one_element() {
        for text in [
            "",
            " ",
            "x",
            "<a/>x",
            "x<a/>",
            "<a/><b/>",
            "&amp;<a/>",
            "<a/><![CDATA[]]>",
            "<a/>&#32;",
        ] {
            assert_eq!(flaw(text), Flaw::Root, "{text}");
        }
        for text in [
            "<a>",
            "<a><b></a>",
            "</a>",
            "<a></b>",
            "<a",
            "<a b='",
            "<!",
            "<a><![CDATA[x</a>",
            "<a>&amp</a>",
        ] {
            assert_eq!(flaw(text), Flaw::IllFormed, "{text}");
        }
    }

    #[test]
    fn what_the_tokenizer_takes_for_granted_is_checked() {
        for text in [
            "<a b='1'c='2'/>",
            "<a b/>",
            "<a b=1/>",
            "<a b='<'/>",
            "<a b='&lt'/>",
            "<a>]]></a>",
            "<a / >",
            "<a b='1' / >",
        ] {
            assert_eq!(flaw(text), Flaw::IllFormed, "{text}");
        }
        for text in [
            "<1/>",
            "<:a/>",
            "<a:/>",
            "<a:b:c xmlns:a='urn:a'/>",
            "<a$/>",
            "<a 1='x'/>",
            "<a\u{d7}/>",
        ] {
            assert_eq!(flaw(text), Flaw::Name, "{text}");
        }
        for text in [
            "<a>\u{1}</a>",
            "<a>&#0;</a>",
            "<a>&#xD800;</a>",
            "<a>&#+65;</a>",
            "<a b='\u{FFFF}'/>",
            "<a>&#x;</a>",
        ] {
            assert_eq!(flaw(text), Flaw::Character, "{text}");
        }
    }

    #[test]
    fn attack_14_and_16_instructions_doctypes_and_entities_are_refused() {
        assert_eq!(flaw("<a>x<?p y?>z</a>"), Flaw::ProcessingInstruction);
        assert_eq!(
            flaw("<?xml-stylesheet href='x'?><a/>"),
            Flaw::ProcessingInstruction
        );
        for text in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a SYSTEM 'http://x/'><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!doctype a><a/>",
        ] {
            assert_eq!(flaw(text), Flaw::DocumentType, "{text}");
        }
        assert_eq!(flaw("<a>&b;</a>"), Flaw::Entity);
        assert_eq!(flaw("<a b='&c;'/>"), Flaw::Entity);
        for text in [
            "<?xml version='1.1'?><a/>",
            "<?xml encoding='utf-8'?><a/>",
            " <?xml version='1.0'?><a/>",
            "<a><?xml version='1.0'?></a>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
        ] {
            assert_eq!(flaw(text), Flaw::Declaration, "{text}");
        }
        assert_eq!(flaw("<?xml version='1.0' encoding='utf-7'?><a/>"), Flaw::Encoding);
        assert_eq!(
            Document::read(b"<a>\xff</a>", &Limits::MESSAGE).unwrap_err().flaw,
            Flaw::Encoding
        );
    }

    #[test]
    fn attack_13_and_15_text_is_whole_or_the_document_is_refused() {
        let text = "<NameID>admin@a.fr<!-- x -->.evil.fr</NameID>";
        assert_eq!(flaw(text), Flaw::Comment);
        let metadata = Document::read(text.as_bytes(), &Limits::METADATA).unwrap();
        assert_eq!(metadata.root().text(), Some("admin@a.fr.evil.fr"));
        let mixed = read("<NameID>ad<![CDATA[mi]]>n&#46;<![CDATA[]]>fr</NameID>").unwrap();
        assert_eq!(mixed.root().text(), Some("admin.fr"));
        let split = read("<NameID>ad<b/>min</NameID>").unwrap();
        assert_eq!(split.root().text(), None);
        assert!(split.root().has_text());
        let broken = Document::read(b"<a><!-- x -- y --></a>", &Limits::METADATA);
        assert_eq!(broken.unwrap_err().flaw, Flaw::IllFormed);
    }

    #[test]
    fn attack_17_names_mean_one_thing() {
        assert_eq!(flaw("<a ID='1' ID='2'/>"), Flaw::RepeatedAttribute);
        assert_eq!(
            flaw("<a xmlns:p='urn:x' xmlns:q='urn:x' p:i='1' q:i='2'/>"),
            Flaw::RepeatedAttribute
        );
        assert_eq!(
            flaw("<a xmlns:p='urn:x' xmlns:p='urn:y'/>"),
            Flaw::RepeatedAttribute
        );
        assert_eq!(flaw("<a xmlns='urn:x' xmlns='urn:x'/>"), Flaw::RepeatedAttribute);
        for text in [
            "<p:a/>",
            "<a p:b=''/>",
            "<xmlns:a/>",
            "<a><b xmlns:p='urn:p'/><p:c/></a>",
        ] {
            assert_eq!(flaw(text), Flaw::UndeclaredPrefix, "{text}");
        }
        for text in [
            "<a xmlns='x'/>",
            "<a xmlns:p='../x'/>",
            "<a xmlns:p=''/>",
            "<a xmlns:p='1:x'/>",
            "<a xmlns:p='urn:x y'/>",
            "<a xmlns:p='urn:x&amp;y'/>",
            "<a xmlns:p='http://x/a#b#c'/>",
            "<a xmlns:p='http://x/[y]'/>",
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns:xml='urn:x'/>",
            "<a xmlns:xmlns='urn:x'/>",
        ] {
            assert_eq!(flaw(text), Flaw::NamespaceDeclaration, "{text}");
        }
        assert!(read("<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='fr'/>").is_ok());
        let redefined = read("<p:a xmlns:p='urn:x'><p:a xmlns:p='urn:y'/><p:a/></p:a>").unwrap();
        let namespaces: Vec<_> = redefined.elements().map(Node::namespace).collect();
        assert_eq!(namespaces, ["urn:x", "urn:y", "urn:x"]);
    }

    #[test]
    fn attack_29_size_depth_attributes_namespaces_and_nodes_are_bounded() {
        let many = |count: usize, piece: &dyn Fn(usize) -> String| (0..count).map(piece).collect::<String>();
        assert_eq!(flaw(&" ".repeat(512 * 1024 + 1)), Flaw::TooLong);
        assert_eq!(flaw(&"<a>".repeat(10_000)), Flaw::TooDeep);
        let attributes = many(40_000, &|number| format!(" a{number}=''"));
        assert_eq!(flaw(&format!("<a{attributes}/>")), Flaw::TooManyAttributes);
        let namespaces = many(30, &|number| format!(" xmlns:n{number}='urn:n'"));
        let nested = format!("<a{namespaces}>").repeat(3);
        assert_eq!(flaw(&nested), Flaw::TooManyNamespaces);
        assert_eq!(
            flaw(&format!("<a>{}</a>", "<b/>".repeat(30_000))),
            Flaw::TooManyNodes
        );
        let references = format!("<a>{}</a>", "&#65;".repeat(100_000));
        assert_eq!(read(&references).unwrap().root().text().unwrap().len(), 100_000);
    }

    #[test]
    fn a_fault_says_where() {
        let fault = Document::read("<a>\n  <é/><?x?></a>".as_bytes(), &Limits::MESSAGE).unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 8));
        assert_eq!(
            fault.to_string(),
            "a processing instruction is refused (line 2, column 8)"
        );
    }

    #[test]
    fn a_piece_is_read_with_the_namespaces_of_where_it_stood() {
        let whole = read("<p:a xmlns:p='urn:p' xmlns:q='urn:q'><p:b q:c=''/></p:a>").unwrap();
        let scope = whole.root().scope();
        let piece = |text: &str| Document::read_in(text.as_bytes(), &Limits::MESSAGE, &scope);
        let read = piece("<p:b q:c=''/>").unwrap();
        assert_eq!(read.root().namespace(), "urn:p");
        let anew = piece("<p:b xmlns:n='urn:n' xmlns:p='urn:other'/>").unwrap();
        assert_eq!(anew.root().namespace(), "urn:other");
        assert_eq!(anew.root().namespace_of("p"), Some("urn:other"));
        assert_eq!(
            piece("<p:b xmlns:n='urn:n' xmlns:p='urn:p' xmlns:n='urn:n'/>")
                .unwrap_err()
                .flaw,
            Flaw::RepeatedAttribute
        );
    }
}
