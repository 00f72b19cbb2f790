//! The elements of `ficAlimMENESR.dtd`, of both degrees. Must never know what an attribute means.

use quick_xml::events::BytesStart;

use crate::roster::xml::Grammar;

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
    /// A `modification` that asks for anything but `replace`.
    OtherOperation,
    /// `value`.
    Value,
    /// Anything else.
    Foreign,
}

/// Names of `attr` elements that are read; every other is passed over unkept.
#[derive(Clone, Copy, Debug)]
pub(super) struct AafGrammar(pub(super) &'static [&'static [&'static str]]);

impl Grammar for AafGrammar {
    type Element = Element;

    fn element(&mut self, start: &BytesStart<'_>) -> Result<Element, &'static str> {
        Ok(match start.name().as_ref() {
            "value" => Element::Value,
            "attr" => Element::Attr(self.name(start)?),
            "modification" => {
                let operation = start
                    .try_get_attribute("operation")
                    .map_err(|_| "balise mal formée")?;
                match operation {
                    Some(operation) if operation.value.trim() != "replace" => Element::OtherOperation,
                    _ => Element::Attr(self.name(start)?),
                }
            }
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

    fn is_root(&self, element: Element) -> bool {
        element == Element::Root
    }

    fn wrong_root(&self) -> &'static str {
        "ce n'est pas un fichier AAF : une racine <ficAlimMENESR> est attendue"
    }

    fn root_name(&self) -> &'static str {
        "ficAlimMENESR"
    }
}

impl AafGrammar {
    fn name(self, start: &BytesStart<'_>) -> Result<Option<&'static str>, &'static str> {
        let attribute = start
            .try_get_attribute("name")
            .map_err(|_| "balise mal formée")?
            .ok_or("<attr> sans attribut « name »")?;
        if attribute.value.contains('&') {
            return Err("entité dans un nom d'attribut");
        }
        let name = attribute.value.trim();
        let mut known = self.0.iter().copied().flatten();
        Ok(known.find(|known| **known == name).copied())
    }
}
