//! From June to September: the feeds of two years beside each other. What people are told of a pupil is the year that is,
//! nobody is gone in between, and the new year opens on its day.

use crate::files::{aaf, ecole};
use crate::town::{COLLEGES, ECOLES, Town, on_each_engine};
use marelle::base::id::IdentityId;
use marelle::domain::education::SchoolYear;
use marelle::domain::grant::Scopes;
use marelle::domain::relying_party::RelyingPartyId;
use marelle::flows::declaration::file::Reader;
use marelle::flows::declaration::{self, Options};
use marelle::flows::{purge, release};
use marelle::oidc::access;
use marelle::store;

/// In CM1, then in CM2, in one école.
const LINA: [&str; 2] = [
    "LE GOFF|Lina|17/08/2016|123456789AA|CM1 A|CM1",
    "LE GOFF|Lina|17/08/2016|123456789AA|CM2 B|CM2",
];
/// In CM2, then in a collège.
const TOM: &str = "ROUX|Tom|04/04/2015|123456789AD";
/// New in the école.
const MAYA: &str = "DIALLO|Maya|05/05/2020|123456789AE|CP A|CP";

fn party(id: &str, schools: &str) -> String {
    let release: String = ["uai", "level", "class"]
        .iter()
        .map(|attribute| {
            format!("[[relying_party.release]]\nattribute = \"{attribute}\"\npurpose = \"x\"\nconvention = \"y\"\n")
        })
        .collect();
    format!(
        "[[relying_party]]\nid = \"{id}\"\nname = \"{id}\"\nredirect_uris = [\"https://{id}.example/cb\"]\n\
         schools = [{schools}]\n{release}"
    )
}

impl Town {
    async fn declare(&self, text: &str) {
        let mut reader = Reader::default();
        reader
            .add(text, &|_| Err(std::io::Error::other("no file")))
            .unwrap();
        declaration::apply(&self.context, &reader.finish(), Options::default())
            .await
            .unwrap();
    }

    /// What a service would be told of somebody's school: `class level`, or why it is closed for them.
    async fn told(&self, service: &str, who: IdentityId) -> Vec<String> {
        let id: RelyingPartyId = service.parse().unwrap();
        let mut conn = self.conn().await;
        let party = store::relying_party::find(&mut conn, &id).await.unwrap().unwrap();
        let now = self.context.now();
        let live = store::enrolment::live_of(&mut conn, who, now.date())
            .await
            .unwrap();
        if let Err(closed) = access::check(&party, &live, now) {
            return vec![format!("{closed:?}")];
        }
        let scopes = Scopes::known_of("openid education");
        let preview = release::preview(&self.context, &id, who, &scopes).await.unwrap();
        let claims = preview.unwrap().released.claims;
        let of = |one: &serde_json::Value| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("class"), text("level"))
        };
        claims["education"].as_array().unwrap().iter().map(of).collect()
    }

    async fn to(&self, day: &str) {
        let wanted = marelle::base::time::Timestamp::from_rfc3339(&format!("{day}T08:00:00Z")).unwrap();
        self.clock.advance(wanted.since(self.context.now()));
        assert_eq!(self.context.now().date().to_string(), day);
    }
}

