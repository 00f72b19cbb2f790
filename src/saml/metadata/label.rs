//! Words for people out of metadata: short, on one line.

use crate::saml::xml::{Namespace, Node};

/// The most characters of a name.
const LONGEST: usize = 200;

/// A text made short and of one line.
pub(super) fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|symbol| !symbol.is_control())
        .collect();
    line.chars().take(LONGEST).collect()
}

/// What the first element of that name in a language says; in any language for `None`.
pub(super) fn in_language<'d>(
    parent: Node<'d>,
    namespace: Namespace,
    name: &str,
    language: Option<&str>,
) -> Option<&'d str> {
    let speaks = |node: &Node<'_>| {
        let said = node.attribute_in(Namespace::Xml, "lang").unwrap_or_default();
        language.is_none_or(|wanted| {
            let said = said.split('-').next().unwrap_or_default();
            said.eq_ignore_ascii_case(wanted)
        })
    };
    let found = parent.children_named(namespace, name).find(speaks)?;
    found.text().filter(|text| !text.trim().is_empty())
}
