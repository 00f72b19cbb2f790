//! The start page of the demo: the tour, its cast, and the button that loads next year's file.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::Stage;
use super::memory::{Notes, ServiceKey};
use crate::web::page::Page as HtmlPage;
use crate::web::views::{
    self, CastMember, DemoService, DemoStart, Lang, Page, Picture, Step, StepAction, StepState,
};

/// Where the tour begins.
pub(super) const PATH: &str = "/demo";
const NEXT_YEAR: &str = "/demo/next-year";
const RESET: &str = "/demo/reset";
/// Marelle's own way out.
const SIGN_OUT: &str = "/sign-out";
/// How many pupils of the class are introduced.
const CAST: usize = 4;

/// The pages of the tour, to be laid beside those of Marelle.
pub(super) fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route(PATH, get(start))
        .route(NEXT_YEAR, post(next_year))
        .route(RESET, post(reset))
        .with_state(stage)
}

/// Tells the person who started it where everything is.
pub(super) fn announce(stage: &Stage, issuer: &str, say: &impl Fn(&str)) {
    let notes = stage.memory.read();
    say(&format!("{:<24} {issuer}", "Marelle"));
    for service in &stage.services {
        say(&format!("{:<24} {}", service.name, service.url));
    }
    say(&format!(
        "{:<24} {}",
        "EduConnect", stage.educonnect.settings.public_url
    ));
    if let Some(player) = notes.players.first() {
        say(&format!(
            "{:<24} {} — pictures: {}",
            "a pupil",
            player.first_name,
            player.pictures.join(", ")
        ));
    }
    say(&format!(
        "{:<24} maitresse — {}",
        "a teacher", notes.teacher_password
    ));
    say(&format!(
        "{:<24} {issuer}{PATH}   (Ctrl-C stops; --reset begins anew)",
        "the tour"
    ));
}

