//! Archives of deliveries (`.zip`, `.tgz`, `.tar.gz`), taken apart into anonymous temporary files.
//!
//! What a file is, is told by its first bytes, never by its name. Files come out in pieces, whatever their size; what an
//! archive may come to is bounded. Must never write to a path that an archive names, follow a link, open an archive
//! inside of another, or go on with one that lies about its size.

use std::fs::File as Disk;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;

use super::{File, ImportError};
use crate::roster::Unreadable;

/// The most files of one archive.
const MOST_FILES: usize = 10_000;
/// The most bytes that one archive comes to; the largest academy delivers five thousand million.
const LARGEST: u64 = 32 * 1024 * 1024 * 1024;
/// The most bytes of an archive itself.
const LARGEST_ARCHIVE: u64 = 8 * 1024 * 1024 * 1024;
/// How many bytes may come out of one: XML of real deliveries is thirty to one.
const RATIO: u64 = 200;
/// Below this, nobody is hurt whatever the ratio.
const SMALL: u64 = 16 * 1024 * 1024;

/// Takes archives apart; other files stay as they are, in the order in which they came.
///
/// # Errors
/// [`Unreadable`] for an archive that is broken, too large, or made to harm.
pub(super) fn unpack(files: Vec<File>) -> Result<Vec<File>, ImportError> {
    let mut unpacked = Vec::new();
    for file in files {
        let File { name, school, open } = file;
        let mut input =
            open().map_err(|error| bad(&name, &format!("le fichier ne s'ouvre pas ({})", error.kind())))?;
        let mut head = [0; 4];
        let read = fill(&mut input, &mut head).map_err(|error| bad(&name, &interrupted(&error)))?;
        let (head, _) = head.split_at(read);
        let whole = Cursor::new(head.to_vec()).chain(input);
        let found = match kind(head) {
            None => {
                unpacked.push(File {
                    name,
                    school,
                    open: Box::new(move || Ok(Box::new(whole))),
                });
                continue;
            }
            Some(Kind::Zip) => of_zip(whole, &name),
            Some(Kind::Gzip) => of_tar(whole, &name),
        };
        for (inner, content) in found.map_err(|message| bad(&name, &message))? {
            unpacked.push(File {
                name: inner.into(),
                school: school.clone(),
                open: Box::new(move || Ok(Box::new(content))),
            });
        }
    }
    Ok(unpacked)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    Gzip,
}

fn kind(head: &[u8]) -> Option<Kind> {
    match head {
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Some(Kind::Zip),
        [0x1F, 0x8B, ..] => Some(Kind::Gzip),
        _ => None,
    }
}

fn fill(input: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = room.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn bad(name: &Arc<str>, message: &str) -> Unreadable {
    Unreadable {
        file: Arc::clone(name),
        line: 1,
        column: 1,
        message: message.to_owned(),
    }
}

fn interrupted(error: &io::Error) -> String {
    format!("lecture interrompue ({})", error.kind())
}

type Found = Result<Vec<(String, Slice)>, String>;

/// One file of an archive, in the one temporary file that holds them all: an academy has more files than a process may
/// have open.
struct Slice {
    disk: Arc<Mutex<Disk>>,
    at: u64,
    end: u64,
}

impl Read for Slice {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = out.len().min(left);
        let Some(room) = out.get_mut(..length).filter(|room| !room.is_empty()) else {
            return Ok(0);
        };
        let mut disk = self.disk.lock().map_err(|_| io::Error::other("poisoned"))?;
        disk.seek(SeekFrom::Start(self.at))?;
        let read = disk.read(room)?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        self.at += read as u64;
        Ok(read)
    }
}

/// What an archive has come to so far, and where it is kept.
struct Budget {
    disk: Disk,
    at: u64,
    /// Bytes that may still come out.
    left: u64,
    files: usize,
    found: Vec<(String, u64, u64)>,
}

impl Budget {
    fn new(left: u64) -> Result<Self, String> {
        Ok(Self {
            disk: tempfile::tempfile().map_err(|error| interrupted(&error))?,
            at: 0,
            left,
            files: 0,
            found: Vec::new(),
        })
    }

