//! The entities of a document that [`take`](super::take) has taken, one after the other: a federation's aggregate,
//! `EntitiesDescriptor` in one another (saml-metadata §2.3.1), or a party's own `EntityDescriptor`.
//!
//! One entity is in memory at a time. What is wrong with one is told in its place, and the next one is read.

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

use super::entity::{earlier, idp_keys};
use super::take::Names;
use super::{Allowed, ReadEntity, Unusable, duration, moment, read};
use crate::base::time::Timestamp;
use crate::saml::xml::{Document, Fault, Limits, Namespace, Rendering, Stream, Tag, Token};

/// The longest entity: logos and certificates of the largest have a tenth of it.
pub(super) const LONGEST: usize = 1024 * 1024;

/// What stands in the place of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A service provider.
    Service(Box<ReadEntity>),
    /// Ourselves, with the signing keys that are said to be ours.
    Ourselves(Vec<String>),
    /// An entity that is no service provider of SAML 2.0: nothing to us.
    Other,
    /// An entity that is left out.
    Unusable {
        /// Its name, where it has a readable one.
        entity_id: Option<String>,
        /// What is wrong.
        reason: Unusable,
    },
}

/// How long what a group says holds (saml-metadata §2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its end, or that of a group around it.
    pub valid_until: Option<Timestamp>,
    /// How long it may be kept without asking again.
    pub cache_duration: Option<Duration>,
    wrong: Option<Unusable>,
}

impl Group {
    fn of(tag: &Tag, around: Option<&Self>) -> Self {
        let end = tag.attribute("validUntil").map(moment);
        let cache = tag.attribute("cacheDuration").map(duration);
        let wrong = match (end, cache) {
            (Some(None), _) => Some(Unusable::Moment("group's validUntil")),
            (_, Some(None)) => Some(Unusable::Moment("group's cacheDuration")),
            _ => around.and_then(|around| around.wrong.clone()),
        };
        Self {
            valid_until: earlier(end.flatten(), around.and_then(|around| around.valid_until)),
            cache_duration: earlier(cache.flatten(), around.and_then(|around| around.cache_duration)),
            wrong,
        }
    }
}

impl Group {
    /// That what it says can be read, and that it is not over.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Unusable> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        match self.valid_until.filter(|end| *end <= now) {
            Some(end) => Err(Unusable::Expired(end)),
            None => Ok(()),
        }
    }
}

/// An entity's own document, and the group that it is in.
pub(super) type InGroup = (Option<Vec<u8>>, Option<Group>);

/// The entities of a document.
pub struct Entities<R: BufRead> {
    stream: Stream<R>,
    /// The groups that are open, the innermost last.
    groups: Vec<Group>,
    root: Option<Group>,
    allowed: Allowed,
    own: Arc<str>,
    repeated: Names,
    now: Timestamp,
    is_over: bool,
}

impl<R: BufRead> Entities<R> {
    /// The entities of canonical bytes. `own` is our entityID, `repeated` the names that [`take`](super::take) met twice.
    pub fn new(input: R, allowed: Allowed, own: Arc<str>, repeated: Names, now: Timestamp) -> Self {
        Self {
            // As long as it may be was decided when it was taken.
            stream: Stream::new(
                input,
                Limits {
                    bytes: usize::MAX,
                    ..Limits::METADATA
                },
            ),
            groups: Vec::new(),
            root: None,
            allowed,
            own,
            repeated,
            now,
            is_over: false,
        }
    }

    /// How long the whole document holds, once the first entity was asked for; `None` where it is one entity.
    pub fn root(&self) -> Option<&Group> {
        self.root.as_ref()
    }

    /// The one entity of a name, as a document of its own, with the group that it is in; what comes after it is not looked
    /// at. `None` inside where it is longer than is read.
    pub(super) fn find(&mut self, wanted: &str) -> Result<Option<InGroup>, Fault> {
        loop {
            match self.stream.next_token()? {
                Token::Open(tag) if tag.is(Namespace::Md, "EntitiesDescriptor") => {
                    self.groups.push(Group::of(&tag, self.groups.last()));
                }
                Token::Open(tag)
                    if tag.is(Namespace::Md, "EntityDescriptor")
                        && tag.attribute("entityID") == Some(wanted) =>
                {
                    let bytes = self.gather(&tag)?;
                    return Ok(Some((bytes, self.groups.last().cloned())));
                }
                Token::Open(_) => self.skip()?,
                Token::Text(_) => {}
                Token::Close => drop(self.groups.pop()),
                Token::End => return Ok(None),
            }
        }
    }

