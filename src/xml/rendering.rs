//! Exclusive canonical XML without comments (xml-exc-c14n §3) of a document that passes by, token after token: what
//! [`canonical`](super::canonical) writes of one in memory.

use std::io::{self, Write};

use super::Tag;
use super::element::{escape_attribute, escape_text};

/// A canonical form on its way out.
pub struct Rendering<W: Write> {
    out: W,
    inclusive: Vec<String>,
    /// Prefix and URI that the output has declared around here, the innermost last.
    rendered: Vec<(String, String)>,
    /// Names of the open elements, as they are written, and how much was declared outside each.
    open: Vec<(String, usize)>,
    piece: String,
}

impl<W: Write> Rendering<W> {
    /// A form that is written to `out`; `inclusive` are the prefixes of an `InclusiveNamespaces` list, `#default` the
    /// empty one.
    pub fn new(out: W, inclusive: &[String]) -> Self {
        let prefix = |prefix: &String| {
            if prefix == "#default" {
                String::new()
            } else {
                prefix.clone()
            }
        };
        Self {
            out,
            inclusive: inclusive.iter().map(prefix).collect(),
            rendered: Vec::new(),
            open: Vec::new(),
            piece: String::new(),
        }
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// An element opens, with these namespaces in scope, the innermost last.
    ///
    /// # Errors
    /// Those of the output.
    pub fn open(&mut self, tag: &Tag, scope: &[(String, String)]) -> io::Result<()> {
        let outside = self.rendered.len();
        let declared = self.declarations(tag, scope);
        self.piece.clear();
        let name = written_name(&tag.prefix, &tag.name);
        self.piece.push('<');
        self.piece.push_str(&name);
        write_declarations(&declared, &mut self.piece);
        self.rendered.extend(declared);
        let mut attributes: Vec<_> = tag.attributes.iter().collect();
        attributes.sort_unstable_by_key(|attribute| (&attribute.namespace, &attribute.name));
        for attribute in attributes {
            write_attribute(
                &written_name(&attribute.prefix, &attribute.name),
                &attribute.value,
                &mut self.piece,
            );
        }
        self.piece.push('>');
        self.open.push((name, outside));
        self.out.write_all(self.piece.as_bytes())
    }

    /// Text stands here.
    ///
    /// # Errors
    /// Those of the output.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.piece.clear();
        escape_text(text, &mut self.piece);
        self.out.write_all(self.piece.as_bytes())
    }

    /// The last opened element closes.
    ///
    /// # Errors
    /// Those of the output.
    pub fn close(&mut self) -> io::Result<()> {
        let Some((name, outside)) = self.open.pop() else {
            return Ok(());
        };
        self.rendered.truncate(outside);
        write!(self.out, "</{name}>")
    }

    /// The output, all of it written.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// xml-exc-c14n §3: the namespaces that names here are written with, and those of the list that are in scope, unless
    /// the output has said the same around here.
    fn declarations(&self, tag: &Tag, scope: &[(String, String)]) -> Vec<(String, String)> {
        let of_attributes = tag
            .attributes
            .iter()
            .filter(|attribute| !attribute.prefix.is_empty())
            .map(|attribute| (attribute.prefix.as_str(), attribute.namespace.as_str()));
        let listed = self.inclusive.iter().filter_map(|prefix| {
            let found = scope.iter().rev().find(|(declared, _)| declared == prefix);
            let uri = found.map(|(_, uri)| uri.as_str());
            let uri = uri.filter(|uri| !uri.is_empty());
            // Without a default namespace, the empty one is in scope.
            let uri = uri.or_else(|| prefix.is_empty().then_some(""))?;
            Some((prefix.as_str(), uri))
        });
        let mut needed: Vec<_> = std::iter::once((tag.prefix.as_str(), tag.namespace.as_str()))
            .chain(of_attributes)
            .chain(listed)
            .filter(|(prefix, uri)| *prefix != "xml" && self.said(prefix) != *uri)
            .collect();
        needed.sort_unstable();
        needed.dedup();
        let owned = |(prefix, uri): (&str, &str)| (prefix.to_owned(), uri.to_owned());
        needed.into_iter().map(owned).collect()
    }

    /// What the output says of a prefix around here; of none of them that it is the empty namespace.
    fn said(&self, prefix: &str) -> &str {
        let found = self
            .rendered
            .iter()
            .rev()
            .find(|(declared, _)| declared == prefix);
        found.map_or("", |(_, uri)| uri)
    }
}

