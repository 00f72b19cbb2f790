//! The browser of a pupil who signs in by password: it keeps cookies, follows redirections, fills in the login form where
//! it meets one, goes on where it is told what a service will know, and stops where it is sent to another site.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::base::url;
use crate::web::oauth::tests::site::{ISSUER, Reply, Site};

pub(super) const USERNAME: &str = "maddi.legoff";
pub(super) const PASSWORD: &str = "le chat dort à midi";

/// More redirections than any page of ours needs.
const MOST_STEPS: usize = 8;

/// How parameters come to another site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// In the query of an address.
    Query,
    /// In a form that was posted.
    FormPost,
}

/// What another site gets from the browser.
#[derive(Debug)]
pub(super) struct Callback {
    /// The address without its query.
    pub(super) address: String,
    /// The query of the address, where the parameters came in a form.
    pub(super) query: Vec<(String, String)>,
    /// What came.
    pub(super) parameters: Vec<(String, String)>,
    /// How it came.
    pub(super) delivery: Delivery,
}

impl Callback {
    fn of(address: &str, form: Option<Vec<(String, String)>>) -> Self {
        let (address, query) = address.split_once('?').unwrap_or((address, ""));
        let query = url::parameters(query);
        let delivery = if form.is_some() {
            Delivery::FormPost
        } else {
            Delivery::Query
        };
        Self {
            address: address.to_owned(),
            parameters: form.unwrap_or_else(|| query.clone()),
            query: if delivery == Delivery::FormPost {
                query
            } else {
                Vec::new()
            },
            delivery,
        }
    }

    /// A parameter, which comes once or not at all.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(other, _)| other == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert_eq!(found.next(), None, "{name} came twice: {self:?}");
        value
    }

    /// Which parameters came.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|(name, _)| name.as_str())
    }
}

/// Where the browser stopped.
#[derive(Debug)]
pub(super) enum Landing {
    /// At another site.
    Callback(Callback),
    /// On a page of the provider.
    Page(Reply),
}

impl Landing {
    /// What the other site got.
    pub(super) fn callback(self) -> Callback {
        match self {
            Self::Callback(callback) => callback,
            Self::Page(page) => panic!("a page, nobody was sent anywhere: {page:?}"),
        }
    }

    /// The page; the browser must not have gone to another site.
    pub(super) fn page(self) -> Reply {
        match self {
            Self::Page(page) => page,
            Self::Callback(callback) => panic!("sent away: {callback:?}"),
        }
    }
}

/// What the person does where they are to sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AtLogin {
    /// What is asked for.
    #[default]
    SignIn,
    /// Goes back to the service that sent them.
    Cancel,
    /// Nothing: the browser stays on that page.
    Wait,
}

/// The browser.
#[derive(Debug, Default)]
pub(super) struct UserAgent {
    /// What the person in front of it does at a login page.
    pub(super) at_login: AtLogin,
    cookies: BTreeMap<String, String>,
    /// How many times the login form was filled in.
    pub(super) logins: usize,
    /// How many times a page told what a service will know.
    pub(super) notices: usize,
    /// The address of the page the browser is on.
    pub(super) at: String,
}

impl UserAgent {
    /// Opens an address, from wherever.
    pub(super) async fn visit(&mut self, site: &Site, address: &str) -> Landing {
        let reply = self.fetch(site, address, None).await;
        self.follow(site, reply).await
    }

