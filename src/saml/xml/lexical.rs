//! The smallest parts of XML 1.0: characters, names, the inside of a tag, references. Stricter than the tokenizer, which
//! takes much for granted.

use super::Flaw;

/// White space (xml §2.3).
pub(super) const fn is_space(symbol: char) -> bool {
    matches!(symbol, ' ' | '\t' | '\r' | '\n')
}

/// `Char` (xml §2.2).
pub(super) const fn is_char(symbol: char) -> bool {
    matches!(symbol, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// `NCName` (xml-names §3): a `Name` of xml §2.3 without colon.
pub(super) fn is_ncname(name: &str) -> bool {
    let mut symbols = name.chars();
    symbols.next().is_some_and(begins_name) && symbols.all(continues_name)
}

const fn begins_name(symbol: char) -> bool {
    matches!(symbol,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

const fn continues_name(symbol: char) -> bool {
    begins_name(symbol)
        || matches!(symbol,
            '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Prefix (empty where there is none) and local name of a `QName` (xml-names §4).
pub(super) fn qname(name: &str) -> Result<(&str, &str), Flaw> {
    let (prefix, local) = match name.split_once(':') {
        None => ("", name),
        Some(("", _)) => return Err(Flaw::Name),
        Some(parts) => parts,
    };
    let sound = is_ncname(local) && (prefix.is_empty() || is_ncname(prefix));
    sound.then_some((prefix, local)).ok_or(Flaw::Name)
}

/// The attributes of a tag as they are written, in their order: `content` is what follows the tag's name.
///
/// `STag ::= '<' Name (S Attribute)* S? '>'`, `Attribute ::= Name S? '=' S? AttValue` (xml §3.1).
pub(super) fn attributes(content: &str, most: usize) -> Result<Vec<(&str, &str)>, Flaw> {
    let mut found = Vec::new();
    let mut rest = content;
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return Ok(found);
        }
        if trimmed.len() == rest.len() {
            return Err(Flaw::IllFormed);
        }
        if found.len() == most {
            return Err(Flaw::TooManyAttributes);
        }
        let (name, after) = trimmed.split_once('=').ok_or(Flaw::IllFormed)?;
        let after = after.trim_start_matches(is_space);
        let quote = after
            .chars()
            .next()
            .filter(|symbol| matches!(symbol, '"' | '\''))
            .ok_or(Flaw::IllFormed)?;
        let (value, after) = after
            .get(1..)
            .and_then(|inside| inside.split_once(quote))
            .ok_or(Flaw::IllFormed)?;
        found.push((name.trim_end_matches(is_space), value));
        rest = after;
    }
}

/// The character that a reference stands for: one of the five predefined entities or a number (xml §4.1, §4.6).
pub(super) fn reference(name: &str) -> Result<char, Flaw> {
    let number = |digits: &str, radix| {
        let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let code = all_digits
            .then(|| u32::from_str_radix(digits, radix).ok())
            .flatten();
        let symbol = code.and_then(char::from_u32).filter(|symbol| is_char(*symbol));
        symbol.ok_or(Flaw::Character)
    };
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(digits), _) => number(digits, 16),
            (None, Some(digits)) => number(digits, 10),
            (None, None) => Err(Flaw::Entity),
        },
    }
}

/// What most text is made of, and stands for itself.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Appends text that holds no reference, its line ends made one (xml §2.11).
pub(super) fn text(raw: &str, out: &mut String) -> Result<(), Flaw> {
    if raw.bytes().all(|byte| is_plain(byte) || byte == b'\n') {
        out.push_str(raw);
        return Ok(());
    }
    let mut symbols = raw.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\r' => {
                if symbols.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            symbol if is_char(symbol) => out.push(symbol),
            _ => return Err(Flaw::Character),
        }
    }
    Ok(())
}

/// Appends the value of an attribute: references resolved, each line end and tabulation one space (xml §3.3.3).
pub(super) fn attribute_value(raw: &str, out: &mut String) -> Result<(), Flaw> {
    if raw
        .bytes()
        .all(|byte| is_plain(byte) && !matches!(byte, b'&' | b'<'))
    {
        out.push_str(raw);
        return Ok(());
    }
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        literal(before, out)?;
        let (name, after) = after.split_once(';').ok_or(Flaw::IllFormed)?;
        out.push(reference(name)?);
        rest = after;
    }
    literal(rest, out)
}

fn literal(raw: &str, out: &mut String) -> Result<(), Flaw> {
    let mut symbols = raw.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '<' => return Err(Flaw::IllFormed),
            // A line end of two characters is one (xml §2.11).
            '\r' if symbols.peek() == Some(&'\n') => {}
            symbol if is_space(symbol) => out.push(' '),
            symbol if is_char(symbol) => out.push(symbol),
            _ => return Err(Flaw::Character),
        }
    }
    Ok(())
}