/// Writes a tag with what it says itself, in its own order: nothing canonical, but the same tag for a reader. Answers the
/// name to close it by.
pub fn write_tag(tag: &Tag, out: &mut String) -> String {
    let name = written_name(&tag.prefix, &tag.name);
    out.push('<');
    out.push_str(&name);
    write_declarations(&tag.declared, out);
    for attribute in &tag.attributes {
        write_attribute(
            &written_name(&attribute.prefix, &attribute.name),
            &attribute.value,
            out,
        );
    }
    out.push('>');
    name
}

fn written_name(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}:{name}")
    }
}

fn write_declarations(declared: &[(String, String)], out: &mut String) {
    for (prefix, uri) in declared {
        let name = if prefix.is_empty() {
            "xmlns".to_owned()
        } else {
            format!("xmlns:{prefix}")
        };
        write_attribute(&name, uri, out);
    }
}

fn write_attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape_attribute(value, out);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Document, Limits, Stream, Token, canonical};
    use super::*;

    fn streamed(text: &str, inclusive: &[String]) -> Result<String, super::super::Fault> {
        let mut stream = Stream::new(text.as_bytes(), Limits::METADATA);
        let mut rendering = Rendering::new(Vec::new(), inclusive);
        loop {
            match stream.next_token()? {
                Token::Open(tag) => rendering.open(&tag, stream.scope()).unwrap(),
                Token::Text(text) => rendering.text(&text).unwrap(),
                Token::Close => rendering.close().unwrap(),
                Token::End => return Ok(String::from_utf8(rendering.finish().unwrap()).unwrap()),
            }
        }
    }

    fn whole(text: &str, inclusive: &[&str]) -> Result<String, super::super::Fault> {
        let document = Document::read(text.as_bytes(), &Limits::METADATA)?;
        Ok(canonical(document.root(), None, inclusive))
    }

    #[test]
    fn a_stream_has_the_canonical_form_of_the_whole() {
        let text = "\u{FEFF}<?xml version='1.0'?>\r\n<!-- a -->\n<p:a xmlns:p='urn:p' xmlns='urn:d' xmlns:q='urn:q' b='&lt;&#10;\"'>\
            <c q:z='1' a='2'/>x<!-- y -->z<![CDATA[<&]]>\r\n<d xmlns=''><e xmlns='urn:d'/></d>\
            <p:f xmlns:p='urn:other'/><p:g xmlns:p='urn:p'/>&#13;</p:a>\n<!-- b -->";
        for list in [&[][..], &["q"], &["#default", "q", "nobody"]] {
            let owned: Vec<String> = list.iter().map(ToString::to_string).collect();
            assert_eq!(streamed(text, &owned).unwrap(), whole(text, list).unwrap());
        }
    }

    #[test]
    fn a_stream_refuses_what_the_reader_refuses() {
        for text in [
            "",
            " ",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b='1' b='2'/>",
            "<p:a/>",
            "<!DOCTYPE a><a/>",
            "<a><?p?></a>",
            "<a>&b;</a>",
            "<a b='<'/>",
            "<a>]]></a>",
            "<a xmlns='x'/>",
            "<a>\u{1}</a>",
            "<a b/>",
            "</a>",
            "<a xmlns:p='urn:x' xmlns:q='urn:x' p:i='1' q:i='2'/>",
            "<a><b xmlns:p='urn:p'/><p:c/></a>",
        ] {
            assert!(whole(text, &[]).is_err(), "{text}");
            assert!(streamed(text, &[]).is_err(), "{text}");
        }
        let fault = streamed("<a>\n  <?x?></a>", &[]).unwrap_err();
        assert_eq!(fault.line, 2);
    }

    proptest! {
        #[test]
        fn both_readers_say_the_same(text in "(<(/)?[ab](:b)?( (xmlns(:a)?|b)='(urn:x|&amp;)?')?(/)?>|x|&lt;|<!--x-->){0,12}") {
            let text = format!("<r>{text}</r>");
            let (one, other) = (whole(&text, &[]).ok(), streamed(&text, &[]).ok());
            prop_assert_eq!(one, other);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut stream = Stream::new(bytes.as_slice(), Limits::METADATA);
            while !matches!(stream.next_token(), Ok(Token::End) | Err(_)) {}
        }
    }
}