#[tokio::test]
async fn the_year_that_is_counts_until_the_first_of_september_and_nobody_leaves_in_between() {
    on_each_engine(async |town| {
        let [port, _] = ECOLES;
        town.apply(ecole(port, 2026, &[LINA[0], TOM])).await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        let tom = town.identity("roux|tom|2015-04-04").await;
        let all = [
            party("ent", ""),
            party("ent-ecole", &format!("\"{port}\"")),
            party("ent-college", &format!("\"{}\"", COLLEGES[0])),
        ];
        town.declare(&all.concat()).await;

        // June: the école prepares its next year, the collège has its admissions. Both years are loaded every night.
        town.to("2027-06-10").await;
        let night = async || {
            town.apply(ecole(port, 2027, &[LINA[1], MAYA])).await;
            town.apply(ecole(port, 2026, &[LINA[0], TOM])).await;
            town.apply(aaf(2027, &COLLEGES[..1], &[(1, COLLEGES[0], TOM)]))
                .await;
        };
        night().await;
        let maya = town.identity("diallo|maya|2020-05-05").await;
        assert_eq!(town.identity("aaf2d:20:1").await, tom);
        let until = "Until(2027-09-01)";
        for day in ["2027-06-10", "2027-07-14", "2027-08-31"] {
            town.to(day).await;
            night().await;
            purge::run(&town.context).await.unwrap();
            assert_eq!(town.told("ent", lina).await, ["CM1 A CM1"], "{day}");
            assert_eq!(town.told("ent-ecole", lina).await, ["CM1 A CM1"], "{day}");
            assert_eq!(town.told("ent", tom).await, ["CM2 A CM2"], "{day}");
            assert_eq!(town.told("ent-college", tom).await, [until], "{day}");
            // Whoever is nowhere else yet is what comes, as soon as they are enrolled.
            assert_eq!(town.told("ent", maya).await, ["CP A CP"], "{day}");
        }
        let gone = "SELECT id FROM identity WHERE status <> 'active'";
        assert_eq!(town.count(gone).await, 0);

        // The new year begins. Where a pupil goes elsewhere, the old school has them until mid-September.
        town.to("2027-09-01").await;
        assert_eq!(town.told("ent", lina).await, ["CM2 B CM2"]);
        assert_eq!(town.told("ent-college", tom).await, ["6EME A 6EME"]);
        assert_eq!(town.told("ent-ecole", tom).await, ["CM2 A CM2"]);
        assert_eq!(town.told("ent", tom).await, ["CM2 A CM2", "6EME A 6EME"]);
        town.to("2027-09-16").await;
        purge::run(&town.context).await.unwrap();
        assert_eq!(town.told("ent", tom).await, ["6EME A 6EME"]);
        assert_eq!(town.told("ent-ecole", tom).await, ["NoSchool"]);
        assert_eq!(town.count(gone).await, 0, "the move is no departure");
    })
    .await;
}

#[tokio::test]
async fn an_access_date_opens_the_coming_year_earlier_or_later() {
    on_each_engine(async |town| {
        let [port, _] = ECOLES;
        town.apply(ecole(port, 2026, &[LINA[0], TOM])).await;
        let lina = town.identity("legoff|lina|2016-08-17").await;
        let tom = town.identity("roux|tom|2015-04-04").await;
        town.to("2027-06-10").await;
        town.apply(ecole(port, 2027, &[LINA[1]])).await;
        town.apply(aaf(2027, &COLLEGES[..1], &[(1, COLLEGES[0], TOM)]))
            .await;
        let college = COLLEGES[0];
        let dates = format!(
            "[[access_date]]\nschool = \"{college}\"\nyear = 2027\nopens_on = \"2027-08-30\"\n\
             [[access_date]]\nschool = \"{port}\"\nyear = 2027\nopens_on = \"2027-09-06\"\n"
        );
        let all = [
            party("ent-ecole", &format!("\"{port}\"")),
            party("ent-college", &format!("\"{college}\"")),
            dates,
        ];
        town.declare(&all.concat()).await;
        town.to("2027-08-29").await;
        assert_eq!(town.told("ent-college", tom).await, ["Until(2027-08-30)"]);
        assert_eq!(town.told("ent-ecole", lina).await, ["CM1 A CM1"]);
        town.to("2027-08-30").await;
        assert_eq!(town.told("ent-college", tom).await, ["6EME A 6EME"]);
        town.to("2027-09-01").await;
        assert_eq!(town.told("ent-ecole", lina).await, ["Until(2027-09-06)"]);
        town.to("2027-09-06").await;
        assert_eq!(town.told("ent-ecole", lina).await, ["CM2 B CM2"]);
        let year = SchoolYear::of(town.context.now().date());
        assert_eq!(year.first(), 2027);
    })
    .await;
}
