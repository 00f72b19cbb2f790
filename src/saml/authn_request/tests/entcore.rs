//! What a service provider on entcore sends and demands, a row of the field notes each.

use super::*;

/// Its request: never forced, transient, exactly one class, and the consumer by number and by address.
fn request(scene: &Scene) -> Element {
    scene
        .request()
        .attribute("ForceAuthn", "false")
        .attribute("IsPassive", "false")
        .attribute("AssertionConsumerServiceIndex", "1")
        .attribute("AssertionConsumerServiceURL", scene.ent.acs(1))
        .attribute("ProtocolBinding", Binding::Post.as_str())
        .child(policy(&[
            ("Format", NameIdFormat::Transient.as_str()),
            ("AllowCreate", "true"),
        ]))
        .child(context(Some("exact"), &[PROTECTED_TRANSPORT]))
}

fn let_off() -> Scene {
    let mut scene = Scene::new();
    let saml = scene.saml();
    saml.preset = crate::domain::relying_party::Preset::Entcore;
    saml.authn_context = Some(PROTECTED_TRANSPORT.into());
    saml.tolerances.index_and_url = true;
    scene
}

#[test]
fn index_and_address_at_once_are_taken_where_the_operator_says_so() {
    let scene = let_off();
    let (address, asked) = scene.run(&request(&scene)).unwrap().unwrap();
    assert_eq!(address.consumer(), scene.ent.acs(1));
    assert_eq!(asked.named.format, NameIdFormat::Transient);
    assert_eq!(
        Scene::new().run(&request(&scene)).unwrap_err(),
        PageError::TwoAssertionConsumers
    );
}

#[test]
fn it_is_answered_with_exactly_the_class_it_asks_for_also_for_a_child() {
    let scene = let_off();
    let (_, asked) = scene.run(&request(&scene)).unwrap().unwrap();
    for acr in [Acr::Class, Acr::SingleFactor] {
        assert_eq!(
            asked.assurance.class_of(acr).as_deref(),
            Some(PROTECTED_TRANSPORT)
        );
    }
}

#[test]
fn without_a_word_of_the_operator_a_childs_login_is_not_called_what_it_is_not() {
    let mut scene = let_off();
    scene.saml().authn_context = None;
    let (_, asked) = scene.run(&request(&scene)).unwrap().unwrap();
    assert_eq!(asked.assurance.class_of(Acr::Class), None);
    assert!(asked.assurance.can_be_met());
}

#[test]
fn its_optional_signature_may_be_missing_where_the_operator_says_so() {
    let mut scene = let_off();
    scene.saml().tolerances.unsigned_requests = true;
    assert!(
        scene
            .read(incoming(&query(Kind::Request, &request(&scene), Some("x"))))
            .is_ok()
    );
}