/// A page of the demo that failed says why: its visitor is its operator.
struct DemoError(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for DemoError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for DemoError {
    fn into_response(self) -> Response {
        (
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            format!("{:#}\n", self.0),
        )
            .into_response()
    }
}

async fn start(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Result<Response, DemoError> {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let lang = accepted.and_then(Lang::preferred).unwrap_or(Lang::Fr);
    let notes = stage.memory.read();
    let cast = cast(&stage, &notes).await?;
    let view = DemoStart {
        page: Page::new(stage.brand.clone(), lang),
        steps: steps(&stage, &notes, &cast, lang),
        cast,
        services: services(&stage),
        load_action: (!notes.moved).then(|| NEXT_YEAR.to_owned()),
        reset_action: RESET.to_owned(),
        notice: stage.take_notice(),
    };
    Ok(HtmlPage::new(views::render(&view)?).into_response())
}

async fn next_year(State(stage): State<Arc<Stage>>) -> Result<Response, DemoError> {
    let notice = stage.load_next_year().await?;
    stage.leave_notice(notice);
    Ok(Redirect::to(PATH).into_response())
}

/// Everything is thrown away and made anew; the browser's next request waits at the door until it is done.
async fn reset(State(stage): State<Arc<Stage>>) -> Response {
    stage.again.notify_one();
    ([(header::CONNECTION, "close")], Redirect::to(PATH)).into_response()
}

/// The pupils who are introduced, where they are now.
async fn cast(stage: &Stage, notes: &Notes) -> anyhow::Result<Vec<CastMember>> {
    let schools = stage.schools()?;
    let mut cast = Vec::new();
    for player in notes.players.iter().take(CAST) {
        let Some((class, class_label, uai)) = stage.place_of(player).await? else {
            continue;
        };
        let school = schools.iter().find(|school| school.uai == uai);
        cast.push(CastMember {
            first_name: player.first_name.clone(),
            class_label,
            school: school.map(|school| school.name.clone()).unwrap_or_default(),
            avatar: player.avatar.clone(),
            pictures: player
                .pictures
                .iter()
                .filter_map(|id| Picture::by_id(id))
                .collect(),
            class_url: notes.classes.get(&class).cloned().unwrap_or_default(),
        });
    }
    Ok(cast)
}

fn services(stage: &Stage) -> Vec<DemoService> {
    let service = |service: &Arc<super::service::Service>| DemoService {
        name: service.name.to_owned(),
        url: service.url.clone(),
        about: service.about.to_owned(),
    };
    stage.services.iter().map(service).collect()
}

/// Title, sentence and label of each step, in both languages.
fn words(lang: Lang, hero: &str, (code, account): (&str, &str)) -> [(String, String, &'static str); 8] {
    match lang {
        Lang::Fr => [
            (
                format!("{hero} entre à l’école"),
                format!(
                    "{hero} est en CM2. Ouvrez la cabane à lire, « Entre par ta classe », le code de sa classe ({code}), son prénom, puis ses quatre images."
                ),
                "Ouvrir la cabane à lire",
            ),
            (
                "Son carnet reconnaît l’enfant".to_owned(),
                "Un deuxième service : un seul clic, sans rien retaper. Regardez l’identifiant qu’il reçoit."
                    .to_owned(),
                "Ouvrir mon carnet",
            ),
            (
                "Un an passe".to_owned(),
                format!("Le fichier AAF du collège arrive : {hero} y est en 6e, sous une autre clé."),
                "Charger le fichier de l’an prochain",
            ),
            (
                format!("{hero} entre au collège"),
                format!(
                    "Au collège on passe par EduConnect. Ouvrez l’ENT, « Entrer avec EduConnect », puis le compte que le collège a remis : {account}. Marelle n’a jamais vu ce compte, et reconnaît pourtant {hero}."
                ),
                "Ouvrir l’ENT du collège",
            ),
            (
                "Le carnet reconnaît toujours l’enfant".to_owned(),
                "Même identifiant qu’avant : rien n’est perdu, personne n’a créé de second compte."
                    .to_owned(),
                "Rouvrir mon carnet",
            ),
            (
                "Un autre ENT, un autre protocole".to_owned(),
                "L’ENT de la cité scolaire parle SAML. Un clic : il reçoit le même identifiant que l’ENT du collège, parce que leur convention le veut."
                    .to_owned(),
                "Ouvrir l’ENT de la cité scolaire",
            ),
            (
                "Le manuel d’un éditeur".to_owned(),
                "Le manuel parle CAS, et n’apprend que le niveau et la classe : rien d’autre ne sort.".to_owned(),
                "Ouvrir le manuel",
            ),
            (
                "Une seule sortie ferme tout".to_owned(),
                "Déconnectez-vous une fois chez Marelle : le carnet, les deux ENT et le manuel oublient l’enfant, chacun par son protocole."
                    .to_owned(),
                "Se déconnecter",
            ),
        ],
        Lang::En => [
            (
                format!("{hero} goes to primary school"),
                format!(
                    "{hero} is in the last year (CM2). Open the reading hut, the way by the class, the code of the class ({code}), the first name, then the four pictures."
                ),
                "Open the reading hut",
            ),
            (
                "A second service recognises the child".to_owned(),
                "One click, nothing to type again. Look at the identifier it receives.".to_owned(),
                "Open the notebook",
            ),
            (
                "A year passes".to_owned(),
                format!("The collège's AAF file arrives: {hero} is in it, in 6e, under another key."),
                "Load next year's file",
            ),
            (
                format!("{hero} goes to collège"),
                format!(
                    "At collège one comes by EduConnect. Open the ENT, “Go in with EduConnect”, then the account that the collège has handed out: {account}. Marelle has never seen that account, and recognises {hero} all the same."
                ),
                "Open the collège's ENT",
            ),
            (
                "The notebook still knows the child".to_owned(),
                "The same identifier as before: nothing is lost, nobody made a second account.".to_owned(),
                "Open the notebook again",
            ),
            (
                "Another ENT, another protocol".to_owned(),
                "The ENT of the cité scolaire speaks SAML. One click: it receives the same identifier as the collège's ENT, because their convention says so."
                    .to_owned(),
                "Open the ENT of the cité scolaire",
            ),
            (
                "A publisher's textbook".to_owned(),
                "The textbook speaks CAS, and learns level and class alone: nothing else leaves.".to_owned(),
                "Open the textbook",
            ),
            (
                "One way out closes all".to_owned(),
                "Sign out once at Marelle: the notebook, both ENTs and the textbook forget the child, each by its own protocol."
                    .to_owned(),
                "Sign out",
            ),
        ],
    }
}

fn steps(stage: &Stage, notes: &Notes, cast: &[CastMember], lang: Lang) -> Vec<Step> {
    let hero = cast.first().map_or("…", |member| &member.first_name);
    let code = cast
        .first()
        .and_then(|member| member.class_url.rsplit('/').next())
        .unwrap_or_default();
    let account = notes
        .players
        .first()
        .and_then(|player| player.educonnect.as_ref());
    let account = account.map_or_else(
        || "…".to_owned(),
        |(name, password)| format!("{name} / {password}"),
    );
    let done = [
        notes.met(ServiceKey::Ecole, false),
        notes.met(ServiceKey::Carnet, false),
        notes.moved,
        notes.met(ServiceKey::College, true),
        notes.met(ServiceKey::Carnet, true),
        notes.met(ServiceKey::Lycee, true),
        notes.met(ServiceKey::Manuel, true),
        // Each by its own protocol.
        [ServiceKey::Carnet, ServiceKey::Lycee, ServiceKey::Manuel]
            .iter()
            .all(|service| notes.closed.contains(service)),
    ];
    let open = |key| {
        stage
            .service(key)
            .map(|service| service.url.clone())
            .unwrap_or_default()
    };
    let targets = [
        open(ServiceKey::Ecole),
        open(ServiceKey::Carnet),
        String::new(),
        open(ServiceKey::College),
        open(ServiceKey::Carnet),
        open(ServiceKey::Lycee),
        open(ServiceKey::Manuel),
        SIGN_OUT.to_owned(),
    ];
    let current = done.iter().position(|done| !done);
    let lines = words(lang, hero, (code, &account))
        .into_iter()
        .zip(targets)
        .zip(done)
        .enumerate();
    lines
        .map(|(number, (((title, sentence, label), url), done))| {
            let label = label.to_owned();
            let action = if url.is_empty() {
                (!notes.moved).then(|| StepAction::Post {
                    label,
                    action: NEXT_YEAR.to_owned(),
                })
            } else {
                Some(StepAction::Open { label, url })
            };
            let state = match (done, current == Some(number)) {
                (true, _) => StepState::Done,
                (false, true) => StepState::Current,
                (false, false) => StepState::Todo,
            };
            Step {
                title,
                sentence,
                action,
                state,
            }
        })
        .collect()
}
