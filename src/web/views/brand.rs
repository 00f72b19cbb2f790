//! Owns how a project dresses Marelle: its name, its colour, its logo. Must never let a colour make a page unreadable
//! (WCAG 2.1 §1.4.3): what carries text is darkened until it contrasts. Served as a style sheet of its own, because
//! the content security policy refuses inline style.

use super::colour::Colour;
use crate::web::assets;

/// The name, colour and logo that a project gives to its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    name: String,
    logo_url: String,
    css: String,
    css_url: String,
}

impl Brand {
    /// Where the generated style sheets live; a handler is mounted here.
    pub const CSS_PREFIX: &'static str = "/brand/";

    /// `logo_url` is an address of this very server; without one the hopscotch of Marelle is shown.
    pub fn new(name: impl Into<String>, accent: Colour, logo_url: Option<String>) -> Self {
        let css = stylesheet(accent);
        let hash = assets::fnv1a(assets::FNV_OFFSET, css.as_bytes());
        Self {
            name: name.into(),
            logo_url: logo_url.unwrap_or_else(|| assets::url("logo.svg")),
            css_url: format!("{}{hash:016x}.css", Self::CSS_PREFIX),
            css,
        }
    }

    /// The name that people read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the logo.
    pub fn logo_url(&self) -> &str {
        &self.logo_url
    }

    /// The style sheet to serve at [`Brand::css_url`], as `text/css`; it can be cached for ever.
    pub fn css(&self) -> &str {
        &self.css
    }

    /// The address of the style sheet: it changes with the content.
    pub fn css_url(&self) -> &str {
        &self.css_url
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self::new("Marelle", Colour::MARELLE, None)
    }
}

/// The paper of the pages, as in `style.css`: the darkest ground that coloured text stands on.
const PAPER: Colour = Colour::rgb(0xff, 0xf8, 0xec);

fn stylesheet(accent: Colour) -> String {
    let strong = accent.darkened_to_contrast(PAPER, 4.6);
    let deep = accent.darkened_to_contrast(PAPER, 8.0);
    let soft = accent.mixed_with(Colour::WHITE, 0.86);
    format!(":root{{--accent:{accent};--accent-strong:{strong};--accent-deep:{deep};--accent-soft:{soft}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pale_colour_is_darkened_where_it_carries_text() {
        let css = stylesheet("#ffe600".parse().unwrap());
        assert!(css.contains("--accent:#ffe600"));
        let strong: Colour = css.split("--accent-strong:").nth(1).unwrap()[..7]
            .parse()
            .unwrap();
        assert!(strong.contrast(PAPER) >= 4.5 && strong.contrast(Colour::WHITE) >= 4.5);
    }

    #[test]
    fn the_address_follows_the_content() {
        let green = Brand::new("A", Colour::rgb(0, 100, 0), None);
        assert_ne!(green.css_url(), Brand::default().css_url());
        assert_eq!(
            green.css_url(),
            Brand::new("B", Colour::rgb(0, 100, 0), None).css_url()
        );
    }

    #[test]
    fn the_own_colour_of_marelle_is_the_one_of_the_style_sheet() {
        let sheet = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/static/style.css"));
        let own = Brand::default();
        for token in own
            .css()
            .trim_start_matches(":root{")
            .trim_end_matches("}\n")
            .split(';')
        {
            let (name, value) = token.split_once(':').unwrap();
            assert!(
                sheet.contains(&format!("{name}: {value};")),
                "{name} should be {value}"
            );
        }
    }
}
