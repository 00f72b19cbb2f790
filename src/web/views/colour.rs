//! Owns colours and their contrast, as WCAG 2.1 defines it ("relative luminance", "contrast ratio"). Must never hold
//! anything but a plain sRGB colour: it is written into a style sheet.

use std::fmt;
use std::str::FromStr;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The text is no colour of the form `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written #rrggbb, for example #c2402f")]
pub struct InvalidColour;

impl Colour {
    /// White.
    pub const WHITE: Self = Self::rgb(0xff, 0xff, 0xff);
    /// The brick red of Marelle.
    pub const MARELLE: Self = Self::rgb(0xc2, 0x40, 0x2f);

    /// A colour from its three parts.
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// The contrast ratio with another colour, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour with the given share (0 to 1) of another one.
    pub fn mixed_with(self, other: Self, share: f64) -> Self {
        let part = |a: u8, b: u8| {
            let mixed = f64::from(a) * (1.0 - share) + f64::from(b) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a mean of bytes is a byte"
            )]
            let byte = mixed.round() as u8;
            byte
        };
        Self::rgb(
            part(self.red, other.red),
            part(self.green, other.green),
            part(self.blue, other.blue),
        )
    }

    /// This colour, or the least darkened one that reaches `ratio` on `ground`.
    pub fn darkened_to_contrast(self, ground: Self, ratio: f64) -> Self {
        let black = Self::rgb(0, 0, 0);
        (0..=50)
            .map(|step| self.mixed_with(black, f64::from(step) / 50.0))
            .find(|colour| colour.contrast(ground) >= ratio)
            .unwrap_or(black)
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').ok_or(InvalidColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16)
            .map_err(|_| InvalidColour)?
            .to_be_bytes();
        Ok(Self::rgb(red, green, blue))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_the_one_of_wcag() {
        assert!((Colour::WHITE.contrast(Colour::rgb(0, 0, 0)) - 21.0).abs() < 1e-9);
        let grey: Colour = "#767676".parse().unwrap();
        assert!((4.54..4.55).contains(&grey.contrast(Colour::WHITE)));
    }

    #[test]
    fn only_six_hexadecimal_digits_are_a_colour() {
        assert_eq!("#C2402f".parse::<Colour>().unwrap().to_string(), "#c2402f");
        for wrong in [
            "",
            "red",
            "#fff",
            "#12345g",
            "#+12345",
            "#1234567",
            "#000000}body{",
            "é#0000",
        ] {
            assert_eq!(wrong.parse::<Colour>(), Err(InvalidColour), "{wrong}");
        }
    }

    #[test]
    fn darkening_stops_as_soon_as_the_contrast_is_there() {
        let dark = Colour::rgb(0x20, 0x20, 0x60);
        assert_eq!(dark.darkened_to_contrast(Colour::WHITE, 4.5), dark);
        let yellow = Colour::rgb(0xff, 0xe0, 0x00).darkened_to_contrast(Colour::WHITE, 4.5);
        assert!((4.5..5.0).contains(&yellow.contrast(Colour::WHITE)));
    }
}
