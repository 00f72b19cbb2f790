//! Writes our own XML, as exclusive canonical XML (xml-exc-c14n §3) from the first byte.
//!
//! Names are words of the program, values are escaped, and a character that XML 1.0 has not (xml §2.2) is left out: no value can become
//! markup, and nothing that is written can be unreadable. Must never write an element in more than one way.

use super::{Namespace, lexical};

/// An element to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    namespace: Namespace,
    name: &'static str,
    attributes: Vec<(Option<Namespace>, &'static str, String)>,
    declared: Vec<Namespace>,
    content: Vec<Content>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    /// An empty element.
    pub const fn new(namespace: Namespace, name: &'static str) -> Self {
        Self {
            namespace,
            name,
            attributes: Vec::new(),
            declared: Vec::new(),
            content: Vec::new(),
        }
    }

    /// With an attribute that has no namespace; said twice, the last counts.
    #[must_use]
    pub fn attribute(self, name: &'static str, value: impl Into<String>) -> Self {
        self.put(None, name, value.into())
    }

    /// With an attribute where there is a value for it.
    #[must_use]
    pub fn attribute_if(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// With an attribute in a namespace: `xsi:type`, `xml:lang`.
    #[must_use]
    pub fn attribute_in(self, namespace: Namespace, name: &'static str, value: impl Into<String>) -> Self {
        self.put(Some(namespace), name, value.into())
    }

    fn put(mut self, namespace: Option<Namespace>, name: &'static str, value: String) -> Self {
        self.attributes
            .retain(|(other, called, _)| (*other, *called) != (namespace, name));
        self.attributes.push((namespace, name, value));
        self
    }

    /// With a namespace declared though no name here is in it, because a value is: `xs` for `xsi:type="xs:string"`. A
    /// signature over it names the prefix (xml-exc-c14n §3, `InclusiveNamespaces`).
    #[must_use]
    pub fn declaring(mut self, namespace: Namespace) -> Self {
        self.declared.push(namespace);
        self
    }

    /// With an element as the last thing inside.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    /// With an element as the last thing inside, where there is one.
    #[must_use]
    pub fn child_if(self, child: Option<Self>) -> Self {
        self.children(child)
    }

    /// With elements as the last things inside.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(children.into_iter().map(Content::Element));
        self
    }

    /// With text as the last thing inside.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// Whether it is the element of that name.
    pub fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The value of an attribute without namespace.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(namespace, called, _)| namespace.is_none() && *called == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// With an element put before all others, or after the first where that one is called so (saml-core §3.2.1: a
    /// signature stands behind the issuer).
    #[must_use]
    pub(in crate::saml) fn insert_after(mut self, namespace: Namespace, name: &str, child: Self) -> Self {
        let is_first =
            matches!(self.content.first(), Some(Content::Element(first)) if first.is(namespace, name));
        self.content
            .insert(usize::from(is_first), Content::Element(child));
        self
    }

    /// The prefixes that are declared by [`Element::declaring`], here or inside, each once, in their order.
    pub(in crate::saml) fn declared_prefixes(&self) -> Vec<&'static str> {
        let mut found: Vec<_> = self.declared.iter().map(|namespace| namespace.prefix()).collect();
        for content in &self.content {
            if let Content::Element(child) = content {
                found.extend(child.declared_prefixes());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The document: exclusive canonical XML in UTF-8, without declaration.
    pub fn write(&self) -> String {
        let mut out = String::with_capacity(1024);
        self.write_in(&mut Vec::new(), &mut out);
        out
    }

    /// `scope` holds the namespaces that the elements around have declared.
    fn write_in(&self, scope: &mut Vec<Namespace>, out: &mut String) {
        let outside = scope.len();
        let used = std::iter::once(self.namespace)
            .chain(self.attributes.iter().filter_map(|(namespace, ..)| *namespace))
            .chain(self.declared.iter().copied());
        let mut needed: Vec<_> = used
            .filter(|namespace| *namespace != Namespace::Xml && !scope.contains(namespace))
            .collect();
        // xml-c14n §2.2: declarations by prefix, then attributes by namespace and name.
        needed.sort_unstable_by_key(|namespace| namespace.prefix());
        needed.dedup();
        out.push('<');
        self.write_name(out);
        for namespace in &needed {
            out.push_str(" xmlns:");
            out.push_str(namespace.prefix());
            out.push_str("=\"");
            out.push_str(namespace.uri());
            out.push('"');
        }
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_unstable_by_key(|(namespace, name, _)| (namespace.map_or("", Namespace::uri), *name));
        for (namespace, name, value) in attributes {
            out.push(' ');
            if let Some(namespace) = namespace {
                out.push_str(namespace.prefix());
                out.push(':');
            }
            out.push_str(name);
            out.push_str("=\"");
            escape_attribute(value, out);
            out.push('"');
        }
        out.push('>');
        scope.extend(needed);
        for content in &self.content {
            match content {
                Content::Element(child) => child.write_in(scope, out),
                Content::Text(text) => escape_text(text, out),
            }
        }
        scope.truncate(outside);
        out.push_str("</");
        self.write_name(out);
        out.push('>');
    }

    fn write_name(&self, out: &mut String) {
        out.push_str(self.namespace.prefix());
        out.push(':');
        out.push_str(self.name);
    }
}

/// Text as xml-c14n §2.3 writes it; characters that are none of XML are left out.
pub(super) fn escape_text(text: &str, out: &mut String) {
    escape(text, out, |symbol| match symbol {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        symbol if lexical::is_char(symbol) => None,
        _ => Some(""),
    });
}

/// The value of an attribute as xml-c14n §2.3 writes it; characters that are none of XML are left out.
pub(super) fn escape_attribute(value: &str, out: &mut String) {
    escape(value, out, |symbol| match symbol {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        symbol if lexical::is_char(symbol) => None,
        _ => Some(""),
    });
}

/// Whole stretches at a time: most text has nothing to escape.
fn escape(text: &str, out: &mut String, instead: impl Fn(char) -> Option<&'static str>) {
    let mut start = 0;
    for (at, symbol) in text.char_indices() {
        if let Some(written) = instead(symbol) {
            out.push_str(text.get(start..at).unwrap_or_default());
            out.push_str(written);
            start = at + symbol.len_utf8();
        }
    }
    out.push_str(text.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_written_in_canonical_form() {
        let value = Element::new(Namespace::Saml, "AttributeValue")
            .attribute_in(Namespace::Xsi, "type", "xs:string")
            .declaring(Namespace::Xs)
            .text("Tom & <Jerry>\r\n");
        let document = Element::new(Namespace::Samlp, "Response")
            .attribute("Version", "2.0")
            .attribute("ID", "_1")
            .attribute("ID", "_\"2\"\t<>")
            .child(Element::new(Namespace::Saml, "Issuer").text("https://a.fr"))
            .child(
                Element::new(Namespace::Saml, "Assertion")
                    .child(value)
                    .child_if(None),
            );
        let expected = concat!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_&quot;2&quot;&#x9;&lt;>\" Version=\"2.0\">",
            "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">https://a.fr</saml:Issuer>",
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
            "<saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ",
            "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">",
            "Tom &amp; &lt;Jerry&gt;&#xD;\n</saml:AttributeValue></saml:Assertion></samlp:Response>"
        );
        assert_eq!(document.write(), expected);
        assert_eq!(document.declared_prefixes(), ["xs"]);
    }

    #[test]
    fn attack_33_no_value_becomes_markup_and_no_character_is_unreadable() {
        let name = "x</saml:NameID><saml:NameID>\u{0}\u{8}\u{FFFE}admin";
        let written = Element::new(Namespace::Saml, "NameID")
            .attribute("Format", name)
            .text(name)
            .write();
        let read =
            crate::saml::xml::Document::read(written.as_bytes(), &crate::saml::xml::Limits::MESSAGE).unwrap();
        let told = "x</saml:NameID><saml:NameID>admin";
        assert_eq!(read.root().text(), Some(told));
        assert_eq!(read.root().attribute("Format"), Some(told));
    }
}
