//! Owns the page that carries an answer to a service by a form (OAuth 2.0 Form Post Response Mode). With scripts it is gone
//! before it is read; without, it is one button.

use super::{Hidden, Page};
use askama::Template;

/// On the way to a service.
#[derive(Debug, Clone, Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage {
    /// What every page needs.
    pub page: Page,
    /// The redirect address of the service.
    pub action: String,
    /// The answer.
    pub fields: Vec<Hidden>,
}
