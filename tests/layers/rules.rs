//! The rules themselves: which module may import which, and which outside crate lives in which module.
//!
//! A new top-level module of `src/` is refused until it has a line here: its place in the house is a decision.

/// A top-level module and the modules of ours that it may import; itself is understood.
pub(crate) struct Layer {
    /// The module: `src/<name>.rs` or `src/<name>/`.
    pub(crate) name: &'static str,
    /// What it may import.
    pub(crate) may_import: &'static [&'static str],
}

/// An outside crate and the only modules that may name it.
pub(crate) struct Wall {
    /// Names of the crate and of those that are one with it.
    pub(crate) crates: &'static [&'static str],
    /// Modules, as paths from the crate root, inside which it may be named.
    pub(crate) homes: &'static [&'static str],
    /// Whether test code may name it anywhere.
    pub(crate) tests_may: bool,
}

const fn layer(name: &'static str, may_import: &'static [&'static str]) -> Layer {
    Layer { name, may_import }
}

const fn wall(crates: &'static [&'static str], homes: &'static [&'static str]) -> Wall {
    Wall {
        crates,
        homes,
        tests_may: false,
    }
}

/// Who may import whom, lowest first. `lib.rs` and `main.rs` are free.
pub(crate) const LAYERS: &[Layer] = &[
    // L0
    layer("base", &[]),
    layer("config", &["base"]),
    layer("telemetry", &["base", "config"]),
    // L1
    layer("domain", &["base"]),
    layer("jose", &["base"]),
    // The writer and the strict reader that SAML and CAS share.
    layer("xml", &[]),
    // L2: cores that decide, without input or output. OpenID Connect is built on OAuth.
    // What leaves about a person is decided once, below every protocol.
    layer("release", &["base", "domain"]),
    layer("oauth", &["base", "domain", "jose"]),
    layer("oidc", &["base", "domain", "jose", "oauth", "release"]),
    layer("saml", &["base", "domain", "jose", "xml", "release"]),
    layer("cas", &["base", "domain", "jose", "xml", "release"]),
    layer("login", &["base", "domain", "jose"]),
    // What other providers say of somebody, below both protocols by which they say it.
    layer("upstream", &["base", "domain"]),
    layer("roster", &["base", "domain"]),
    // Invented files in the real formats that `roster` reads.
    layer("sample", &["base", "domain", "roster"]),
    layer("continuum", &["base", "domain"]),
    layer("territory", &["base", "domain"]),
    // L3
    layer("store", &["base", "domain", "jose"]),
    // L4: settings reach a flow as arguments, so `config` is not here.
    layer(
        "flows",
        &[
            "base",
            "domain",
            "jose",
            "release",
            "oauth",
            "oidc",
            "saml",
            "cas",
            "login",
            "upstream",
            "roster",
            "continuum",
            "territory",
            "store",
        ],
    ),
    // L5
    layer(
        "web",
        &[
            "base", "domain", "jose", "oauth", "oidc", "saml", "cas", "login", "upstream", "flows",
        ],
    ),
    layer("jobs", &["base", "domain", "flows"]),
    layer(
        "app",
        &[
            "base",
            "config",
            "telemetry",
            "domain",
            "jose",
            "oauth",
            "oidc",
            "saml",
            "cas",
            "login",
            "roster",
            "sample",
            "continuum",
            "territory",
            "store",
            "flows",
            "web",
            "jobs",
        ],
    ),
    layer(
        "demo",
        // Its services are relying parties; the one that speaks SAML has our own core on its side.
        &[
            "base", "config", "domain", "jose", "saml", "sample", "flows", "web", "app",
        ],
    ),
    layer(
        "cli",
        &[
            "base",
            "config",
            "telemetry",
            "domain",
            "roster",
            "sample",
            "flows",
            "app",
            "demo",
        ],
    ),
];

/// Which outside crate is named where.
pub(crate) const WALLS: &[Wall] = &[
    wall(&["axum", "axum_core", "axum_extra"], &["web", "app", "demo"]),
    wall(&["sqlx", "sqlx_core"], &["store"]),
    wall(&["askama"], &["web::views"]),
    wall(&["quick_xml"], &["xml", "roster"]),
    wall(&["flate2"], &["saml::wire", "flows::import::unpack"]),
    // Second opinions on our XML signatures: a module of tests, so neither is in the program.
    wall(&["samael", "bergshamra"], &["saml::xmlsec::second_opinion"]),
    wall(&["webauthn_rs", "webauthn_rs_core"], &["login::passkey"]),
    wall(&["argon2"], &["login::password"]),
    wall(&["reqwest"], &["flows::outbound"]),
    Wall {
        crates: &["openidconnect", "oauth2"],
        homes: &["oidc::upstream", "demo"],
        tests_may: true,
    },
];

/// Names that say nothing about what a module owns.
pub(crate) const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "v2",
];

/// The most lines a source file may have, its tests cut off.
pub(crate) const MOST_LINES: usize = 500;
