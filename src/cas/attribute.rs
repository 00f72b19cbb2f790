//! In which shape a service is told what may leave: a preset, and lines of the operator's own.
//!
//! A shape only names and writes: every value comes out of a [`Disclosure`], which hands out nothing that the release policy
//! does not list. Must never read a person.

mod preset;

use super::address::Address;
use crate::domain::contact::{Address as PostalAddress, Line as PostalLine};
use crate::domain::education::Profile;
use crate::domain::relying_party::{Attribute, CasAttribute, CasPreset, CasService, CasSource, ValueFormat};
use crate::release::Disclosure;

/// What a service is told under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The name, one of XML.
    pub name: String,
    /// Values that stand on it.
    pub marks: Vec<(&'static str, String)>,
    /// What it holds.
    pub content: Content,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A value.
    Text(String),
    /// Others.
    Nodes(Vec<Node>),
}

impl Node {
    fn text(name: &str, value: String) -> Self {
        Self {
            name: name.to_owned(),
            marks: Vec::new(),
            content: Content::Text(value),
        }
    }

    fn around(name: &str, nodes: Vec<Self>) -> Self {
        Self {
            name: name.to_owned(),
            marks: Vec::new(),
            content: Content::Nodes(nodes),
        }
    }
}

/// What a service is told about a person, in its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Under which spelling the facts of the login stand; `None` where they do not.
    pub facts: Option<Facts>,
    /// What stands in `cas:attributes`.
    pub attributes: Vec<Node>,
    /// What stands beside it, directly in the answer.
    pub beside: Vec<Node>,
}

/// How the facts of the login are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facts {
    /// As appendix A has them: `authenticationDate`.
    Standard,
    /// As entcore writes them: `authenticationdate`.
    LowerCase,
}

/// One line of a shape.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    from: CasSource,
    format: ValueFormat,
    join: Option<&'a str>,
}

/// The shape of what leaves. `subject` is what the service calls the person, `address` the one the ticket was made for.
pub fn shape(service: &CasService, leaves: &Disclosure<'_>, subject: &str, address: &Address) -> Shape {
    let own: Vec<Line<'_>> = service.attributes.iter().map(line).collect();
    let writer = Writer {
        leaves,
        subject,
        address,
        own: &own,
    };
    match service.preset {
        CasPreset::Cas3 => writer.flat(preset::CAS3),
        CasPreset::Pronote => writer.flat(preset::PRONOTE),
        CasPreset::Moodle => writer.flat(preset::MOODLE),
        CasPreset::Entcore => writer.entcore(),
        CasPreset::Kne => writer.kne(),
    }
}

fn line(own: &CasAttribute) -> Line<'_> {
    Line {
        name: &own.name,
        from: own.from,
        format: own.format,
        join: own.join.as_deref(),
    }
}

/// Whether text is a name that an attribute may have in every form an answer has.
pub fn is_name(text: &str) -> bool {
    let mut symbols = text.bytes();
    let begins = |symbol: u8| symbol.is_ascii_alphabetic() || symbol == b'_';
    let goes_on = |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'_' | b'-' | b'.');
    text.len() <= 64 && symbols.next().is_some_and(begins) && symbols.all(goes_on)
}

struct Writer<'a> {
    leaves: &'a Disclosure<'a>,
    subject: &'a str,
    address: &'a Address,
    own: &'a [Line<'a>],
}

