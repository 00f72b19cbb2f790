//! Deliveries of a small academy: what is read, refused, told.

use proptest::prelude::*;

use super::*;

const MANIFEST: &str = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.academicSessions,bulk\n\
    file.classes,bulk\nfile.demographics,bulk\nfile.enrollments,bulk\nfile.orgs,bulk\nfile.roles,bulk\nfile.users,bulk\n\
    file.results,absent\nsource.systemName,Essai\n";
const ORGS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n\
    d1,,,Académie,district,,\no1,,,École des Tilleuls,school,9990001X,d1\no2,,,Sans code,school,X,d1\n";
const SESSIONS: &str = "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n\
    t1,,,2026-2027,schoolYear,2026-09-01,2027-07-05,,2027\nt0,,,2025-2026,schoolYear,2025-09-01,2026-07-05,,2026\n";
const CLASSES: &str = "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,\
    schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n\
    c1,,,CM2 A,CM2,k,,homeroom,,o1,t1,,,\nc2,,,Anglais,CM2,k,,scheduled,,o1,t1,,,\nc0,,,CM1 A,CM1,k,,homeroom,,o1,t0,,,\n";
const BIRTHS: &str = "sourcedId,status,dateLastModified,birthDate,sex\nu1,,,2015-04-03,female\nu2,,,,male\n";
const ROLES: &str = "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,\
    userProfileSourcedId\n\
    r1,,,u1,primary,student,,,o1,\nr2,,,u2,primary,student,,,o1,\nr3,,,u3,primary,teacher,,,o1,\n\
    r4,,,u4,primary,parent,,,d1,\nr5,,,u5,primary,wizard,,,o1,\n";
const ENROLLMENTS: &str = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,\
    beginDate,endDate\ne0,,,c0,o1,u1,student,false,,\ne1,,,c2,o1,u1,student,false,,\ne2,,,c1,o1,u1,student,true,,\n\
    e3,,,c1,o1,u3,teacher,true,,\n";
const USERS: &str = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,\
    identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,\
    preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n\
    u1,,,true,lina,{INE:123456790CD},Lina,\"LE GOFF\",Maï,,,,,u4,,,,,,,o1,\n\
    u2,,,true,lila,,Lila,LE GOFF,,,,,,u4,,,,,,,o1,\n\
    u3,,,true,anne,,Anne,TOURNIER,,,a@example.org,,,,,secret,,,,,o1,\n\
    u4,,,true,maddi,,Maddi,OYHENART,,,,,,,,,,,,,,\n\
    u5,,,true,merlin,,Merlin,MORVAN,,,,,,,,,,,,,,\n\
    u6,,,false,off,,Off,OFF,,,,,,,,,,,,,,\n\
    u7,,,true,cut\n";

fn roster(manifest_text: &str) -> OneRoster {
    let manifest = manifest(manifest_text.as_bytes()).unwrap();
    let context = OneRosterContext {
        academy: "20".parse().unwrap(),
        year: SchoolYear::new(2026).unwrap(),
    };
    let mut roster = OneRoster::new(&manifest, context);
    for (name, text) in [
        ("orgs.csv", ORGS),
        ("academicSessions.csv", SESSIONS),
        ("classes.csv", CLASSES),
        ("demographics.csv", BIRTHS),
        ("roles.csv", ROLES),
        ("enrollments.csv", ENROLLMENTS),
    ] {
        roster.learn(&name.into(), text.as_bytes()).unwrap();
    }
    roster
}

fn users(roster: &mut OneRoster, text: &str) -> Result<Vec<OneRosterItem>, Unreadable> {
    let mut items = Vec::new();
    roster.users(text.as_bytes(), |item| -> Result<(), Unreadable> {
        items.push(item);
        Ok(())
    })?;
    Ok(items)
}

