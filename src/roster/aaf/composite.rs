//! Values that hold several: fields joined by `$`, and text escaped once more than XML asks.

use std::borrow::Cow;

/// Takes one layer of the five predefined entities off: exports write `D&amp;apos;HÉRIN`, which XML reads as
/// `D&apos;HÉRIN`. Others stay as they are.
pub(super) fn unescape_again(value: &str) -> Cow<'_, str> {
    const ENTITIES: [(&str, char); 5] = [
        ("&amp;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&apos;", '\''),
        ("&quot;", '"'),
    ];
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let known = ENTITIES
            .iter()
            .find_map(|(text, symbol)| entity.strip_prefix(text).map(|after| (after, *symbol)));
        rest = match known {
            Some((after, symbol)) => {
                out.push(symbol);
                after
            }
            None => {
                out.push('&');
                entity.strip_prefix('&').unwrap_or_default()
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `structure$label` (`ENTEleveClasses`, `ENTEleveGroupes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClassValue<'a> {
    /// The structure's key.
    pub(super) structure: &'a str,
    /// The label of the class, all that names it in the second degree.
    pub(super) label: &'a str,
}

impl<'a> ClassValue<'a> {
    /// Both fields; `None` where one is missing.
    pub(super) fn parse(value: &'a str) -> Option<Self> {
        let (structure, label) = value.split_once('$')?;
        let class = Self {
            structure: structure.trim(),
            label: label.trim(),
        };
        (!class.structure.is_empty() && !class.label.is_empty()).then_some(class)
    }
}

/// Structure, key and label of a class of the first degree: `structure$·$·$identifiant$libellé` (`ENTPersonClasses`).
pub(super) fn first_degree_class(value: &str) -> Option<(&str, &str, &str)> {
    let mut fields = value.splitn(5, '$').map(str::trim);
    let (structure, key, label) = (fields.next()?, fields.nth(2)?, fields.next()?);
    let label = if label.is_empty() { key } else { label };
    (!structure.is_empty() && !key.is_empty()).then_some((structure, key, label))
}

/// The label of `code$libellé` (`ENTEleveNiveau`); where there is no label, the code.
pub(super) fn label_of_level(value: &str) -> &str {
    match value.split_once('$') {
        Some((code, label)) if label.trim().is_empty() => code,
        Some((_, label)) => label,
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_of_the_predefined_entities_comes_off() {
        assert_eq!(unescape_again("D&apos;HÉRIN"), "D'HÉRIN");
        assert_eq!(unescape_again("A &amp; B&quot;&lt;&gt;"), "A & B\"<>");
        assert_eq!(unescape_again("&amp;apos;"), "&apos;", "one layer");
        assert_eq!(unescape_again("R&D &eacute;&"), "R&D &eacute;&");
        assert!(matches!(unescape_again("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_class_is_a_structure_and_a_label() {
        assert_eq!(
            ClassValue::parse("52006$6EME A"),
            Some(ClassValue {
                structure: "52006",
                label: "6EME A"
            })
        );
        assert_eq!(ClassValue::parse("52006$6$A").unwrap().label, "6$A");
        for wrong in ["", "52006", "$6EME A", "52006$ "] {
            assert_eq!(ClassValue::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_class_of_the_first_degree_has_five_fields() {
        assert_eq!(
            first_degree_class("7000$X$X$88001$CE2 Mme Tournier"),
            Some(("7000", "88001", "CE2 Mme Tournier"))
        );
        assert_eq!(first_degree_class("7000$$$88001$").unwrap().2, "88001");
        assert_eq!(first_degree_class("7000$$$8$a$b").unwrap().2, "a$b");
        for wrong in ["7000$CE2", "7000$X$X$$CE2", "$X$X$8$CE2", ""] {
            assert_eq!(first_degree_class(wrong), None, "{wrong}");
        }
        assert_eq!(label_of_level("1115$CE2"), "CE2");
        assert_eq!(label_of_level("1115$"), "1115");
        assert_eq!(label_of_level("CE2"), "CE2");
    }
}
