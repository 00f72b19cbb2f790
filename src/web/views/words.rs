//! Owns the table of every word that a page shows, and its two columns `fr` and `en`. A missing translation does not
//! compile. Must never hold HTML: a sentence is text, and templates escape it.
//!
//! Children are addressed by "tu" (class, picture code, leaving), everybody else by "vous".

mod en;
pub(super) mod facts;
mod fr;

use super::lang::Lang;

/// A sentence around one value.
type With = fn(&str) -> String;
type Text = &'static str;

/// All words of one language.
pub(super) struct Words {
    pub(super) layout: Layout,
    pub(super) login: Login,
    pub(super) entry: Entry,
    pub(super) class: Class,
    pub(super) picture: Picture,
    pub(super) home: Home,
    pub(super) leave: Leave,
    pub(super) notice: Notice,
    pub(super) account: Account,
    pub(super) onward: Onward,
    pub(super) error: Errors,
    pub(super) access: Access,
    pub(super) cards: Cards,
    pub(super) demo: Demo,
    pub(super) service: Service,
}

pub(super) struct Layout {
    pub(super) language: Text,
    pub(super) skip: Text,
    pub(super) home: Text,
    pub(super) accessibility: Text,
    pub(super) tagline: Text,
    pub(super) second: With,
    pub(super) seconds: With,
    pub(super) minutes: With,
}

pub(super) struct Login {
    pub(super) title: Text,
    pub(super) title_problem: Text,
    pub(super) heading: Text,
    pub(super) to_service: With,
    pub(super) username: Text,
    pub(super) password: Text,
    pub(super) show: Text,
    pub(super) hide: Text,
    pub(super) sign_in: Text,
    pub(super) forgotten: Text,
    pub(super) forgotten_what: Text,
    pub(super) cancel: With,
    pub(super) class_heading: Text,
    pub(super) class_link: Text,
    pub(super) ways_heading: Text,
    pub(super) way: With,
    pub(super) last_time: Text,
    pub(super) pupils_first: Text,
    pub(super) pupils_second: Text,
    pub(super) guardians: Text,
    pub(super) staff: Text,
    pub(super) or_here: Text,
    pub(super) first_by: With,
    pub(super) refused: Text,
    pub(super) wait: With,
    pub(super) expired: Text,
}

pub(super) struct Entry {
    pub(super) title: Text,
    pub(super) title_problem: Text,
    pub(super) heading: Text,
    pub(super) code: Text,
    pub(super) go: Text,
    pub(super) where_is_it: Text,
    pub(super) note: Text,
    pub(super) password_instead: Text,
    pub(super) unknown: Text,
}

pub(super) struct Class {
    pub(super) title: With,
    pub(super) heading: Text,
    pub(super) pupils: Text,
    pub(super) not_listed: Text,
    pub(super) not_listed_what: Text,
    pub(super) other_class: Text,
    pub(super) adult: Text,
    pub(super) empty: Text,
}

pub(super) struct Picture {
    pub(super) title: With,
    pub(super) title_wrong: Text,
    pub(super) title_wait: Text,
    pub(super) heading: With,
    pub(super) instruction: Text,
    pub(super) pictures: Text,
    pub(super) picked: With,
    pub(super) again: Text,
    pub(super) not_me: Text,
    pub(super) wrong: Text,
    pub(super) wait_heading: Text,
    pub(super) wait: With,
    pub(super) retry: Text,
    pub(super) sending: Text,
}

pub(super) struct Home {
    pub(super) title: Text,
    pub(super) hello: With,
    pub(super) services: Text,
    pub(super) none: Text,
    pub(super) done: Text,
    pub(super) done_why: Text,
    pub(super) children: Text,
    pub(super) no_school: Text,
    pub(super) child_missing: Text,
    pub(super) account: Text,
    pub(super) comes: fn(service: &str, day: &str) -> String,
}

pub(super) struct Leave {
    pub(super) title: Text,
    pub(super) heading: Text,
    pub(super) from_service: With,
    pub(super) what: Text,
    pub(super) yes: Text,
    pub(super) stay: Text,
    pub(super) gone_title: Text,
    pub(super) gone_heading: Text,
    pub(super) gone: Text,
    pub(super) closed: Text,
    pub(super) asked: Text,
    pub(super) told: Text,
    pub(super) over: Text,
    pub(super) not_over: Text,
    pub(super) still_open: Text,
    pub(super) visits: Text,
    pub(super) back: With,
    pub(super) class: Text,
    pub(super) again: Text,
}