#[test]
fn a_whole_delivery_is_read() {
    let items = users(&mut roster(MANIFEST), USERS).unwrap();
    let pupils: Vec<&RosterRow> = items
        .iter()
        .filter_map(|item| match item {
            OneRosterItem::Pupil(row) => Some(row),
            _ => None,
        })
        .collect();
    let [lina] = pupils.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!(lina.key.to_string(), "oneroster:20:u1");
    assert_eq!(lina.school, "9990001X");
    assert_eq!(
        lina.class.as_ref().unwrap().label,
        "CM2 A",
        "the homeroom of this year"
    );
    assert_eq!(lina.level.as_deref(), Some("CM2"));
    assert_eq!(lina.facts.ine.as_ref().unwrap().expose(), "123456790CD");
    assert_eq!(
        (lina.facts.sex, lina.facts.other_names.as_slice()),
        (Some(Sex::Female), ["Maï".to_owned()].as_slice())
    );
    assert!(
        items
            .iter()
            .any(|item| matches!(item, OneRosterItem::Links(links) if links[0].adult == "u4"))
    );
    assert!(
        items
            .iter()
            .any(|item| matches!(item, OneRosterItem::Guardian(row) if row.key.key == "u4"))
    );
    assert!(items.iter().any(|item| matches!(item, OneRosterItem::Staff(row)
        if row.posts[0].profile == Profile::Teacher && row.classes[0].class.label == "CM2 A")));
    let said: Vec<(Severity, u64)> = items
        .iter()
        .filter_map(|item| match item {
            OneRosterItem::Issue(issue) => Some((issue.severity, issue.place.line)),
            _ => None,
        })
        .collect();
    use Severity::{Error, Warning};
    assert_eq!(
        said,
        [(Warning, 4), (Warning, 6), (Error, 3), (Error, 6), (Error, 8)],
        "an org without UAI, a role nobody knows; no birth date, no role, a line cut short"
    );
}

#[test]
fn a_delivery_of_changes_takes_away_by_name() {
    let delta = MANIFEST.replace("file.users,bulk", "file.users,delta");
    let text = USERS.replace("u1,,,true", "u1,tobedeleted,2026-10-01T00:00:00Z,true");
    let items = users(&mut roster(&delta), &text).unwrap();
    assert!(
        items
            .iter()
            .any(|item| matches!(item, OneRosterItem::Gone { key, .. } if key.key == "u1"))
    );
    assert!(!items.iter().any(|item| matches!(item, OneRosterItem::Pupil(_))));
}

#[test]
fn what_is_not_the_binding_is_refused() {
    let refused = |text: &str| manifest(text.as_bytes()).unwrap_err().message;
    assert!(refused(&MANIFEST.replace("oneroster.version,1.2", "oneroster.version,1.1")).contains("1.2"));
    assert!(refused(&MANIFEST.replace("file.users,bulk", "file.users,absent")).contains("users.csv"));
    assert!(refused(&MANIFEST.replace("file.orgs,bulk", "file.orgs,some")).contains("bulk"));
    assert!(refused("a,b\n").contains("propertyName"));
    let mut delivery = roster(MANIFEST);
    assert!(
        users(&mut delivery, "sourcedId,givenName\n")
            .unwrap_err()
            .message
            .contains("familyName")
    );
    let unclosed = format!("{USERS}\"u8\n");
    assert!(
        users(&mut roster(MANIFEST), &unclosed)
            .unwrap_err()
            .message
            .contains("guillemet")
    );
    let latin = [USERS.as_bytes(), b"u8,,,true,x,,No\xE9mie,X,,,,,,,,,,,,,,\n"].concat();
    let read = roster(MANIFEST).users(latin.as_slice(), |_| Ok::<(), Unreadable>(()));
    assert!(read.unwrap_err().message.contains("UTF-8"));
    let long = format!("{USERS}\"{}", "\n".repeat(300_000));
    assert!(
        users(&mut roster(MANIFEST), &long)
            .unwrap_err()
            .message
            .contains("256 Kio")
    );
}

#[test]
fn line_breaks_between_quotes_keep_lines_numbered() {
    let text = USERS.replace("Maï", "\"Maï\r\nZoé\"");
    let items = users(&mut roster(MANIFEST), &text).unwrap();
    let last = items.iter().rev().find_map(|item| match item {
        OneRosterItem::Issue(issue) => Some(issue.place.line),
        _ => None,
    });
    assert_eq!(last, Some(9), "one further than without");
}

proptest! {
    #[test]
    fn no_text_stops_it(text in "[a,\"\n\r0é]{0,200}") {
        let head = "sourcedId,enabledUser,givenName,familyName\n";
        let _ = users(&mut roster(MANIFEST), &format!("{head}{text}"));
    }
}
