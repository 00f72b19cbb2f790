//! Documents taken apart and put together anew: a short program of bytes moves, copies, wraps and renames elements, as those
//! do who wrap signatures. What stays together keeps its canonical form.

use marelle::saml::xml::{Limits, Stream, Tag, Token};

use crate::Bytes;

/// More pieces than any honest document; a program that copies copies of copies ends here.
const MOST: usize = 1_500;

/// Prefix and URI.
type Scope = Vec<(String, String)>;

enum Piece {
    /// An element with all namespaces that are declared where it stands.
    Element(Tag, Scope),
    Text(String),
}

struct Node {
    piece: Piece,
    inside: Vec<usize>,
}

/// A document as a table of pieces; the first one is its root.
struct Tree(Vec<Node>);

/// One of the documents, after a program has been at it.
pub(crate) fn mixed(documents: &[&str], program: &[u8]) -> Option<String> {
    let mut bytes = Bytes(program);
    let which = usize::from(bytes.byte()?) % documents.len();
    let mut tree = Tree::read(documents.get(which)?)?;
    while let Some(operation) = bytes.byte() {
        let (Some(one), Some(other)) = (bytes.byte(), bytes.byte()) else {
            break;
        };
        tree.change(operation, usize::from(one), usize::from(other));
    }
    Some(tree.write())
}

impl Tree {
    fn read(text: &str) -> Option<Self> {
        let mut stream = Stream::new(text.as_bytes(), Limits::METADATA);
        let mut tree = Self(Vec::new());
        let mut open: Vec<usize> = Vec::new();
        loop {
            let piece = match stream.next_token().ok()? {
                Token::Open(tag) => Piece::Element(tag, innermost(stream.scope())),
                Token::Text(text) => Piece::Text(text),
                Token::Close => {
                    open.pop();
                    continue;
                }
                Token::End => return Some(tree),
            };
            let opens = matches!(piece, Piece::Element(..));
            let index = tree.add(piece);
            if let Some(around) = open.last() {
                tree.0[*around].inside.push(index);
            }
            if opens {
                open.push(index);
            }
        }
    }

    fn add(&mut self, piece: Piece) -> usize {
        self.0.push(Node {
            piece,
            inside: Vec::new(),
        });
        self.0.len() - 1
    }

    /// The elements in the order of the document, each with the one that it stands in.
    fn elements(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut waiting = vec![(0, 0)];
        while let Some((index, around)) = waiting.pop() {
            if matches!(self.0[index].piece, Piece::Element(..)) {
                found.push((index, around));
                waiting.extend(self.0[index].inside.iter().rev().map(|child| (*child, index)));
            }
        }
        found
    }

    fn change(&mut self, operation: u8, one: usize, other: usize) {
        let elements = self.elements();
        let (index, around) = elements[one % elements.len()];
        let (place, _) = elements[other % elements.len()];
        let is_inside = |outer: usize, inner: usize| {
            let mut at = inner;
            while at != outer && at != 0 {
                at = elements
                    .iter()
                    .find(|(index, _)| *index == at)
                    .map_or(0, |(_, around)| *around);
            }
            at == outer
        };
        // Where among what stands there already.
        let position = usize::from(operation >> 4);
        match operation % 10 {
            0 if index != 0 && !is_inside(index, place) => {
                self.0[around].inside.retain(|child| *child != index);
                self.put(place, index, position);
            }
            1 => {
                let copied = self.copy(index);
                self.put(place, copied, position);
            }
            2 if index != 0 => self.0[around].inside.retain(|child| *child != index),
            // A new root, or a new element between an element and what it stands in.
            3 => {
                let (tag, scope) = self.tag(place);
                let (inner_tag, inner_scope) = self.tag(index);
                let inside = std::mem::take(&mut self.0[index].inside);
                let moved = self.add(Piece::Element(inner_tag, inner_scope));
                self.0[moved].inside = inside;
                self.0[index].piece = Piece::Element(tag, scope);
                self.0[index].inside = vec![moved];
            }
            4 => {
                let (tag, _) = self.tag(place);
                if let Piece::Element(own, _) = &mut self.0[index].piece {
                    own.attributes.retain(|attribute| attribute.name != "ID");
                    own.attributes
                        .extend(tag.attributes.into_iter().filter(|one| one.name == "ID"));
                }
            }
            5 => {
                if let Piece::Element(own, _) = &mut self.0[index].piece {
                    for attribute in own
                        .attributes
                        .iter_mut()
                        .filter(|one| one.name.eq_ignore_ascii_case("id"))
                    {
                        attribute.name = ["Id", "id", "iD", "ID"][other % 4].to_owned();
                    }
                }
            }
            6 => {
                let (tag, scope) = self.tag(place);
                if let Piece::Element(own, own_scope) = &mut self.0[index].piece {
                    (own.prefix, own.name, own.namespace) = (tag.prefix, tag.name, tag.namespace);
                    own_scope.retain(|(prefix, _)| *prefix != own.prefix);
                    own_scope.extend(scope.into_iter().filter(|(prefix, _)| *prefix == own.prefix));
                }
            }
            7 => {
                let text = self.add(Piece::Text(["evil", "#", " ", "\u{e9}"][other % 4].to_owned()));
                self.put(index, text, position);
            }
            8 => {
                let inside = &mut self.0[index].inside;
                if inside.len() > 1 {
                    let count = inside.len();
                    inside.swap(position % count, other % count);
                }
            }
            9 => {
                if let Piece::Element(own, _) = &mut self.0[index].piece
                    && !own.attributes.is_empty()
                {
                    let count = own.attributes.len();
                    own.attributes.remove(other % count);
                }
            }
            _ => {}
        }
    }

