//! What it means that the rows of a school do not hold somebody who is enrolled there, and the figures that guards judge by that.

use std::collections::HashSet;

use super::Frame;
use super::check::Keys;
use super::guard::Figures;
use super::spool::Row;
use crate::base::time::Date;

/// What the whole delivery says that matters to one school.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) keys: &'a Keys,
    /// Whether rows of this school's file could not be read.
    pub(super) marred: bool,
}

/// What it means that a school's rows do not hold somebody who is enrolled there.
pub(super) enum Absence {
    /// Nothing: only changes are stated.
    Stays,
    /// Their row could not be taken.
    SetAside,
    /// They are in the rows of another school: gone from here, but not from the feed.
    Elsewhere,
    /// They are gone.
    Absent,
}

impl Around<'_> {
    /// What it means of somebody with this key.
    pub(super) fn absence(self, frame: &Frame, key: Option<&str>) -> Absence {
        let is_in = |holds: fn(&Keys, &str) -> bool| key.is_some_and(|key| holds(self.keys, key));
        let crosses_schools = frame.feed.academy().is_some();
        if crosses_schools && is_in(Keys::holds) {
            Absence::Elsewhere
        } else if crosses_schools && is_in(Keys::is_set_aside) {
            Absence::SetAside
        } else if frame.delta && !is_in(Keys::is_gone) {
            Absence::Stays
        } else {
            Absence::Absent
        }
    }
}

/// Whether nobody has ended an enrolment that ends on this day before its year does.
pub(super) fn is_live(frame: &Frame, ends_on: Date) -> bool {
    ends_on >= frame.year.overlap_end()
}

/// The figures that guards judge of a school of a feed with keys of its own: `enrolled` are the keys of those whom it states
/// there this year, and the first days on which they no longer count.
pub(super) fn figures(
    frame: &Frame,
    around: Around<'_>,
    rows: &[Row],
    enrolled: &[(String, Date)],
) -> Figures {
    let stated: HashSet<&str> = rows.iter().map(|row| &*row.key).collect();
    let live = || enrolled.iter().filter(|(_, ends_on)| is_live(frame, *ends_on));
    let absent = live().filter(|(key, _)| {
        !stated.contains(&**key) && matches!(around.absence(frame, Some(key)), Absence::Absent)
    });
    Figures {
        stated: rows.len() as u64,
        live: live().count() as u64,
        absent: absent.count() as u64,
        first_load: enrolled.is_empty(),
        ..Figures::default()
    }
}
