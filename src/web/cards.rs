//! The page of cards to print, whole in one file: it is opened from a disk, where nothing of ours is beside it.
//!
//! Must never be served: it shows picture codes.

use std::sync::Arc;

use data_encoding::BASE64;

use super::assets;
use super::views::{self, Brand, Card, CardsPage, Lang, Page, Picture, RenderError};
use crate::flows::classroom::Cards;

/// The page of a class's cards.
///
/// # Errors
/// [`RenderError`] where the template fails.
pub fn printable(public_url: &str, made: &Cards) -> Result<String, RenderError> {
    let brand = Arc::new(Brand::default());
    let view = CardsPage {
        page: Page::new(Arc::clone(&brand), Lang::Fr),
        class_label: made.named.class.label.clone(),
        school: made.named.school_name.clone(),
        address: format!("{public_url}/class"),
        class_code: made.code.printed(),
        cards: made.cards.iter().map(card).collect(),
    };
    let html = views::render(&view)?;
    let style = data_url("text/css; charset=utf-8", brand.css().as_bytes());
    Ok(inlined(&html.replace(brand.css_url(), &style)))
}

fn card(card: &crate::flows::classroom::Card) -> Card {
    Card {
        first_name: card.first_name.clone(),
        avatar: super::avatar_id(card.avatar),
        pictures: card
            .code
            .expose()
            .iter()
            .filter_map(|picture| Picture::by_id(picture.id()))
            .collect(),
    }
}

/// The text with every address of an asset replaced by the asset itself.
fn inlined(html: &str) -> String {
    let mut out = String::with_capacity(html.len() * 4);
    let mut rest = html;
    while let Some(at) = rest.find(assets::PREFIX) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find(['"', '\'', ')', ' ']).unwrap_or(from.len());
        let (address, after) = from.split_at(end);
        match assets::find(address) {
            Some(found) => out.push_str(&embedded(found.asset)),
            None => out.push_str(address),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// An asset as a data URL; the fonts a style sheet names go with it.
fn embedded(asset: &assets::Asset) -> String {
    if asset.content_type.starts_with("text/css")
        && let Ok(css) = std::str::from_utf8(asset.bytes)
    {
        let mut css = css.to_owned();
        for part in assets::ASSETS.iter().filter(|part| !part.name.ends_with(".css")) {
            for quoted in [format!("url(\"{}\")", part.name), format!("url({})", part.name)] {
                if css.contains(&quoted) {
                    let url = format!("url(\"{}\")", data_url(part.content_type, part.bytes));
                    css = css.replace(&quoted, &url);
                }
            }
        }
        return data_url(asset.content_type, css.as_bytes());
    }
    data_url(asset.content_type, asset.bytes)
}

fn data_url(content_type: &str, bytes: &[u8]) -> String {
    format!(
        "data:{};base64,{}",
        content_type.replace(' ', ""),
        BASE64.encode(bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::Actor;
    use crate::flows::classroom::{self, NewCodes};
    use crate::flows::sign_in::testing::classroom;
    use crate::flows::testing::context_on_sqlite;
    use crate::login::picture;

    #[tokio::test]
    async fn the_page_needs_nothing_beside_it_and_shows_each_code() {
        let (context, _clock, _folder) = context_on_sqlite().await;
        let room = classroom(context.db, 2).await;
        let made = classroom::cards(&room.context, room.class, NewCodes::All, &Actor::Operator)
            .await
            .unwrap()
            .unwrap();
        let html = printable("https://id.example.fr", &made).unwrap();
        for outside in [
            assets::PREFIX,
            Brand::CSS_PREFIX,
            "src=\"/",
            "url(fonts",
            "url(\"fonts",
        ] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(html.contains(&room.code.printed()) && html.contains("https://id.example.fr/class"));
        let words: usize = picture::PICTURES
            .iter()
            .map(|id| {
                let word = Picture::by_id(id).unwrap().word(Lang::Fr);
                html.matches(&format!("<span>{word}</span>")).count()
            })
            .sum();
        assert_eq!(words, 2 * picture::LENGTH);
    }

    #[test]
    fn every_picture_and_avatar_of_the_login_is_drawn() {
        assert!(picture::PICTURES.iter().all(|id| Picture::by_id(id).is_some()));
        assert_eq!(views::AVATARS.len(), crate::login::class_list::AVATARS);
    }
}
