//! For tests: a school with a class of invented pupils who have picture codes, and a teacher.

use std::sync::Arc;

use crate::base::id::{ClassGroupId, EnrolmentId};
use crate::base::secret::Secret;
use crate::base::time::{ManualClock, parse_date};
use crate::domain::audit::Actor;
use crate::domain::class_group::ClassCode;
use crate::domain::education::{Academy, Degree, Profile, School, SchoolYear};
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::uai::Uai;
use crate::flows::{Context, class_code, class_page, credential, person};
use crate::login::picture::{Picks, PictureCode};
use crate::store::db::{Db, Statement};
use crate::store::value::text;
use crate::store::{self, testing};

pub(crate) const PASSWORD: &str = "le chat dort à midi";

pub(crate) struct Classroom {
    pub(crate) context: Context,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) school: Uai,
    pub(crate) class: ClassGroupId,
    pub(crate) code: ClassCode,
    pub(crate) pupils: Vec<(Identity, PictureCode)>,
}

/// A class with as many pupils.
pub(crate) async fn classroom(db: Db, count: i64) -> Classroom {
    let (context, clock) = crate::flows::testing::context(db);
    let school: Uai = "9990001X".parse().unwrap();
    let class = ClassGroupId::new(context.now(), &*context.random);
    let mut tx = context.db.begin().await.unwrap();
    let academy = Academy {
        code: "99".parse().unwrap(),
        name: "Académie fictive".into(),
    };
    store::school::save_academy(&mut tx, &academy).await.unwrap();
    let declared = School {
        uai: school.clone(),
        name: "École des Marronniers".into(),
        degree: Degree::First,
        commune: None,
        academy: academy.code,
    };
    store::school::save(&mut tx, &declared, None).await.unwrap();
    let insert = Statement {
        name: "class",
        sql: "INSERT INTO class_group (id, uai, year, source, source_key, label, level)
            VALUES ($1, $2, 2026, 'csv', 'A', 'CE1 A', 'CE1')",
    };
    tx.execute(insert, [text(class), text(&school)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut room = Classroom {
        code: class_code::open(&context, class, &Actor::Operator).await.unwrap(),
        context,
        clock,
        school,
        class,
        pupils: Vec::new(),
    };
    for number in 1..=count {
        room.add(testing::person(&format!("Prénom{number}"), number))
            .await;
    }
    room
}

impl Classroom {
    /// Adds a pupil with a picture code.
    pub(crate) async fn add(&mut self, pupil: Identity) {
        let day = |text| parse_date(text).unwrap();
        let enrolment = Enrolment {
            id: EnrolmentId::new(self.context.now(), &*self.context.random),
            identity: pupil.id,
            school: self.school.clone(),
            class: Some(self.class),
            class_label: None,
            level: None,
            profile: Profile::Pupil,
            year: SchoolYear::new(2026).unwrap(),
            starts_on: day("2026-09-01"),
            ends_on: day("2027-09-15"),
            opens_on: None,
            is_current: true,
        };
        let mut tx = self.context.db.begin().await.unwrap();
        store::identity::insert(&mut tx, &pupil).await.unwrap();
        store::enrolment::insert(&mut tx, &enrolment).await.unwrap();
        tx.commit().await.unwrap();
        let code = credential::new_picture_code(&self.context, pupil.id, &Actor::Operator)
            .await
            .unwrap();
        self.pupils.push((pupil, code));
    }

    /// The token of a pupil on the class page, by first name.
    pub(crate) async fn token(&self, pupil: &Identity) -> String {
        let page = class_page::find(&self.context, self.code.expose())
            .await
            .unwrap()
            .unwrap();
        let found = page
            .pupils
            .into_iter()
            .find(|listed| listed.first_name == pupil.given_name);
        found.unwrap().token
    }

    /// How many journal entries of a kind there are.
    pub(crate) async fn journalled(&self, kind: &str) -> i64 {
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM audit_event WHERE kind = $1";
        let mut conn = self.context.db.reader().await.unwrap();
        conn.number(Statement { name: "count", sql }, [text(kind)])
            .await
            .unwrap()
    }

    /// A teacher whose password is [`PASSWORD`].
    pub(crate) async fn teacher(&self, given_name: &str, family_name: &str) -> Identity {
        let new = person::NewPerson {
            given_name: given_name.into(),
            family_name: family_name.into(),
            profile: Profile::Teacher,
            school: self.school.clone(),
            username: None,
            password: Secret::new(PASSWORD),
            is_another: false,
        };
        match person::create(&self.context, &new, &Actor::Operator)
            .await
            .unwrap()
        {
            person::Creation::Created(identity) => *identity,
            other => panic!("{other:?}"),
        }
    }
}

/// A code that is not `right`.
pub(crate) fn another(right: &PictureCode) -> PictureCode {
    let ids = right.expose().map(crate::login::picture::Picture::id);
    match Picks::read([ids[1], ids[0], ids[2], ids[3]]) {
        Some(Picks::Complete(code)) => code,
        other => panic!("{other:?}"),
    }
}