    /// Sends a form that a page of another site holds: cookies that are `SameSite=Lax` stay behind.
    pub(super) async fn post_from_elsewhere(&mut self, site: &Site, address: &str, form: String) -> Landing {
        let request = Request::post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "https://elsewhere.example")
            .header("sec-fetch-site", "cross-site");
        let reply = site.send(request.body(Body::from(form)).unwrap()).await;
        self.keep(&reply);
        address.clone_into(&mut self.at);
        self.follow(site, reply).await
    }

    /// Presses the button of the form on a page of the provider's, with these fields filled in besides.
    pub(super) async fn submit(&mut self, site: &Site, page: &Reply, filled: &[(&str, &str)]) -> Landing {
        let form = Form::of(&page.body).unwrap();
        let reply = self.fetch(site, &form.action, Some(form.filled(filled))).await;
        self.follow(site, reply).await
    }

    async fn fetch(&mut self, site: &Site, address: &str, form: Option<String>) -> Reply {
        let path = address.strip_prefix(ISSUER).unwrap_or(address);
        path.clone_into(&mut self.at);
        let mut request = match form {
            Some(_) => Request::post(path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::ORIGIN, ISSUER)
                .header("sec-fetch-site", "same-origin"),
            None => Request::get(path),
        };
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let body = form.map_or_else(Body::empty, Body::from);
        let reply = site.send(request.body(body).unwrap()).await;
        self.keep(&reply);
        reply
    }

    /// RFC 6265 §5.3, as far as our cookies need it.
    fn keep(&mut self, reply: &Reply) {
        for set in reply.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
            let (name, value) = pair.split_once('=').unwrap();
            assert!(
                attributes.contains("HttpOnly") && attributes.contains("Secure"),
                "{set}"
            );
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    async fn follow(&mut self, site: &Site, mut reply: Reply) -> Landing {
        for _ in 0..MOST_STEPS {
            if reply.status == StatusCode::SEE_OTHER {
                let location = reply.location().to_owned();
                if !location.starts_with('/') && !location.starts_with(ISSUER) {
                    return Landing::Callback(Callback::of(&location, None));
                }
                reply = self.fetch(site, &location, None).await;
                continue;
            }
            let Some(mut form) = Form::of(&reply.body).filter(|_| reply.status == StatusCode::OK) else {
                return Landing::Page(reply);
            };
            if form.action == "/login" && self.at_login != AtLogin::SignIn {
                if self.at_login == AtLogin::Wait {
                    return Landing::Page(reply);
                }
                form = Form::to(&reply.body, |action| action == "/login/cancel").unwrap();
                reply = self.fetch(site, &form.action, Some(form.filled(&[]))).await;
                continue;
            }
            if !form.action.starts_with('/') {
                return Landing::Callback(Callback::of(&form.action, Some(form.fields)));
            }
            if reply.body.contains("id=\"go-on\"") {
                self.notices += 1;
                let body = form.filled(&[("choice", "go-on")]);
                reply = self.fetch(site, &form.action, Some(body)).await;
                continue;
            }
            if form.action != "/login" {
                return Landing::Page(reply);
            }
            self.logins += 1;
            let body = form.filled(&[("username", USERNAME), ("password", PASSWORD)]);
            reply = self.fetch(site, "/login", Some(body)).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "the login: {reply:?}");
        }
        panic!("sent round in circles, now at {}", self.at);
    }
}

/// A form that is posted, and its hidden fields.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// The first form of a page that is posted.
    fn of(page: &str) -> Option<Self> {
        Self::to(page, |_| true)
    }

    /// The first of them that goes where it should.
    fn to(page: &str, is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut forms = page.split("<form").skip(1);
        let form = forms.find(|form| {
            let tag = form.split('>').next().unwrap();
            attribute(tag, "method").as_deref() == Some("post")
                && attribute(tag, "action").is_some_and(|action| is_wanted(&action))
        })?;
        let form = form.split("</form>").next().unwrap();
        let inputs = form.split("<input").skip(1);
        let hidden = inputs.filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
        Some(Self {
            action: attribute(form, "action").unwrap(),
            fields: hidden
                .map(|input| {
                    (
                        attribute(input, "name").unwrap(),
                        attribute(input, "value").unwrap(),
                    )
                })
                .collect(),
        })
    }

    /// As it is posted, with these fields filled in besides.
    fn filled(&self, with: &[(&str, &str)]) -> String {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| (name.as_str(), value.as_str()));
        url::query(fields.chain(with.iter().copied()))
    }
}

/// The value of the first attribute of this name in some HTML.
pub(super) fn attribute(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let plain = [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ];
    let unescaped = plain.iter().fold(value.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    });
    Some(unescaped)
}
