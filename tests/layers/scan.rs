//! Reads one Rust source as tokens and says what it mentions.
//!
//! Paths are found everywhere, also inside macro calls and attributes, and `use` trees are unfolded. The reading errs
//! on the side of seeing too much: a path counts whether or not the compiler would resolve it.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, Group, LexError, Spacing, TokenStream, TokenTree};

/// A path that the source names, its `self` and `super` resolved: ours begin with `crate`.
#[derive(Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    pub(crate) in_tests: bool,
}

/// What one source file says.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) mentions: Vec<Mention>,
    /// Modules it declares, inline or not: name and line.
    pub(crate) modules: Vec<(String, usize)>,
    /// Paths of the modules that exist for tests only and have a file of their own.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Lines of code that exist for tests only.
    pub(crate) test_lines: Vec<RangeInclusive<usize>>,
    /// Ways around the map: `include!` and `#[path]`, by line.
    pub(crate) detours: Vec<(&'static str, usize)>,
}

/// Reads `source`, the text of the module at `module` (a path from the crate root).
pub(crate) fn scan(module: &[String], source: &str) -> Result<Facts, LexError> {
    let mut scanner = Scanner {
        facts: Facts::default(),
    };
    let place = Place {
        module: module.to_vec(),
        in_tests: false,
    };
    scanner.walk(&tokens_of(source.parse()?), &place);
    Ok(scanner.facts)
}

#[derive(Clone)]
struct Place {
    module: Vec<String>,
    in_tests: bool,
}

struct Scanner {
    facts: Facts,
}

impl Scanner {
    fn walk(&mut self, tokens: &[TokenTree], place: &Place) {
        let mut place = place.clone();
        let mut rest = tokens;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            match first {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    rest = self.attribute(first, after, &mut place);
                }
                TokenTree::Group(group) => self.walk(&tokens_of(group.stream()), &place),
                TokenTree::Ident(_) => rest = self.word(first, after, &place),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// After `#`: the attribute is read like code, and what it says about tests is applied to what follows.
    fn attribute<'t>(
        &mut self,
        hash: &TokenTree,
        after: &'t [TokenTree],
        place: &mut Place,
    ) -> &'t [TokenTree] {
        let (inner, after) = match after.split_first() {
            Some((TokenTree::Punct(mark), after)) if mark.as_char() == '!' => (true, after),
            _ => (false, after),
        };
        let Some((TokenTree::Group(group), after)) = after.split_first() else {
            return after;
        };
        if word_at(&tokens_of(group.stream()), 0).as_deref() == Some("path") {
            self.facts.detours.push(("#[path]", line_of(hash)));
        }
        if !is_cfg_test(group) {
            self.walk(&tokens_of(group.stream()), place);
            return after;
        }
        if inner {
            place.in_tests = true;
            self.facts.test_lines.push(line_of(hash)..=usize::MAX);
            return after;
        }
        let (item, after) = after.split_at(item_length(after));
        let last = item.last().map_or(line_of(hash), last_line_of);
        self.facts.test_lines.push(line_of(hash)..=last);
        self.walk(
            item,
            &Place {
                in_tests: true,
                ..place.clone()
            },
        );
        after
    }

    fn word<'t>(&mut self, first: &TokenTree, after: &'t [TokenTree], place: &Place) -> &'t [TokenTree] {
        let word = first.to_string();
        match (word.as_str(), after.first()) {
            ("mod", Some(TokenTree::Ident(name))) => self.module(&plain(&name.to_string()), after, place),
            ("extern", Some(TokenTree::Ident(name))) if name == "crate" => {
                let path: Vec<String> = word_at(after, 1).into_iter().collect();
                self.mention(line_of(first), &path, place);
                after.get(2..).unwrap_or_default()
            }
            // `use<'a>` in a type is no import.
            ("use", Some(next)) if !is_punct(next, '<') => {
                let end = after
                    .iter()
                    .position(|token| is_punct(token, ';'))
                    .unwrap_or(after.len());
                let (tree, after) = after.split_at(end);
                self.use_tree(tree, &[], place);
                after
            }
            ("include", Some(next)) if is_punct(next, '!') => {
                self.facts.detours.push(("include!", line_of(first)));
                after
            }
            _ => {
                let mut path = vec![plain(&word)];
                let mut rest = after;
                while let (true, Some(segment)) = (is_path_separator(rest), word_at(rest, 2)) {
                    path.push(segment);
                    rest = rest.get(3..).unwrap_or_default();
                }
                if path.len() > 1 {
                    self.mention(line_of(first), &path, place);
                }
                rest
            }
        }
    }

    fn module<'t>(&mut self, name: &str, after: &'t [TokenTree], place: &Place) -> &'t [TokenTree] {
        let (head, rest) = after.split_at(1);
        self.facts
            .modules
            .push((name.to_owned(), head.first().map_or(0, line_of)));
        let mut inside = place.clone();
        inside.module.push(name.to_owned());
        match rest.split_first() {
            Some((TokenTree::Group(body), rest)) if body.delimiter() == Delimiter::Brace => {
                self.walk(&tokens_of(body.stream()), &inside);
                rest
            }
            _ => {
                if place.in_tests {
                    self.facts.test_modules.push(inside.module);
                }
                rest
            }
        }
    }

    /// Unfolds `a::{b, c::*, d as e}`; `tree` is what stands between `use` and `;`, or one such pair of braces.
    fn use_tree(&mut self, tree: &[TokenTree], prefix: &[String], place: &Place) {
        for branch in tree.split(|token| is_punct(token, ',')) {
            let mut path = prefix.to_vec();
            let mut line = branch.first().map_or(0, line_of);
            let mut leaf = true;
            for token in branch {
                match token {
                    TokenTree::Ident(word) if word == "as" => break,
                    TokenTree::Ident(word) => {
                        line = line_of(token);
                        path.push(plain(&word.to_string()));
                    }
                    TokenTree::Group(group) => {
                        leaf = false;
                        self.use_tree(&tokens_of(group.stream()), &path, place);
                    }
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
            }
            if leaf && !branch.is_empty() {
                self.mention(line, &path, place);
            }
        }
    }

    fn mention(&mut self, line: usize, path: &[String], place: &Place) {
        let path = resolve(path, &place.module);
        self.facts.mentions.push(Mention {
            line,
            path,
            in_tests: place.in_tests,
        });
    }
}