    fn advance(&mut self) -> Result<Option<Found>, Fault> {
        loop {
            match self.stream.next_token()? {
                Token::Open(tag) if tag.is(Namespace::Md, "EntitiesDescriptor") => {
                    let group = Group::of(&tag, self.groups.last());
                    self.root.get_or_insert_with(|| group.clone());
                    self.groups.push(group);
                }
                Token::Open(tag) if tag.is(Namespace::Md, "EntityDescriptor") => {
                    return self.entity(&tag).map(Some);
                }
                Token::Open(_) => self.skip()?,
                Token::Text(_) => {}
                Token::Close => drop(self.groups.pop()),
                Token::End => return Ok(None),
            }
        }
    }

    /// Passes over the element that just opened.
    fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.stream.next_token()? {
                Token::Open(_) => depth += 1,
                Token::Close => depth -= 1,
                Token::Text(_) => {}
                Token::End => break,
            }
        }
        Ok(())
    }

    fn entity(&mut self, tag: &Tag) -> Result<Found, Fault> {
        let bytes = self.gather(tag)?;
        let named = tag.attribute("entityID").map(super::label::short);
        let entity_id = named.filter(|name| !name.is_empty());
        Ok(match self.judge(tag, bytes) {
            Ok(found) => found,
            Err(Unusable::NotAService) => Found::Other,
            Err(reason) => Found::Unusable { entity_id, reason },
        })
    }

    fn judge(&self, tag: &Tag, bytes: Option<Vec<u8>>) -> Result<Found, Unusable> {
        let bytes = bytes.ok_or(Unusable::TooLong(LONGEST))?;
        if tag.attribute("entityID").is_some_and(|id| self.repeated.has(id)) {
            return Err(Unusable::Repeated);
        }
        let document = Document::read(&bytes, &Limits::METADATA)?;
        if tag.attribute("entityID") == Some(&*self.own) {
            return Ok(Found::Ourselves(idp_keys(document.root())));
        }
        let mut entity = read(document.root(), self.allowed, self.now)?;
        if let Some(group) = self.groups.last() {
            group.check(self.now)?;
            // What the root says is kept once, with the source; what a group inside says is the entity's own.
            if self.groups.len() > 1 {
                entity.valid_until = earlier(entity.valid_until, group.valid_until);
                entity.cache_duration = earlier(entity.cache_duration, group.cache_duration);
            }
        }
        Ok(Found::Service(Box::new(entity)))
    }

    /// The entity that just opened, as a document of its own; `None` where it is too long, all of it passed over.
    fn gather(&mut self, tag: &Tag) -> Result<Option<Vec<u8>>, Fault> {
        let mut kept = Some(Rendering::new(Bounded(Vec::new()), &[]));
        let mut depth = 1_usize;
        let mut token = Token::Open(tag.clone());
        loop {
            if let Some(rendering) = &mut kept {
                let written = match &token {
                    Token::Open(tag) => rendering.open(tag, self.stream.scope()),
                    Token::Text(text) => rendering.text(text),
                    Token::Close | Token::End => rendering.close(),
                };
                if written.is_err() {
                    kept = None;
                }
            }
            if depth == 0 {
                let bytes = kept.and_then(|rendering| rendering.finish().ok());
                return Ok(bytes.map(|bytes| bytes.0));
            }
            token = self.stream.next_token()?;
            match token {
                Token::Open(_) => depth += 1,
                Token::Close | Token::End => depth -= 1,
                Token::Text(_) => {}
            }
        }
    }
}

/// Memory that takes no more than one entity may have.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<R: BufRead> Iterator for Entities<R> {
    type Item = Result<Found, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let found = self.advance();
        self.is_over = !matches!(found, Ok(Some(_)));
        found.transpose()
    }
}
