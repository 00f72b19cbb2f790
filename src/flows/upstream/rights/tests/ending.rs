//! How what was given ends: with its days, with the login, the provider and the rule, and by a merge.

use super::*;

#[tokio::test]
async fn a_delegation_gives_between_its_days_and_ends_by_itself() {
    on_each_engine(async |context, clock| {
        // 2026-10-01.
        let lille = Lille::new(context, clock).await;
        let delegated = |begins: &str, ends: &str| {
            let days = format!("{begins}|{ends}");
            json!({"FrEduResDel": format!(
                "Marelle|https://x.example/go?applicationname=marelle|{days}|u|FrEduRneResp={A};{FAR}|s|m"
            )})
        };
        for (begins, ends) in [("02/10/2026", "31/10/2026"), ("01/09/2026", "30/09/2026")] {
            lille.come(delegated(begins, ends)).await;
            assert_eq!(lille.may().await, [""; 0], "{begins} {ends}");
        }
        lille.come(delegated("01/10/2026", "10/10/2026")).await;
        let given = ["school_admin over school 9990001X", "National_ETA in 9990001X"];
        assert_eq!(lille.may().await, given);
        lille.days(9);
        assert_eq!(lille.may().await, given, "the last day counts");
        lille.days(1);
        assert_eq!(lille.may().await, [""; 0], "nobody had to come");
        // It is lengthened; then it is over, and the next login says so in the journal.
        lille.come(delegated("01/10/2026", "20/10/2026")).await;
        assert_eq!(lille.may().await, given);
        lille.come(delegated("01/10/2026", "15/10/2026")).await;
        lille.days(5);
        assert_eq!(lille.may().await, [""; 0]);
        lille.come(delegated("01/10/2026", "15/10/2026")).await;
        let (granted, withdrawn) = lille.journalled().await;
        assert_eq!((granted, withdrawn), (4, 2), "two roles lapsed");
    })
    .await;
}