    fn tag(&self, index: usize) -> (Tag, Scope) {
        match &self.0[index].piece {
            Piece::Element(tag, scope) => (tag.clone(), scope.clone()),
            Piece::Text(_) => unreachable!("only elements are chosen"),
        }
    }

    fn put(&mut self, place: usize, index: usize, position: usize) {
        let inside = &mut self.0[place].inside;
        inside.insert(position.min(inside.len()), index);
    }

    fn copy(&mut self, index: usize) -> usize {
        let piece = match &self.0[index].piece {
            Piece::Element(tag, scope) => Piece::Element(tag.clone(), scope.clone()),
            Piece::Text(text) => Piece::Text(text.clone()),
        };
        let copied = self.add(piece);
        for child in self.0[index].inside.clone() {
            if self.0.len() > MOST {
                break;
            }
            let child = self.copy(child);
            self.0[copied].inside.push(child);
        }
        copied
    }

    fn write(&self) -> String {
        let mut out = String::new();
        self.write_piece(0, &Vec::new(), &mut out);
        out
    }

    /// Writes a piece where `around` is declared, and declares what is otherwise there.
    fn write_piece(&self, index: usize, around: &Scope, out: &mut String) {
        let node = &self.0[index];
        let (tag, scope) = match &node.piece {
            Piece::Text(text) => return out.push_str(&escaped(text)),
            Piece::Element(tag, scope) => (tag, scope),
        };
        let said = |scope: &Scope, prefix: &str| {
            let found = scope.iter().find(|(declared, _)| declared == prefix);
            found.map(|(_, uri)| uri.clone())
        };
        let mut now = around.clone();
        let mut declared = Vec::new();
        for (prefix, uri) in scope {
            if said(around, prefix).as_ref() != Some(uri) {
                declared.push((prefix.clone(), uri.clone()));
                now.retain(|(known, _)| known != prefix);
                now.push((prefix.clone(), uri.clone()));
            }
        }
        let takes_default = said(scope, "").is_none() && said(around, "").is_some_and(|uri| !uri.is_empty());
        if takes_default {
            declared.push((String::new(), String::new()));
            now.retain(|(known, _)| !known.is_empty());
        }
        let tag = Tag {
            declared,
            ..tag.clone()
        };
        let name = marelle::saml::xml::write_tag(&tag, out);
        for child in &node.inside {
            self.write_piece(*child, &now, out);
        }
        out.push_str(&format!("</{name}>"));
    }
}

fn innermost(scope: &[(String, String)]) -> Scope {
    let mut found: Scope = Vec::new();
    for (prefix, uri) in scope.iter().rev() {
        if !found.iter().any(|(known, _)| known == prefix) {
            found.push((prefix.clone(), uri.clone()));
        }
    }
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#xD;")
}