/// Makes a path absolute when it begins with `crate`, our own name, `self` or `super`.
fn resolve(path: &[String], module: &[String]) -> Vec<String> {
    let Some((first, rest)) = path.split_first() else {
        return Vec::new();
    };
    let (base, tail) = match first.as_str() {
        "crate" | "marelle" => (&[] as &[String], rest),
        "self" | "super" => {
            let ups = path
                .iter()
                .skip_while(|word| *word == "self")
                .take_while(|word| *word == "super")
                .count();
            let selves = path.iter().take_while(|word| *word == "self").count();
            let kept = module.len().saturating_sub(ups);
            (
                module.get(..kept).unwrap_or_default(),
                path.get(selves + ups..).unwrap_or_default(),
            )
        }
        _ => return path.to_vec(),
    };
    let mut absolute = vec!["crate".to_owned()];
    absolute.extend(base.iter().chain(tail).cloned());
    absolute
}

/// `cfg(test)`, alone or as a condition of `all`.
fn is_cfg_test(attribute: &Group) -> bool {
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// How many tokens the item, field or statement at the start of `tokens` has.
fn item_length(tokens: &[TokenTree]) -> usize {
    const TO_SEMICOLON: &[&str] = &["use", "const", "static", "type", "let"];
    const TO_BODY: &[&str] = &[
        "fn",
        "mod",
        "struct",
        "enum",
        "trait",
        "impl",
        "macro_rules",
        "extern",
        "async",
        "unsafe",
    ];
    let mut kind = None;
    for (index, token) in tokens.iter().enumerate() {
        let word = if let TokenTree::Ident(word) = token {
            word.to_string()
        } else {
            String::new()
        };
        if kind.is_none() && (TO_SEMICOLON.contains(&word.as_str()) || TO_BODY.contains(&word.as_str())) {
            kind = Some(TO_BODY.contains(&word.as_str()));
        }
        let body = matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let attribute = index > 0 && tokens.get(index - 1).is_some_and(|before| is_punct(before, '#'));
        let ends = match kind {
            Some(true) => body || is_punct(token, ';'),
            Some(false) => is_punct(token, ';'),
            None => !attribute && (body || is_punct(token, ';') || is_punct(token, ',')),
        };
        if ends {
            return index + 1;
        }
    }
    tokens.len()
}

fn tokens_of(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    let joined = matches!(tokens.first(), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint);
    joined && tokens.get(1).is_some_and(|token| is_punct(token, ':'))
}

fn word_at(tokens: &[TokenTree], index: usize) -> Option<String> {
    match tokens.get(index) {
        Some(TokenTree::Ident(word)) => Some(plain(&word.to_string())),
        _ => None,
    }
}

fn plain(word: &str) -> String {
    word.trim_start_matches("r#").to_owned()
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

fn last_line_of(token: &TokenTree) -> usize {
    match token {
        TokenTree::Group(group) => group.span_close().end().line,
        _ => token.span().end().line,
    }
}