impl Writer<'_> {
    fn flat(&self, preset: &[Line<'_>]) -> Shape {
        Shape {
            facts: Some(Facts::Standard),
            attributes: self.lines(preset),
            beside: Vec::new(),
        }
    }

    /// The lines of a preset but for those that the operator has written otherwise, and the operator's.
    fn lines(&self, preset: &[Line<'_>]) -> Vec<Node> {
        let kept = preset.iter().filter(|line| !self.is_replaced(line.name));
        let mut nodes: Vec<Node> = kept.flat_map(|line| self.nodes(line)).collect();
        nodes.extend(self.own.iter().flat_map(|line| self.nodes(line)));
        nodes
    }

    fn is_replaced(&self, name: &str) -> bool {
        self.own.iter().any(|own| own.name == name)
    }

    fn nodes(&self, line: &Line<'_>) -> Vec<Node> {
        let values = self.values(line);
        let values = match line.join {
            Some(between) if !values.is_empty() => vec![values.join(between)],
            _ => values,
        };
        let node = |value| Node::text(line.name, value);
        values.into_iter().map(node).collect()
    }

    fn values(&self, line: &Line<'_>) -> Vec<String> {
        let mut written: Vec<String> = Vec::new();
        for value in self.raw(line.from) {
            if let Some(value) = format(line.format, value)
                && !written.contains(&value)
            {
                written.push(value);
            }
        }
        written
    }

    fn raw(&self, from: CasSource) -> Vec<String> {
        let of_address = |part: fn(&PostalAddress) -> Option<&PostalLine>| {
            let found = self.leaves.address().and_then(part);
            found.map(|line| line.as_str().to_owned()).into_iter().collect()
        };
        match from {
            CasSource::Subject => vec![self.subject.to_owned()],
            CasSource::Street => of_address(|address| address.street.as_ref()),
            CasSource::PostalCode => of_address(|address| address.postal_code.as_ref()),
            CasSource::Locality => of_address(|address| address.locality.as_ref()),
            _ => match from.attribute() {
                Some(
                    attribute @ (Attribute::Uai | Attribute::Level | Attribute::Class | Attribute::Profile),
                ) => self.leaves.of_schooling(attribute),
                Some(attribute) => self.leaves.text(attribute).into_iter().collect(),
                None => Vec::new(),
            },
        }
    }

    /// What services of entcore read: the person's own lines, then each school with its classes.
    fn entcore(&self) -> Shape {
        let mut inside = self.lines(preset::ENTCORE);
        let mut schools: Vec<Node> = Vec::new();
        for one in self.leaves.schooling() {
            let uai = one.get(&Attribute::Uai).cloned();
            let class = one.get(&Attribute::Class).map(|label| code_of(label));
            let known = schools
                .iter_mut()
                .find(|school| school.marks.first().map(|(_, value)| value) == uai.as_ref());
            match (known, uai, class) {
                (Some(school), _, Some(class)) => school.add_class(class),
                (Some(_), _, None) | (None, None, None) => {}
                (None, uai, class) => schools.push(school(uai, class)),
            }
        }
        if !schools.is_empty() && !self.is_replaced("schools") {
            inside.push(Node::around("schools", schools));
        }
        Shape {
            facts: Some(Facts::LowerCase),
            attributes: vec![Node::around("userAttributes", inside)],
            beside: Vec::new(),
        }
    }

    /// What KNE reads: all of it directly in the answer, lists in an element of their own. A person in several schools comes
    /// from the one that the address names (`UAI=`).
    fn kne(&self) -> Shape {
        const UAI: &str = "ENTPersonStructRattachUAI";
        let mut beside = self.lines(preset::KNE);
        if let Some(asked) = self.address.parameter("UAI") {
            let is_asked = |node: &Node| node.name == UAI && node.content == Content::Text(asked.clone());
            if beside.iter().any(is_asked) {
                beside.retain(|node| node.name != UAI || is_asked(node));
            }
        }
        for (list, one, from) in [
            ("ENTPersonProfils", "ENTPersonProfil", CasSource::Profile),
            ("ENTEleveClasses", "ENTEleveClasse", CasSource::Class),
        ] {
            let values = self.raw(from);
            if !values.is_empty() && !self.is_replaced(list) {
                let node = |value: String| Node::text(one, code_of(&value));
                beside.push(Node::around(list, values.into_iter().map(node).collect()));
            }
        }
        Shape {
            facts: None,
            attributes: Vec::new(),
            beside,
        }
    }
}

fn school(uai: Option<String>, class: Option<String>) -> Node {
    let mut school = Node::around("school", Vec::new());
    if let Some(uai) = uai {
        school.marks = vec![("UAI", uai.clone()), ("externalId", uai)];
    }
    if let Some(class) = class {
        school.add_class(class);
    }
    school
}

impl Node {
    /// One more class of a school.
    fn add_class(&mut self, class: String) {
        let class = Self::text("classe", class);
        let Content::Nodes(inside) = &mut self.content else {
            return;
        };
        match inside.first_mut().map(|classes| &mut classes.content) {
            Some(Content::Nodes(classes)) => classes.push(class),
            _ => inside.push(Self::around("classes", vec![class])),
        }
    }
}

/// The code of a class: what stands behind the school (`2345$6E A`), where that is written with it.
fn code_of(label: &str) -> String {
    label.rsplit('$').next().unwrap_or(label).to_owned()
}

fn format(format: ValueFormat, value: String) -> Option<String> {
    let profile = || value.parse::<Profile>().ok();
    match format {
        ValueFormat::Plain => Some(value),
        ValueFormat::DayFirst => {
            let mut parts = value.splitn(3, '-');
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            Some(format!("{day}/{month}/{year}"))
        }
        ValueFormat::ProfileNumber => profile().map(|profile| number(profile).to_owned()),
        ValueFormat::ProfileWord => profile().map(|profile| word(profile).to_owned()),
        ValueFormat::Mef => {
            let is_code = value.len() == 11 && value.bytes().all(|digit| digit.is_ascii_digit());
            is_code.then_some(value)
        }
    }
}

const fn number(profile: Profile) -> &'static str {
    match profile {
        Profile::Pupil => "National_1",
        Profile::Guardian => "National_2",
        Profile::Teacher | Profile::Librarian => "National_3",
        Profile::Head
        | Profile::SchoolStaff
        | Profile::Staff
        | Profile::AcademyStaff
        | Profile::AuthorityOfficer => "National_4",
    }
}

const fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Pupil => "Student",
        Profile::Guardian => "Relative",
        Profile::Teacher | Profile::Librarian => "Teacher",
        Profile::Head
        | Profile::SchoolStaff
        | Profile::Staff
        | Profile::AcademyStaff
        | Profile::AuthorityOfficer => "Personnel",
    }
}

#[cfg(test)]
pub(super) mod tests;
