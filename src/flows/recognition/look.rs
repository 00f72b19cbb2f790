//! Loads the records around what arrived or changed, as far as recognition wants to see, and asks it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::id::SourceRecordId;
use crate::base::secret::{SecretError, Vault};
use crate::continuum::facts::{Facts, IneHash, Record};
use crate::continuum::model::Model;
use crate::continuum::name::Name;
use crate::continuum::neighbourhood::{Case, Neighbourhood, Pair, Touched};
use crate::continuum::resolve::Resolution;
use crate::domain::ine::Ine;
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::match_case::{self, StoredCase};
use crate::store::person;
use crate::store::roster::{self, BlockKind, Lookup, StoredBlocks, StoredRecord};

/// What recognition saw and said.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) resolution: Resolution,
    /// Every record it saw, as the store has it.
    pub(crate) records: HashMap<SourceRecordId, StoredRecord>,
    /// Every case it saw.
    pub(crate) cases: HashMap<Pair, StoredCase>,
}

/// A record as recognition sees it.
pub(crate) fn record(stored: &StoredRecord) -> Record {
    Record {
        id: stored.id,
        identity: Some(stored.identity),
        facts: facts(stored),
    }
}

/// What recognition looks at in a record.
pub(crate) fn facts(stored: &StoredRecord) -> Facts {
    let others: Vec<String> = serde_json::from_str(&stored.other_names).unwrap_or_default();
    let family = Name::new(&stored.family_name);
    let usage = stored.usage_name.as_deref().map(Name::new);
    Facts {
        ine: stored.ine_index.map(|whole| IneHash {
            whole,
            pieces: stored.ine_pieces.as_deref().map(pieces).unwrap_or_default(),
        }),
        usage: usage.filter(|usage| !usage.is_empty() && usage.key() != family.key()),
        family,
        given: Name::new(&stored.given_name),
        others: others.iter().map(|name| Name::new(name)).collect(),
        birth_date: stored.birth_date,
        sex: stored.sex,
        source: stored.key.source,
        scope: stored.key.scope.as_str().into(),
        year: stored.year,
        school: stored.school.clone(),
        previous_school: stored.previous_school.clone(),
        grade: stored.grade.and_then(|grade| u8::try_from(grade).ok()),
        guardians: stored
            .guardians
            .as_chunks::<8>()
            .0
            .iter()
            .map(|key| u64::from_le_bytes(*key))
            .collect(),
    }
}

/// The pieces of an INE as they are kept.
fn pieces(kept: &[u8]) -> [u32; 3] {
    let mut pieces = [0; 3];
    for (piece, bytes) in pieces.iter_mut().zip(kept.as_chunks::<4>().0) {
        *piece = u32::from_le_bytes(*bytes);
    }
    pieces
}

/// The keyed hash of an INE, and those of its pieces.
pub(crate) fn ine(vault: &Vault, ine: &Ine) -> Result<IneHash, SecretError> {
    let text = ine.expose();
    let mut pieces = [0; 3];
    for ((piece, number), range) in pieces.iter_mut().zip(0..).zip([0..4, 4..8, 8..11]) {
        let part = text.get(range).unwrap_or_default();
        let hash = vault.index("ine piece", &format!("{number}{part}"))?;
        if let Some(start) = hash.first_chunk::<4>() {
            *piece = u32::from_le_bytes(*start);
        }
    }
    Ok(IneHash {
        whole: vault.index("ine", text)?,
        pieces,
    })
}

/// The pieces of an INE, to be kept.
pub(crate) fn kept_pieces(ine: &IneHash) -> Vec<u8> {
    ine.pieces.iter().flat_map(|piece| piece.to_le_bytes()).collect()
}

/// The blocks of a record, to be kept.
pub(crate) fn blocks(facts: &Facts) -> StoredBlocks {
    let blocks = facts.blocks();
    StoredBlocks {
        family: Some(blocks.family.cast_signed()),
        usage: blocks.usage.map(u64::cast_signed),
        given: Some(blocks.given.cast_signed()),
        names: Some(blocks.names.cast_signed()),
        sound: Some(blocks.sound.cast_signed()),
    }
}

/// Looks at what arrived or changed, and at what is around it.
pub(crate) async fn look(
    conn: &mut Conn,
    model: &Arc<Model>,
    touched: Vec<Touched>,
) -> Result<Seen, StoreError> {
    let mut seen = Seen::default();
    if touched.is_empty() {
        return Ok(seen);
    }
    let mut around = Neighbourhood::new(Arc::clone(model), touched);
    loop {
        let wanted = around.wanted();
        if wanted.is_empty() {
            break;
        }
        let mut records = Vec::new();
        for lookup in [
            Lookup::Ines(wanted.ines),
            Lookup::Blocks(BlockKind::Usage, wanted.blocks.family.clone()),
            Lookup::Blocks(BlockKind::Family, wanted.blocks.family),
            Lookup::Blocks(BlockKind::Given, wanted.blocks.given),
            Lookup::Blocks(BlockKind::Names, wanted.blocks.names),
            Lookup::Blocks(BlockKind::Sound, wanted.blocks.sound),
            Lookup::Identities(wanted.identities),
            Lookup::Ids(wanted.records),
        ] {
            if !lookup.is_empty() {
                records.extend(roster::find(conn, lookup).await?);
            }
        }
        let cases = if wanted.cases_of.is_empty() {
            Vec::new()
        } else {
            match_case::of_records(conn, &wanted.cases_of).await?
        };
        around.found(
            records.iter().map(record).collect(),
            cases.iter().map(case).collect(),
        );
        seen.records
            .extend(records.into_iter().map(|stored| (stored.id, stored)));
        seen.cases
            .extend(cases.into_iter().map(|stored| (pair(&stored), stored)));
    }
    let decided = around.decide();
    let contested = decided.contested();
    let in_use = if contested.is_empty() {
        Default::default()
    } else {
        person::in_use(conn, &contested).await?
    };
    seen.resolution = decided.resolve(&in_use);
    Ok(seen)
}

/// The pair of a case.
pub(crate) fn pair(stored: &StoredCase) -> Pair {
    Pair::new(stored.first, stored.second)
}

/// A case as recognition sees it.
pub(crate) fn case(stored: &StoredCase) -> Case {
    Case {
        id: stored.id,
        pair: pair(stored),
        reason: stored.reason,
        status: stored.status,
    }
}