pub(super) struct Notice {
    pub(super) title: With,
    pub(super) heading: With,
    pub(super) will_know: Text,
    pub(super) will_know_more: Text,
    pub(super) nothing_else: Text,
    pub(super) nobody: Text,
    pub(super) new: Text,
    pub(super) go: Text,
    pub(super) ask_title: With,
    pub(super) ask_heading: With,
    pub(super) ask: Text,
    pub(super) ask_more: Text,
    pub(super) receiver: Text,
    pub(super) identifier: Text,
    pub(super) identifier_what: Text,
    pub(super) why: With,
    pub(super) offline: Text,
    pub(super) scope: With,
    pub(super) later: Text,
    pub(super) allow: Text,
    pub(super) refuse: Text,
    pub(super) policy: Text,
    pub(super) terms: Text,
}

pub(super) struct Account {
    pub(super) title: Text,
    pub(super) heading: Text,
    pub(super) intro: Text,
    pub(super) intro_child: Text,
    pub(super) none: Text,
    pub(super) knows: Text,
    pub(super) since: With,
    pub(super) nobody: Text,
    pub(super) nobody_child: Text,
    pub(super) withdraw: With,
    pub(super) withdraw_what: Text,
    pub(super) withdrawn: With,
    pub(super) back: Text,
}

pub(super) struct Errors {
    pub(super) request_id: Text,
    pub(super) home: Text,
    pub(super) bad_request: Failure,
    pub(super) forbidden: Failure,
    pub(super) not_yet: Failure,
    pub(super) waits: Failure,
    pub(super) opens_on: With,
    pub(super) expired: Failure,
    pub(super) too_many: Failure,
    pub(super) internal: Failure,
    pub(super) unavailable: Failure,
    pub(super) not_found: Failure,
}

pub(super) struct Failure {
    pub(super) title: Text,
    pub(super) sentence: Text,
    pub(super) advice: Text,
}

pub(super) struct Access {
    pub(super) title: Text,
    pub(super) heading: Text,
    pub(super) intro: Text,
    pub(super) intro_operator: With,
    pub(super) state_heading: Text,
    pub(super) state: Text,
    pub(super) done_heading: Text,
    pub(super) done: &'static [Text],
    pub(super) limits_heading: Text,
    pub(super) limits: &'static [Text],
    pub(super) contact_heading: Text,
    pub(super) contact: Text,
    pub(super) contact_none: Text,
    pub(super) contact_email: Text,
    pub(super) defender_heading: Text,
    pub(super) defender: Text,
    pub(super) defender_link: Text,
    pub(super) defender_post: Text,
}

pub(super) struct Onward {
    pub(super) title: Text,
    pub(super) heading: Text,
    pub(super) go: Text,
}

pub(super) struct Cards {
    pub(super) title: With,
    pub(super) heading: Text,
    pub(super) how: &'static [Text],
    pub(super) secret: Text,
    pub(super) print: Text,
    pub(super) address: Text,
    pub(super) code: Text,
    pub(super) pupils: Text,
    pub(super) card_code: Text,
}

pub(super) struct Demo {
    pub(super) title: Text,
    pub(super) heading: Text,
    pub(super) intro: Text,
    pub(super) intro_more: Text,
    pub(super) steps: Text,
    pub(super) done: Text,
    pub(super) current: Text,
    pub(super) todo: Text,
    pub(super) cast: Text,
    pub(super) cast_what: Text,
    pub(super) code_of: With,
    pub(super) class_of: With,
    pub(super) services: Text,
    pub(super) year: Text,
    pub(super) year_what: Text,
    pub(super) load: Text,
    pub(super) loaded: Text,
    pub(super) reset: Text,
    pub(super) reset_what: Text,
}

pub(super) struct Service {
    pub(super) badge: Text,
    pub(super) tour: Text,
    pub(super) welcome: Text,
    pub(super) signed_out: Text,
    pub(super) sign_in: Text,
    pub(super) hello: With,
    pub(super) hello_nobody: Text,
    pub(super) your_identifier: Text,
    pub(super) what_it_is: Text,
    pub(super) first_time: Text,
    pub(super) previous: Text,
    pub(super) same: Text,
    pub(super) different: Text,
    pub(super) claims: Text,
    pub(super) claim: Text,
    pub(super) value: Text,
    pub(super) sign_out: Text,
}

impl Lang {
    /// The words of this language.
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Fr => &fr::WORDS,
            Self::En => &en::WORDS,
        }
    }
}

impl Words {
    /// A time to wait, in the unit that a person would use.
    pub(super) fn duration(&self, seconds: u32) -> String {
        match seconds {
            0 | 1 => (self.layout.second)("1"),
            2..=90 => (self.layout.seconds)(&seconds.to_string()),
            _ => (self.layout.minutes)(&seconds.div_ceil(60).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_a_person_would() {
        assert_eq!(Lang::Fr.words().duration(0), "1 seconde");
        assert_eq!(Lang::Fr.words().duration(45), "45 secondes");
        assert_eq!(Lang::En.words().duration(121), "3 minutes");
    }
}
