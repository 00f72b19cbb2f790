//! A document that was read: elements, attributes and text, to be looked at and never changed.
//!
//! Elements and texts lie in one row in the order of the document, each knowing where its inside ends. There are no
//! comments in it, and text that stood together is one: what an element says is one string or none.

use super::Namespace;

/// A word of the table: names, prefixes and namespaces, each kept once.
pub(super) type Word = u32;

/// The word that is empty: no prefix, no namespace.
pub(super) const EMPTY: Word = 0;

/// A stretch of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn of<T>(self, row: &[T]) -> &[T] {
        row.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }

    pub(super) fn of_text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// A name as it is written and as it is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) prefix: Word,
    pub(super) local: Word,
    pub(super) namespace: Word,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ElementData {
    pub(super) parent: u32,
    /// Where what follows the element begins.
    pub(super) end: u32,
    pub(super) name: Name,
    pub(super) attributes: Span,
    /// The namespaces that it declares: prefix and URI.
    pub(super) declared: Span,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Element(ElementData),
    Text(Span),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AttributeData {
    pub(super) name: Name,
    pub(super) value: Span,
}

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) items: Vec<Item>,
    pub(super) attributes: Vec<AttributeData>,
    pub(super) declared: Vec<(Word, Word)>,
    pub(super) words: Vec<Box<str>>,
    pub(super) text: String,
}

/// What a document without an element would have as its root: no reader makes one.
static NOTHING: ElementData = ElementData {
    parent: 0,
    end: 0,
    name: Name {
        prefix: EMPTY,
        local: EMPTY,
        namespace: EMPTY,
    },
    attributes: Span { start: 0, end: 0 },
    declared: Span { start: 0, end: 0 },
};

impl Document {
    /// Its one outermost element.
    pub fn root(&self) -> Node<'_> {
        self.node(0).unwrap_or(Node {
            document: self,
            index: 0,
            data: &NOTHING,
        })
    }

    /// Every element, in the order of the document.
    pub fn elements(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.items.len()).filter_map(|index| self.node(index))
    }

    fn node(&self, index: usize) -> Option<Node<'_>> {
        match self.items.get(index) {
            Some(Item::Element(data)) => Some(Node {
                document: self,
                index,
                data,
            }),
            Some(Item::Text(_)) | None => None,
        }
    }

    pub(super) fn word(&self, word: Word) -> &str {
        self.words.get(word as usize).map_or("", |word| word)
    }
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    index: usize,
    data: &'d ElementData,
}

impl std::fmt::Debug for Node<'_> {
    /// The name alone: what an element holds is nothing for a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{{{}}}{}>", self.namespace(), self.name())
    }
}

impl PartialEq for Node<'_> {
    /// The same element of the same document.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

impl Eq for Node<'_> {}

