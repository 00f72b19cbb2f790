//! Owns the accessibility statement (décret n° 2019-768, RGAA 4.1). Must never claim a conformity that no audit found.

use super::Page;
use askama::Template;

/// `/accessibility`.
#[derive(Debug, Clone, Template)]
#[template(path = "accessibility.html")]
pub struct AccessibilityPage {
    /// What every page needs.
    pub page: Page,
    /// Who runs this Marelle and answers for it, for example an académie.
    pub operator: Option<String>,
    /// Where a person can write when something cannot be used: an e-mail address.
    pub contact_email: Option<String>,
}
