//! Exclusive canonical XML without comments (xml-exc-c14n §3) of one element of a document that was read.
//!
//! The whole of an element or the whole without one other element (a signature that it carries): no other set of nodes
//! exists here, so there is nothing to select by and no context to lose. Attributes of `xml:` are not taken over from
//! outside, as the exclusive form has it.

use super::Node;
use super::document::Inside;
use super::element::{escape_attribute, escape_text};

/// The canonical form of `node`; `without` is left out of it, and `inclusive` are the prefixes of an
/// `InclusiveNamespaces` list, `#default` the empty one.
pub fn canonical(node: Node<'_>, without: Option<Node<'_>>, inclusive: &[&str]) -> String {
    let mut out = String::with_capacity(2048);
    let mut writer = Writer {
        without,
        inclusive: inclusive
            .iter()
            .map(|prefix| if *prefix == "#default" { "" } else { prefix })
            .collect(),
        rendered: Vec::new(),
        out: &mut out,
    };
    writer.element(node);
    out
}

struct Writer<'a, 'o> {
    without: Option<Node<'a>>,
    inclusive: Vec<&'a str>,
    /// Prefix and URI that the output has declared around here, the innermost last.
    rendered: Vec<(&'a str, &'a str)>,
    out: &'o mut String,
}

impl<'a> Writer<'a, '_> {
    fn element(&mut self, node: Node<'a>) {
        let outside = self.rendered.len();
        let declared = self.declarations(node);
        self.out.push('<');
        write_name(node.prefix(), node.name(), self.out);
        for (prefix, uri) in &declared {
            self.out
                .push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            self.out.push_str(prefix);
            self.out.push_str("=\"");
            escape_attribute(uri, self.out);
            self.out.push('"');
        }
        self.rendered.extend(declared);
        let mut attributes: Vec<_> = node.attributes().collect();
        attributes.sort_unstable_by_key(|attribute| (attribute.namespace, attribute.name));
        for attribute in attributes {
            self.out.push(' ');
            write_name(attribute.prefix, attribute.name, self.out);
            self.out.push_str("=\"");
            escape_attribute(attribute.value, self.out);
            self.out.push('"');
        }
        self.out.push('>');
        // As deep as the reader's limit, which is tens.
        for inside in node.inside() {
            match inside {
                Inside::Text(text) => escape_text(text, self.out),
                Inside::Element(child) if Some(child) == self.without => {}
                Inside::Element(child) => self.element(child),
            }
        }
        self.out.push_str("</");
        write_name(node.prefix(), node.name(), self.out);
        self.out.push('>');
        self.rendered.truncate(outside);
    }

    /// xml-exc-c14n §3: the namespaces that names here are written with, and those of the list that are in scope, unless
    /// the output has said the same around here.
    fn declarations(&self, node: Node<'a>) -> Vec<(&'a str, &'a str)> {
        let of_attributes = node
            .attributes()
            .filter(|attribute| !attribute.prefix.is_empty())
            .map(|attribute| (attribute.prefix, attribute.namespace));
        let listed = self.inclusive.iter().filter_map(|prefix| {
            let uri = node.namespace_of(prefix);
            // Without a default namespace, the empty one is in scope.
            let uri = uri.or_else(|| prefix.is_empty().then_some(""))?;
            Some((*prefix, uri))
        });
        let mut needed: Vec<_> = std::iter::once((node.prefix(), node.namespace()))
            .chain(of_attributes)
            .chain(listed)
            .filter(|(prefix, uri)| *prefix != "xml" && self.said(prefix) != *uri)
            .collect();
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// What the output says of a prefix around here; of none of them that it is the empty namespace.
    fn said(&self, prefix: &str) -> &str {
        let found = self
            .rendered
            .iter()
            .rev()
            .find(|(declared, _)| *declared == prefix);
        found.map_or("", |(_, uri)| uri)
    }
}

fn write_name(prefix: &str, name: &str, out: &mut String) {
    if !prefix.is_empty() {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(name);
}