/// What stands in an element.
pub(super) enum Inside<'d> {
    Element(Node<'d>),
    Text(&'d str),
}

impl<'d> Node<'d> {
    /// Its name, without prefix.
    pub fn name(self) -> &'d str {
        self.document.word(self.data.name.local)
    }

    /// The namespace of its name, empty where there is none.
    pub fn namespace(self) -> &'d str {
        self.document.word(self.data.name.namespace)
    }

    /// The prefix it is written with, empty where there is none. Says nothing of what the element is.
    pub fn prefix(self) -> &'d str {
        self.document.word(self.data.name.prefix)
    }

    /// Whether it is the element of that name.
    pub fn is(self, namespace: Namespace, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace.uri()
    }

    /// The value of an attribute without namespace, as nearly all of SAML's are.
    pub fn attribute(self, name: &str) -> Option<&'d str> {
        self.find("", name)
    }

    /// The value of an attribute in a namespace.
    pub fn attribute_in(self, namespace: Namespace, name: &str) -> Option<&'d str> {
        self.find(namespace.uri(), name)
    }

    fn find(self, namespace: &str, name: &str) -> Option<&'d str> {
        let named = |attribute: &Attribute<'_>| attribute.name == name && attribute.namespace == namespace;
        self.attributes().find(named).map(|attribute| attribute.value)
    }

    /// Its attributes, in the order they are written; declarations of namespaces are none.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let document = self.document;
        let row = self.data.attributes.of(&document.attributes).iter();
        row.map(|attribute| Attribute {
            namespace: document.word(attribute.name.namespace),
            prefix: document.word(attribute.name.prefix),
            name: document.word(attribute.name.local),
            value: attribute.value.of_text(&document.text),
        })
    }

    /// The elements directly inside, in their order.
    pub fn children(self) -> impl Iterator<Item = Node<'d>> {
        self.inside().filter_map(|inside| match inside {
            Inside::Element(node) => Some(node),
            Inside::Text(_) => None,
        })
    }

    /// The elements of that name directly inside, in their order.
    pub fn children_named(self, namespace: Namespace, name: &str) -> impl Iterator<Item = Node<'d>> {
        self.children().filter(move |child| child.is(namespace, name))
    }

    /// The first element of that name directly inside.
    pub fn child(self, namespace: Namespace, name: &str) -> Option<Node<'d>> {
        self.children_named(namespace, name).next()
    }

    /// All that it says, where it holds text and no element: possibly nothing, never a part. `None` where an element
    /// stands inside.
    pub fn text(self) -> Option<&'d str> {
        let mut inside = self.inside();
        match (inside.next(), inside.next()) {
            (None, _) => Some(""),
            (Some(Inside::Text(text)), None) => Some(text),
            _ => None,
        }
    }

    /// Whether text other than white space stands directly inside, beside elements or alone.
    pub fn has_text(self) -> bool {
        self.inside()
            .any(|inside| matches!(inside, Inside::Text(text) if !text.trim().is_empty()))
    }

    /// The element and all elements inside, in the order of the document.
    pub fn descendants(self) -> impl Iterator<Item = Node<'d>> {
        let document = self.document;
        (self.index..self.data.end as usize).filter_map(|index| document.node(index))
    }

    /// The element that it stands in.
    pub fn parent(self) -> Option<Node<'d>> {
        if self.index == 0 {
            return None;
        }
        self.document.node(self.data.parent as usize)
    }

    /// Whether it is an element of that very document.
    pub fn is_of(self, document: &Document) -> bool {
        std::ptr::eq(self.document, document)
    }

    /// What a prefix stands for here (the empty one: the default namespace), as `xsi:type="xs:string"` needs it.
    pub fn namespace_of(self, prefix: &str) -> Option<&'d str> {
        if prefix == Namespace::Xml.prefix() {
            return Some(Namespace::Xml.uri());
        }
        let mut at = Some(self);
        while let Some(node) = at {
            let found = node.declared().find(|(declared, _)| *declared == prefix);
            if let Some((_, uri)) = found {
                return Some(uri).filter(|uri| !uri.is_empty());
            }
            at = node.parent();
        }
        None
    }

    /// All namespaces that are declared here, each prefix once: what [`Document::read_in`] needs to read what was inside.
    pub fn scope(self) -> Vec<(&'d str, &'d str)> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        let mut at = Some(self);
        while let Some(node) = at {
            for (prefix, uri) in node.declared() {
                if !found.iter().any(|(known, _)| *known == prefix) {
                    found.push((prefix, uri));
                }
            }
            at = node.parent();
        }
        found
    }

    /// The namespaces that it declares: prefix and URI.
    pub(super) fn declared(self) -> impl Iterator<Item = (&'d str, &'d str)> {
        let document = self.document;
        let row = self.data.declared.of(&document.declared).iter();
        row.map(|(prefix, uri)| (document.word(*prefix), document.word(*uri)))
    }

    /// Elements and texts directly inside.
    pub(super) fn inside(self) -> impl Iterator<Item = Inside<'d>> {
        let document = self.document;
        let mut at = self.index + 1;
        let end = self.data.end as usize;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (next, found) = match document.items.get(at)? {
                Item::Text(span) => (at + 1, Inside::Text(span.of_text(&document.text))),
                Item::Element(data) => (data.end as usize, Inside::Element(document.node(at)?)),
            };
            // Each step goes forward, whatever the row says.
            at = next.max(at + 1);
            Some(found)
        })
    }
}

/// An attribute of a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'d> {
    /// Its namespace, empty where there is none.
    pub namespace: &'d str,
    /// The prefix it is written with.
    pub(super) prefix: &'d str,
    /// Its name, without prefix.
    pub name: &'d str,
    /// Its value, references resolved.
    pub value: &'d str,
}