#[tokio::test]
async fn a_role_that_nobody_comes_for_lapses_and_comes_back_with_them() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        lille.come(head_of(&[A])).await;
        lille.days(89);
        assert_eq!(lille.may().await, HEAD_OF_A);
        lille.come(head_of(&[A])).await;
        lille.days(89);
        assert_eq!(lille.may().await, HEAD_OF_A, "they came meanwhile");
        lille.days(1);
        assert_eq!(
            lille.may().await,
            [HEAD_OF_A[1]],
            "the enrolment is of the school year"
        );
        lille.come(head_of(&[A])).await;
        assert_eq!(lille.may().await, HEAD_OF_A);
        // The next school year (September): enrolled anew, beside the old one until mid-September.
        lille.days(160);
        lille.come(head_of(&[A])).await;
        assert_eq!(lille.may().await, [HEAD_OF_A[0], HEAD_OF_A[1], HEAD_OF_A[1]]);
        lille.come(json!({})).await;
        assert_eq!(lille.may().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn it_goes_with_the_link_the_provider_and_the_rule_and_stays_with_another() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        lille.declare(&provider("portail")).await;
        lille.link("portail", "anne", lille.who.id).await;
        lille.come_by("portail", "anne", head_of(&[B])).await;
        let by_portail = ["school_head over school 9990002Y", "National_DIR in 9990002Y"];
        lille.come(head_of(&[A])).await;
        let both = [HEAD_OF_A[0], by_portail[0], HEAD_OF_A[1], by_portail[1]];
        assert_eq!(lille.may().await, both);

        let id = "fim".parse().unwrap();
        let gone = link::unlink(&lille.context, &id, "agent-1", &Actor::Operator).await;
        assert_eq!(gone.unwrap(), link::Change::Done);
        assert_eq!(lille.may().await, by_portail);
        lille.link("fim", "agent-1", lille.who.id).await;
        lille.come(head_of(&[A])).await;
        assert_eq!(lille.may().await, both);

        // Its convention ends sooner; a rule gives the profile no more; it is closed.
        let mut fim = provider("fim");
        fim.ends_on = parse_date("2026-10-03");
        assert_eq!(lille.declare(&fim).await, 0);
        lille.days(2);
        assert_eq!(lille.may().await, by_portail);
        fim.ends_on = None;
        lille.declare(&fim).await;
        lille.come(head_of(&[A])).await;
        assert_eq!(lille.may().await, both);
        fim.staff_rules[0].profile = None;
        assert_eq!(lille.declare(&fim).await, 1);
        assert_eq!(lille.may().await, [both[0], both[1], both[3]]);
        fim.academies = vec!["14".parse().unwrap()];
        assert_eq!(lille.declare(&fim).await, 1);
        assert_eq!(lille.may().await, by_portail);
        let mut portail = provider("portail");
        portail.enabled = false;
        assert_eq!(lille.declare(&portail).await, 2);
        assert_eq!(lille.may().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn it_follows_a_merge_and_is_as_it_was_when_that_is_undone() {
    on_each_engine(async |context, clock| {
        let lille = Lille::new(context, clock).await;
        let older = scene::adult(&lille.context, "Annie", 2).await;
        for who in [&older, &lille.who] {
            let teacher = Enrolment {
                profile: Profile::Teacher,
                class: None,
                ..enrolment(who, FAR, "CM2")
            };
            scene::enrol(&lille.context, &teacher).await;
        }
        let at_far = "National_ENS in 9990101F";
        lille.declare(&provider("portail")).await;
        lille.link("portail", "annie", older.id).await;
        lille.come_by("portail", "annie", head_of(&[B])).await;
        lille.come(head_of(&[A])).await;
        let state = async || {
            let mut conn = lille.context.db.reader().await.unwrap();
            let mut state = Vec::new();
            for who in [older.id, lille.who.id] {
                let roles = of_identity(&lille.context, who).await.unwrap();
                let today = lille.context.now().date();
                let places = store::enrolment::live_of(&mut conn, who, today).await.unwrap();
                state.push((roles, places));
            }
            state
        };
        let before = state().await;
        let merged = scene::merge(&lille.context, older.id, lille.who.id).await;
        let all = [
            HEAD_OF_A[0],
            "school_head over school 9990002Y",
            HEAD_OF_A[1],
            "National_DIR in 9990002Y",
            at_far,
            at_far,
        ];
        assert_eq!(lille.may_of(older.id).await, all);
        assert_eq!(lille.may().await, [""; 0]);
        merge::undo(&lille.context, merged, "Maddi").await.unwrap();
        assert_eq!(state().await, before);

        // While the two are one, each login goes on saying its own. What one said goes with it.
        lille.clock.advance(Duration::from_secs(60));
        let merged = scene::merge(&lille.context, older.id, lille.who.id).await;
        lille
            .come(
                json!({"FrEduFonctAdm": "ADF", "codaca": "009", "FrEduResDel": format!(
            "n|u?applicationname=marelle|01/10/2026|31/10/2026|u|FrEduRneResp={B}|s|m")}),
            )
            .await;
        let now = [
            "academy_admin over academy 09",
            "school_admin over school 9990002Y",
            "school_head over school 9990002Y",
            "National_DIR in 9990002Y",
            "National_ETA in 9990002Y",
            at_far,
            at_far,
        ];
        assert_eq!(lille.may_of(older.id).await, now);
        merge::undo(&lille.context, merged, "Maddi").await.unwrap();
        assert_eq!(lille.may_of(older.id).await, [now[2], now[3], at_far]);
        assert_eq!(lille.may().await, [now[0], now[1], now[4], at_far]);
        lille.come(json!({})).await;
        assert_eq!(lille.may().await, [at_far]);
        scene::set_status(&lille.context, lille.who.id, Status::Active).await;
    })
    .await;
}
