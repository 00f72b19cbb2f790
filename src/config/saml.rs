//! `[saml]`: what partners and federations are told of this identity provider in its metadata.

use serde::Deserialize;

use super::ConfigError;

/// What our metadata say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Saml {
    /// What the installation is called, in French. Default: its host.
    pub display_name: Option<String>,
    /// What it is called, in English.
    pub display_name_en: Option<String>,
    /// What it is, in French.
    pub description: Option<String>,
    /// What it is, in English.
    pub description_en: Option<String>,
    /// A page about it.
    pub information_url: Option<String>,
    /// Its picture, over https.
    pub logo_url: Option<String>,
    /// Its width in pixels. Default 80.
    pub logo_width: u32,
    /// Its height in pixels. Default 60.
    pub logo_height: u32,
    /// The domains that its scoped attributes end in: `ac-rennes.fr`.
    pub scopes: Vec<String>,
    /// Who runs it.
    pub organization: Option<String>,
    /// Their page.
    pub organization_url: Option<String>,
    /// The address of those who run it technically.
    pub technical_contact: Option<String>,
    /// The address of those who help people.
    pub support_contact: Option<String>,
    /// Whether partners are asked to sign their requests. Default false.
    pub want_signed_requests: bool,
    /// How many days our metadata hold. Default 14.
    pub metadata_days: u32,
}

impl Default for Saml {
    fn default() -> Self {
        Self {
            display_name: None,
            display_name_en: None,
            description: None,
            description_en: None,
            information_url: None,
            logo_url: None,
            logo_width: 80,
            logo_height: 60,
            scopes: Vec::new(),
            organization: None,
            organization_url: None,
            technical_contact: None,
            support_contact: None,
            want_signed_requests: false,
            metadata_days: 14,
        }
    }
}

impl Saml {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |key, message: &str| Err(ConfigError::value("saml", key, message));
        let pages = [
            ("information_url", &self.information_url),
            ("logo_url", &self.logo_url),
            ("organization_url", &self.organization_url),
        ];
        for (key, page) in pages {
            if page
                .as_ref()
                .is_some_and(|page| crate::base::url::origin(page).is_none())
            {
                return wrong(key, "expected an http(s) address");
            }
        }
        for (key, address) in [
            ("technical_contact", &self.technical_contact),
            ("support_contact", &self.support_contact),
        ] {
            let is_address = |text: &String| text.contains('@') && !text.contains([' ', ':']);
            if address.as_ref().is_some_and(|text| !is_address(text)) {
                return wrong(key, "expected an address of mail, without mailto:");
            }
        }
        let is_domain = |scope: &String| {
            scope.contains('.')
                && scope
                    .chars()
                    .all(|symbol| symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '.'))
        };
        if !self.scopes.iter().all(is_domain) {
            return wrong("scopes", "expected domains like ac-rennes.fr");
        }
        if !(2..=366).contains(&self.metadata_days) {
            return wrong("metadata_days", "expected 2 to 366");
        }
        Ok(())
    }
}
