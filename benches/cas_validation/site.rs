//! A house with one service that speaks CAS, and what a user and the service do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use marelle::base::url::{query, with_parameters};
use marelle::domain::relying_party::{CasPreset, CasService, RelyingParty};

use super::house::{self, Browser, House, parameter};

const SERVICE: &str = "https://notes.example/app/6e?tab=1";
/// How many tickets a user has for each second of a round: more than are validated in it by several, and about as many as by one.
const STOCK: u64 = 400;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// One row inserted and committed.
    Commit,
    /// A route of the site that asks nobody.
    Health,
    /// The service shows a ticket, and is told who it is and fifteen attributes.
    Validate,
    /// The same at `/cas/validate`: whether, and who.
    ValidateCas1,
    /// A browser that is signed in gets a ticket.
    Ticket,
    /// Both: all that a login at one more service costs.
    Login,
}

impl Work {
    /// Everything, the bare commit first: the others are held against it.
    pub(super) const ALL: [Self; 6] = [
        Self::Commit,
        Self::Health,
        Self::Validate,
        Self::ValidateCas1,
        Self::Ticket,
        Self::Login,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Commit => "bare commit",
            Self::Health => "`GET /health/live`",
            Self::Validate => "`/cas/p3/serviceValidate`",
            Self::ValidateCas1 => "`/cas/validate`",
            Self::Ticket => "`/cas/login`, warm session",
            Self::Login => "`/cas/login` and `/cas/p3/serviceValidate`",
        }
    }

    /// How many durable commits it makes.
    pub(super) fn commits(self) -> u32 {
        match self {
            Self::Health => 0,
            Self::Commit | Self::Validate | Self::ValidateCas1 | Self::Ticket => 1,
            Self::Login => 2,
        }
    }

    fn uses_stock(self) -> bool {
        matches!(self, Self::Validate | Self::ValidateCas1)
    }
}

/// The site.
pub(super) struct Site {
    house: House,
    stock: u64,
}

impl Site {
    pub(super) async fn new(folder: &Path, url: Option<&str>, length: Duration) -> Result<Arc<Self>> {
        let notes = RelyingParty {
            cas: Some(CasService {
                services: vec!["https://notes.example/app".into()],
                preset: CasPreset::Cas3,
                ..CasService::default()
            }),
            ..house::party("notes")?
        };
        Ok(Arc::new(Self {
            house: House::new(folder, url, &[notes]).await?,
            stock: STOCK * length.as_secs().max(1),
        }))
    }

    /// What the engine promises of a commit.
    pub(super) async fn durability(&self) -> Result<String> {
        self.house.durability().await
    }

    pub(super) async fn close(&self) {
        self.house.close().await;
    }

    /// A user who is where the work begins.
    pub(super) async fn user(&self, number: usize, work: Work) -> Result<User> {
        let mut user = User {
            username: self.house.username(number)?.to_owned(),
            browser: Browser::default(),
            tickets: work.uses_stock().then(Vec::new),
        };
        if !matches!(work, Work::Commit | Work::Health) {
            user.browser.sign_in(&self.house, &user.username, &[]).await?;
        }
        if let Some(mut tickets) = user.tickets.take() {
            for _ in 0..self.stock {
                tickets.push(user.ticket(self).await?);
            }
            user.tickets = Some(tickets);
        }
        Ok(user)
    }

    /// The service shows a ticket; it must be good.
    async fn show(&self, path: &str, ticket: &str) -> Result<()> {
        let query = query([("service", SERVICE), ("ticket", ticket)]);
        let request = Request::get(format!("{path}?{query}")).body(Body::empty())?;
        let (_, body) = self.house.send(request, StatusCode::OK).await?;
        let body = String::from_utf8_lossy(&body);
        let is_good = body.contains("<cas:user>") || body.starts_with("yes\n");
        ensure!(is_good, "refused: {body}");
        Ok(())
    }
}

/// Somebody with a browser, and what the service holds of them.
pub(super) struct User {
    username: String,
    browser: Browser,
    /// Tickets that were not shown yet, where the work needs them.
    tickets: Option<Vec<String>>,
}

impl User {
    /// Whether there is anything left to do the work with.
    pub(super) fn has_more(&self) -> bool {
        self.tickets.as_ref().is_none_or(|tickets| !tickets.is_empty())
    }

    /// Does the work once.
    pub(super) async fn once(&mut self, site: &Site, work: Work) -> Result<()> {
        match work {
            Work::Commit => site.house.commit(&self.username).await,
            Work::Health => site.house.health().await,
            Work::Validate => site.show("/cas/p3/serviceValidate", &self.taken()?).await,
            Work::ValidateCas1 => site.show("/cas/validate", &self.taken()?).await,
            Work::Ticket => self.ticket(site).await.map(drop),
            Work::Login => {
                let ticket = self.ticket(site).await?;
                site.show("/cas/p3/serviceValidate", &ticket).await
            }
        }
    }

    fn taken(&mut self) -> Result<String> {
        let tickets = self.tickets.as_mut().context("no stock")?;
        tickets.pop().context("the stock is used up")
    }

    /// A ticket for the service.
    async fn ticket(&self, site: &Site) -> Result<String> {
        let address = with_parameters("/cas/login", [("service", SERVICE)]);
        parameter(&self.browser.get(&site.house, &address).await?, "ticket")
    }
}
