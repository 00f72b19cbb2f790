//! Enrolment: an identity in a school, in a class, from–to, in one school year, by one source.

use super::education::{Profile, SchoolYear};
use super::uai::Uai;
use crate::base::id::{ClassGroupId, EnrolmentId, IdentityId};
use crate::base::time::Date;

/// A dated relation; several may be live at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who.
    pub identity: IdentityId,
    /// Where.
    pub school: Uai,
    /// In which class, where known.
    pub class: Option<ClassGroupId>,
    /// The label of that class, for those who show or release it.
    pub class_label: Option<String>,
    /// The level (`CM2`, `6EME`), where known.
    pub level: Option<String>,
    /// As what.
    pub profile: Profile,
    /// In which school year.
    pub year: SchoolYear,
    /// First day.
    pub starts_on: Date,
    /// First day it no longer counts.
    pub ends_on: Date,
    /// The day from which it opens services, where an access date holds for it ([`super::access_date`]).
    pub opens_on: Option<Date>,
}

impl Enrolment {
    /// Whether it counts on `day`.
    pub fn is_live(&self, day: Date) -> bool {
        self.starts_on <= day && day < self.ends_on
    }
}
