//! Owns the static files that pages load: they are compiled in, so that every node has them and no page needs
//! another host. Must never read the disk, and must never serve anything that is not in the list below.
//!
//! An address is `/static/<hash>/<name>`, where the hash covers all files together: relative addresses inside the
//! style sheet then stay in the same version, and an answer can be cached for ever.

/// Where the files live; a handler is mounted here.
pub const PREFIX: &str = "/static/";

/// One file that a page may load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// The name inside the static folder, for example `pictures/cat.svg`.
    pub name: &'static str,
    /// The media type to declare.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

/// What [`find`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub asset: &'static Asset,
    /// Whether the address names this very version: if so the answer may be cached for ever. An address of another
    /// version (a page made by a node of the former release) still gets the file, but must not be cached.
    pub immutable: bool,
}

macro_rules! assets {
    ($($content_type:literal: $($name:literal)+;)+) => {
        &[$($(Asset {
            name: $name,
            content_type: $content_type,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/static/", $name)),
        },)+)+]
    };
}

/// Every file that is served.
pub const ASSETS: &[Asset] = assets! {
    "text/css; charset=utf-8": "style.css" "cards.css" "demo.css";
    "text/javascript; charset=utf-8": "marelle.js";
    "font/woff2": "fonts/andika-400.woff2" "fonts/andika-700.woff2" "fonts/fredoka.woff2";
    "text/plain; charset=utf-8": "NOTICE.md" "fonts/OFL-Andika.txt" "fonts/OFL-Fredoka.txt";
    "image/svg+xml": "logo.svg" "playground.svg" "squares.svg"
        "signs/buoy.svg" "signs/compass.svg" "signs/hourglass.svg" "signs/lock.svg" "signs/school.svg"
        "signs/smile.svg" "signs/sparkles.svg" "signs/wave.svg"
        "pictures/apple.svg" "pictures/balloon.svg" "pictures/banana.svg" "pictures/bicycle.svg"
        "pictures/boat.svg" "pictures/car.svg" "pictures/cat.svg" "pictures/dog.svg" "pictures/fish.svg"
        "pictures/flower.svg" "pictures/house.svg" "pictures/moon.svg" "pictures/star.svg" "pictures/sun.svg"
        "pictures/tree.svg" "pictures/umbrella.svg"
        "avatars/bear.svg" "avatars/bee.svg" "avatars/butterfly.svg" "avatars/chick.svg" "avatars/crab.svg"
        "avatars/deer.svg" "avatars/dinosaur.svg" "avatars/dolphin.svg" "avatars/dragon.svg" "avatars/duck.svg"
        "avatars/flamingo.svg" "avatars/fox.svg" "avatars/frog.svg" "avatars/giraffe.svg" "avatars/hamster.svg"
        "avatars/hedgehog.svg" "avatars/horse.svg" "avatars/kangaroo.svg" "avatars/koala.svg"
        "avatars/ladybird.svg" "avatars/lion.svg" "avatars/mouse.svg" "avatars/octopus.svg" "avatars/otter.svg"
        "avatars/owl.svg" "avatars/panda.svg" "avatars/parrot.svg" "avatars/penguin.svg" "avatars/rabbit.svg"
        "avatars/raccoon.svg" "avatars/squirrel.svg" "avatars/tiger.svg" "avatars/turtle.svg"
        "avatars/unicorn.svg" "avatars/wolf.svg" "avatars/zebra.svg";
};

const VERSION: u64 = version(ASSETS);

/// FNV-1a: the hash tells versions apart, it protects nothing.
pub(super) const fn fnv1a(mut hash: u64, mut bytes: &[u8]) -> u64 {
    while let Some((first, rest)) = bytes.split_first() {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        bytes = rest;
    }
    hash
}

/// Where every FNV-1a hash of 64 bits begins.
pub(super) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

const fn version(mut assets: &[Asset]) -> u64 {
    let mut hash = FNV_OFFSET;
    while let Some((asset, rest)) = assets.split_first() {
        hash = fnv1a(fnv1a(hash, asset.name.as_bytes()), asset.bytes);
        assets = rest;
    }
    hash
}

/// The address to write in a page for the file called `name`.
pub fn url(name: &str) -> String {
    format!("{PREFIX}{VERSION:016x}/{name}")
}

/// The file at an address that begins with [`PREFIX`].
pub fn find(path: &str) -> Option<Found> {
    let (version, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let asset = ASSETS.iter().find(|asset| asset.name == name)?;
    Some(Found {
        asset,
        immutable: version == format!("{VERSION:016x}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_address_leads_back_to_its_file() {
        for asset in ASSETS {
            let found = find(&url(asset.name)).unwrap();
            assert_eq!((found.asset, found.immutable), (asset, true));
            assert!(!found.asset.bytes.is_empty());
        }
    }

    #[test]
    fn another_version_is_served_but_never_cached() {
        assert!(!find("/static/0000000000000000/style.css").unwrap().immutable);
    }

    #[test]
    fn nothing_else_is_served() {
        for path in [
            "/static/0/../Cargo.toml",
            "/static/0/none.svg",
            "/static/style.css",
            "/style.css",
            "/static/",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn the_list_holds_every_file_of_the_folder_once() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/static"));
        let mut on_disk = BTreeSet::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    on_disk.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let listed: BTreeSet<String> = ASSETS.iter().map(|asset| asset.name.to_owned()).collect();
        assert_eq!(listed.len(), ASSETS.len());
        assert_eq!(listed, on_disk);
    }

    #[test]
    fn no_file_asks_another_host_for_anything() {
        for asset in ASSETS
            .iter()
            .filter(|a| a.content_type.starts_with("image") || a.name.ends_with("css"))
        {
            let text = std::str::from_utf8(asset.bytes)
                .unwrap()
                .replace("http://www.w3.org/", "");
            assert!(
                !text.contains("http:") && !text.contains("https:"),
                "{}",
                asset.name
            );
            assert!(
                !text.contains("<script") && !text.contains("@import"),
                "{}",
                asset.name
            );
        }
    }
}
