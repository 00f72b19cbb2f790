//! The names that a service gets a person under.

use super::*;

#[tokio::test]
async fn transient_names_are_other_ones_everywhere_and_mail_is_one_where_it_may_leave() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, lina) = with_lina((context, clock), |_| {}).await;
        let cantine = Partner::new("cantine");
        cantine.declare(&site).await;
        scene::tell(&site.context, &lina).await;
        let name = async |ent: &Partner, browser: &Browser, id: &str, format: NameIdFormat| {
            let message = named(ent.provider.authn_request(id), format.as_str());
            let assertion = asked(&site, ent, browser, &message).await.assertion(&site).await;
            let name = element(&assertion, "NameID");
            assert_eq!(name.attribute("Format"), Some(format.as_str()));
            assert_eq!(
                name.attribute("NameQualifier"),
                Some("https://id.example.fr/saml/metadata")
            );
            assert_eq!(
                name.attribute("SPNameQualifier"),
                Some(ent.provider.entity_id.as_str())
            );
            name.text().unwrap().to_owned()
        };
        let transient = NameIdFormat::Transient;
        let first = name(&ent, &browser, "_1", transient).await;
        assert_eq!(
            name(&ent, &browser, "_2", transient).await,
            first,
            "one login, one name"
        );
        assert_ne!(name(&cantine, &browser, "_1", transient).await, first);
        let mut elsewhere = Browser::default();
        site.sign_in(&mut elsewhere, &lina).await;
        site.advance(1);
        assert_ne!(
            name(&ent, &elsewhere, "_3", transient).await,
            first,
            "another login"
        );
        scene::reach(&site.context, lina.id, &contact("lina")).await;
        let mail = name(&ent, &browser, "_4", NameIdFormat::EmailAddress).await;
        assert_eq!(mail, "lina@ecole.example");
    })
    .await;
}

#[tokio::test]
async fn a_mail_address_is_no_name_where_the_policy_does_not_list_it() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, lina) = with_lina((context, clock), |ent| {
            ent.party
                .release
                .0
                .retain(|line| line.attribute != Attribute::Email);
        })
        .await;
        scene::reach(&site.context, lina.id, &contact("lina")).await;
        let message = named(
            ent.provider.authn_request("_1"),
            NameIdFormat::EmailAddress.as_str(),
        );
        let posted = asked(&site, &ent, &browser, &message).await;
        assert_eq!(posted.status(), "Responder InvalidNameIDPolicy");
    })
    .await;
}

#[tokio::test]
async fn allow_create_false_lets_in_who_was_there_before_and_nobody_else() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let strict = |id: &str| {
            let policy = Element::new(Namespace::Samlp, "NameIDPolicy")
                .attribute("Format", NameIdFormat::Persistent.as_str())
                .attribute("AllowCreate", "false");
            ent.provider.authn_request(id).child(policy)
        };
        let posted = asked(&site, &ent, &browser, &strict("_1")).await;
        assert_eq!(posted.status(), "Responder InvalidNameIDPolicy");
        asked(&site, &ent, &browser, &ent.provider.authn_request("_2")).await;
        assert_eq!(
            asked(&site, &ent, &browser, &strict("_3")).await.status(),
            "Success"
        );
    })
    .await;
}
