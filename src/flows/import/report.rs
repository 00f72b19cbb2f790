//! What a load would do, or did.

use std::ops::AddAssign;

use super::Concern;
use crate::base::id::ImportRunId;
use crate::domain::education::SchoolYear;
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::roster::{RowIssue, Severity};

/// Of the rows that were set aside or complained about, so many are kept; all are counted.
const MOST_ISSUES: usize = 10_000;

/// Counts of one school, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pupils the files state.
    pub stated: u64,
    /// Records that were not known.
    pub new: u64,
    /// Of these, recognised as somebody known.
    pub recognised: u64,
    /// Records that are exactly as they were.
    pub unchanged: u64,
    /// Records whose facts changed: a name, a birth date, a number.
    pub changed: u64,
    /// Records known from another year that enter this one.
    pub entering: u64,
    /// Records in another class or school than before.
    pub moved: u64,
    /// Records that had left and are back.
    pub returning: u64,
    /// Records that the files no longer state.
    pub departing: u64,
    /// Records that the files no longer state, kept because rows of the file could not be read.
    pub held: u64,
    /// Classes that were not known, or changed their label.
    pub classes: u64,
    /// Cases opened for a human.
    pub cases: u64,
    /// Identities made one.
    pub merges: u64,
    /// Records separated from an identity that nobody used yet.
    pub separated: u64,
    /// Adults the files state, in each school they are of.
    pub adults: u64,
    /// Of these, adults who were not known.
    pub adults_new: u64,
    /// Adults recognised as somebody known: by their children, by a key of the other degree, by birth date.
    pub adults_recognised: u64,
    /// Adults whose facts changed.
    pub adults_changed: u64,
    /// Adults, links or classes taught that are for a human to sort out.
    pub adults_unclear: u64,
    /// Adults said to answer for a child, newly or otherwise than before.
    pub tied: u64,
    /// Adults said to do so no more.
    pub untied: u64,
}

impl Counts {
    /// Each count with its name, for people and programs.
    pub fn named(&self) -> [(&'static str, u64); 21] {
        [
            ("stated", self.stated),
            ("new", self.new),
            ("recognised", self.recognised),
            ("unchanged", self.unchanged),
            ("changed", self.changed),
            ("entering", self.entering),
            ("moved", self.moved),
            ("returning", self.returning),
            ("departing", self.departing),
            ("held", self.held),
            ("classes", self.classes),
            ("cases", self.cases),
            ("merges", self.merges),
            ("separated", self.separated),
            ("adults", self.adults),
            ("adults_new", self.adults_new),
            ("adults_recognised", self.adults_recognised),
            ("adults_changed", self.adults_changed),
            ("adults_unclear", self.adults_unclear),
            ("tied", self.tied),
            ("untied", self.untied),
        ]
    }

    /// Whether nothing at all changes.
    pub fn is_quiet(&self) -> bool {
        let quiet = Self {
            stated: self.stated,
            unchanged: self.unchanged,
            held: self.held,
            adults: self.adults,
            adults_unclear: self.adults_unclear,
            ..Self::default()
        };
        *self == quiet
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.stated += other.stated;
        self.new += other.new;
        self.recognised += other.recognised;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
        self.entering += other.entering;
        self.moved += other.moved;
        self.returning += other.returning;
        self.departing += other.departing;
        self.held += other.held;
        self.classes += other.classes;
        self.cases += other.cases;
        self.merges += other.merges;
        self.separated += other.separated;
        self.adults += other.adults;
        self.adults_new += other.adults_new;
        self.adults_recognised += other.adults_recognised;
        self.adults_changed += other.adults_changed;
        self.adults_unclear += other.adults_unclear;
        self.tied += other.tied;
        self.untied += other.untied;
    }
}

/// One school of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchoolReport {
    /// The school.
    pub school: Uai,
    /// What happens there.
    pub counts: Counts,
}

/// Rows that were set aside or complained about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Issues {
    pub(super) kept: Vec<RowIssue>,
    pub(super) errors: u64,
    pub(super) warnings: u64,
}

impl Issues {
    pub(super) fn push(&mut self, issue: RowIssue) {
        match issue.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.kept.len() < MOST_ISSUES {
            self.kept.push(issue);
        }
    }
}

/// What a load would do, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The run, where it was applied.
    pub run: Option<ImportRunId>,
    /// The source.
    pub source: Source,
    /// The year.
    pub year: SchoolYear,
    /// Every school, by UAI.
    pub schools: Vec<SchoolReport>,
    /// All schools together.
    pub total: Counts,
    /// Schools that the feed made known or changed.
    pub establishments: u64,
    /// What the guards say: in a preview what would refuse it, in an applied run what was overridden.
    pub concerns: Vec<Concern>,
    /// Rows set aside or complained about, the first ten thousand.
    pub issues: Vec<RowIssue>,
    /// Rows set aside.
    pub errors: u64,
    /// Rows taken with a complaint.
    pub warnings: u64,
}