    /// One more file, by the name that the archive gives it; `None` for one that is nobody's delivery.
    fn file(&mut self, path: &str) -> Result<Option<String>, String> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(format!("archive de plus de {MOST_FILES} fichiers"));
        }
        name_of(path)
    }

    /// Copies a file out and answers its length; the budget ends before the disk does.
    fn copy(&mut self, name: String, mut input: impl Read) -> Result<u64, String> {
        let mut head = [0; 4];
        let read = fill(&mut input, &mut head).map_err(|error| broken(&error))?;
        let (head, _) = head.split_at(read);
        if kind(head).is_some() {
            return Err("archive dans une archive : décompressez-la d'abord".to_owned());
        }
        self.disk.write_all(head).map_err(|error| interrupted(&error))?;
        let mut limited = input.take(self.left.saturating_add(1));
        let copied = io::copy(&mut limited, &mut self.disk).map_err(|error| broken(&error))? + read as u64;
        if copied > self.left {
            return Err(GROWS.to_owned());
        }
        self.left -= copied;
        self.found.push((name, self.at, self.at + copied));
        self.at += copied;
        Ok(copied)
    }

    fn found(self) -> Vec<(String, Slice)> {
        let disk = Arc::new(Mutex::new(self.disk));
        let slice = |(name, at, end)| {
            let disk = Arc::clone(&disk);
            (name, Slice { disk, at, end })
        };
        self.found.into_iter().map(slice).collect()
    }
}

const GROWS: &str = "archive qui grossit démesurément à la décompression : elle n'est pas lue";

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => GROWS.to_owned(),
        kind => format!("archive abîmée ou tronquée ({kind})"),
    }
}

/// The name of a file, without its folders; a path that leads out of the archive is refused.
fn name_of(path: &str) -> Result<Option<String>, String> {
    let leads_out = path.starts_with(['/', '\\']) || path.contains([':', '\0', '\\']);
    if leads_out || path.split('/').any(|part| part == "..") {
        return Err(
            "archive avec un chemin interdit (absolu, « .. » ou « \\ ») : elle n'est pas lue".to_owned(),
        );
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let of_a_mac = path.split('/').any(|part| part == "__MACOSX") || name.starts_with('.');
    Ok((!of_a_mac && !name.is_empty()).then(|| name.to_owned()))
}

fn of_zip(input: impl Read, name: &Arc<str>) -> Found {
    let mut archive = tempfile::tempfile().map_err(|error| interrupted(&error))?;
    let size =
        io::copy(&mut input.take(LARGEST_ARCHIVE + 1), &mut archive).map_err(|error| interrupted(&error))?;
    if size > LARGEST_ARCHIVE {
        return Err("archive de plus de 8 Gio".to_owned());
    }
    let broken = || format!("{name} n'est pas une archive zip lisible : abîmée ou tronquée");
    let mut archive = zip::ZipArchive::new(archive).map_err(|_| broken())?;
    let mut budget = Budget::new(LARGEST.min(SMALL.max(size.saturating_mul(RATIO))))?;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(_) | zip::result::ZipError::InvalidPassword => {
                "archive chiffrée ou d'une compression inconnue : elle n'est pas lue".to_owned()
            }
            _ => broken(),
        })?;
        if entry.is_symlink() {
            return Err("archive avec un lien : elle n'est pas lue".to_owned());
        }
        let path = entry.name().map_err(|_| broken())?.into_owned();
        let named = budget.file(&path)?;
        if entry.is_dir() {
            continue;
        }
        if let Some(named) = named {
            budget.copy(named, entry)?;
        }
    }
    Ok(budget.found())
}

/// Counts what has been taken from an archive, to hold against what came out.
struct Counted<R> {
    input: R,
    taken: std::rc::Rc<std::cell::Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.taken.set(self.taken.get() + read as u64);
        Ok(read)
    }
}

/// Ends the reading of what grows out of proportion.
struct Bounded<R> {
    input: R,
    taken: std::rc::Rc<std::cell::Cell<u64>>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.given += read as u64;
        let taken = self.taken.get();
        let most = LARGEST.min(SMALL.max(taken.saturating_mul(RATIO)));
        if self.given > most || taken > LARGEST_ARCHIVE {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(read)
    }
}

fn of_tar(input: impl Read, name: &Arc<str>) -> Found {
    let taken = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = Counted {
        input,
        taken: std::rc::Rc::clone(&taken),
    };
    let bounded = Bounded {
        input: MultiGzDecoder::new(counted),
        taken,
        given: 0,
    };
    let mut archive = tar::Archive::new(bounded);
    let mut budget = Budget::new(LARGEST)?;
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let entry = entry.map_err(|error| broken(&error))?;
        let kind = entry.header().entry_type();
        let path = entry.path_bytes();
        let path = String::from_utf8_lossy(&path).into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let named = budget.file(&path)?;
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            return Err("archive avec un lien ou un fichier spécial : elle n'est pas lue".to_owned());
        }
        if let Some(named) = named {
            let size = entry.size();
            // A member cut short is a shorter file to whoever reads it: it is told here.
            if budget.copy(named, entry)? != size {
                return Err(format!(
                    "{name} est tronquée : un de ses fichiers est plus court qu'annoncé"
                ));
            }
        }
    }
    if budget.files == 0 {
        return Err(format!(
            "{name} n'est pas une archive tar.gz lisible : vide ou abîmée"
        ));
    }
    Ok(budget.found())
}

#[cfg(test)]
mod tests;
