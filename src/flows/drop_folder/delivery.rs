//! What lies in a drop folder, and where it goes. The only file that touches the disk for that.
//!
//! A sub-folder is one delivery; files that lie loose beside one another are one together. Whoever may write into the folder
//! is not trusted with more: symbolic links and special files are never followed nor opened, a file is read only where it is
//! still the very one that was listed, and names serve as names alone. Nothing is ever deleted, and a place that is taken is
//! never written over.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::report::Written;
use crate::base::time::Timestamp;
use crate::domain::uai::Uai;
use crate::flows::import;

const TAKEN: &str = ".taken";
/// What loose files are called together.
const LOOSE: &str = "fichiers";
/// Ends of the names of files that are still being written.
const GROWING: [&str; 6] = [".part", ".partial", ".filepart", ".tmp", ".crdownload", "~"];
const OK: &str = ".ok";
const DEEPEST: usize = 5;
const MOST_FILES: usize = 10_000;
/// Longest name of a delivery that is kept.
const NAME: usize = 80;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Previewed,
    Refused,
}

impl Outcome {
    /// The folder it goes to, and the word of its report.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Previewed => "previewed",
            Self::Refused => "refused",
        }
    }
}

/// What tells whether a delivery has changed.
pub(super) type Fingerprint = Vec<(PathBuf, u64, i64, u64)>;

/// A delivery that lies in the folder.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    /// What lies in the folder itself and makes it.
    entries: Vec<PathBuf>,
    pub(super) fingerprint: Fingerprint,
    /// A file says that it is complete.
    pub(super) has_ok: bool,
    /// A file says that it is not.
    pub(super) is_growing: bool,
}

/// A delivery that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Everything under a path; nothing is followed.
fn walk(path: &Path, depth: usize, found: &mut Vec<(PathBuf, Metadata)>) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        found.push((path.to_owned(), metadata));
        return Ok(());
    }
    for entry in sorted(path)? {
        if found.len() > MOST_FILES || depth > DEEPEST {
            break;
        }
        match walk(&entry, depth + 1, found) {
            // Gone between the list and the look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn sorted(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_ours(name: &str) -> bool {
    let ours = [Outcome::Done, Outcome::Previewed, Outcome::Refused];
    name.starts_with('.') || ours.iter().any(|ours| ours.as_str() == name)
}

fn ends(name: &str, end: &str) -> bool {
    name.to_lowercase().ends_with(end)
}

/// What lies in the folder.
pub(super) fn see(root: &Path) -> io::Result<Vec<Found>> {
    let mut groups: Vec<(String, Vec<PathBuf>)> = Vec::new();
    let mut loose = Vec::new();
    let mut beside = Vec::new();
    for path in sorted(root)? {
        let name = name_of(&path);
        if is_ours(&name) {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => groups.push((name, vec![path])),
            Ok(_) if ends(&name, OK) => beside.push(path),
            Ok(_) => loose.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    // `x.ok` beside the folder `x` is of that folder, every other one of the loose files.
    for ok in beside {
        let of = ok.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        match groups.iter_mut().find(|(name, _)| Some(name) == of.as_ref()) {
            Some((_, entries)) => entries.push(ok),
            None => loose.push(ok),
        }
    }
    if !loose.is_empty() {
        groups.push((LOOSE.to_owned(), loose));
    }
    let mut deliveries = Vec::new();
    for (name, entries) in groups {
        let mut files = Vec::new();
        for entry in &entries {
            walk(entry, 0, &mut files)?;
        }
        let named = |end: &str| files.iter().any(|(path, _)| ends(&name_of(path), end));
        let (has_ok, is_growing) = (named(OK), GROWING.iter().any(|end| named(end)));
        let only_ok = files.iter().all(|(path, _)| ends(&name_of(path), OK));
        if only_ok {
            continue;
        }
        let fingerprint = files
            .into_iter()
            .map(|(path, metadata)| (path, metadata.len(), metadata.mtime(), metadata.ino()))
            .collect();
        deliveries.push(Found {
            name,
            entries,
            fingerprint,
            has_ok,
            is_growing,
        });
    }
    Ok(deliveries)
}

/// A folder of that name that was not there, or of one like it.
fn make_new(parent: &Path, name: &str, mode: u32) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = match number {
            1 => parent.join(name),
            _ => parent.join(format!("{name}-{number}")),
        };
        match DirBuilder::new().mode(mode).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            made => return made.map(|()| path),
        }
    }
}

/// A folder of ours in the root. One that somebody else put a link for is refused.
fn ours(root: &Path, name: &str, mode: u32) -> io::Result<PathBuf> {
    let path = root.join(name);
    match DirBuilder::new().mode(mode).create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    if fs::symlink_metadata(&path)?.is_dir() {
        Ok(path)
    } else {
        Err(io::Error::other(format!("{} is not a folder", path.display())))
    }
}

/// Takes a delivery: from now on nobody writes into it who writes into the folder.
pub(super) fn take(root: &Path, found: &Found, now: Timestamp) -> io::Result<()> {
    let safe: String = found
        .name
        .chars()
        .map(|symbol| {
            let is_plain = symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '_' | '.');
            if is_plain { symbol } else { '_' }
        })
        .take(NAME)
        .collect();
    let stamp = now.to_string().replace([':', '-'], "");
    let place = make_new(&ours(root, TAKEN, 0o700)?, &format!("{stamp}-{safe}"), 0o700)?;
    for entry in &found.entries {
        fs::rename(entry, place.join(entry.file_name().unwrap_or(OsStr::new(LOOSE))))?;
    }
    Ok(())
}

/// What was taken and is not put away, the oldest first.
pub(super) fn taken(root: &Path) -> io::Result<Vec<Taken>> {
    let folder = ours(root, TAKEN, 0o700)?;
    let mut taken = Vec::new();
    for path in sorted(&folder)? {
        // Empty where a process ended before it moved anything.
        if fs::symlink_metadata(&path)?.is_dir() && !sorted(&path)?.is_empty() {
            let name = name_of(&path);
            taken.push(Taken { name, path });
        }
    }
    Ok(taken)
}

/// The files of a delivery, or why it is none, in French.
pub(super) fn files(
    place: &Path,
    needs_school: bool,
    school: Option<&Uai>,
) -> Result<Vec<import::File>, String> {
    let mut found = Vec::new();
    walk(place, 0, &mut found).map_err(|error| format!("la livraison ne se lit pas ({})", error.kind()))?;
    if found.len() > MOST_FILES {
        return Err(format!("plus de {MOST_FILES} fichiers dans une livraison"));
    }
    let mut files = Vec::new();
    for (path, metadata) in found {
        let name = name_of(&path);
        if !metadata.is_file() {
            return Err(format!(
                "{name} : lien symbolique ou fichier spécial ; déposez les fichiers eux-mêmes"
            ));
        }
        // Reports of a load that was interrupted after it wrote them.
        if ends(&name, OK) || name.starts_with('.') || Written::NAMES.contains(&&*name) {
            continue;
        }
        let school = needs_school.then(|| school.cloned().or_else(|| school_of(&path, place)));
        files.push(import::File {
            name: name.into(),
            school: school.flatten(),
            open: opener(path, &metadata),
        });
    }
    Ok(files)
}

/// The nearest folder above a file that is called like a school, within the delivery.
fn school_of(path: &Path, place: &Path) -> Option<Uai> {
    path.ancestors()
        .skip(1)
        .take_while(|folder| *folder != place)
        .find_map(|folder| folder.file_name()?.to_str()?.parse().ok())
}

/// Opens a file where it is still the one that was listed.
fn opener(path: PathBuf, listed: &Metadata) -> import::Opener {
    let identity = (listed.dev(), listed.ino());
    Box::new(move || {
        let file = File::open(path)?;
        let opened = file.metadata()?;
        if opened.is_file() && (opened.dev(), opened.ino()) == identity {
            Ok(Box::new(file) as Box<dyn Read + Send>)
        } else {
            Err(io::Error::other("the file was replaced meanwhile"))
        }
    })
}

/// Writes the reports beside the files and puts a delivery away; answers where it lies.
pub(super) fn put_away(
    root: &Path,
    taken: &Taken,
    outcome: Outcome,
    written: &Written,
) -> io::Result<PathBuf> {
    for (name, text) in written.files() {
        fs::write(taken.path.join(name), text)?;
    }
    let folder = ours(root, outcome.as_str(), 0o750)?;
    let place = make_new(&folder, &taken.name, 0o750)?;
    // Over an empty folder that is ours alone: a rename replaces that and nothing else.
    fs::rename(&taken.path, &place)?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn names(files: &[import::File]) -> Vec<String> {
        files
            .iter()
            .map(|file| format!("{} {:?}", file.name, file.school.as_ref().map(Uai::as_str)))
            .collect()
    }

    #[test]
    fn folders_and_loose_files_are_deliveries_and_our_own_folders_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        assert!(see(root).unwrap().is_empty());
        for path in [
            "9990001X/CSVExtraction.csv",
            "9990001X.ok",
            "ecoles/9990002Y/CSVExtraction.csv.part",
            "a.xml",
            "b.xml",
            "done/old/a.xml",
            ".taken/x",
            ".hidden",
        ] {
            write(path);
        }
        fs::create_dir(root.join("empty")).unwrap();
        let found = see(root).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|found| {
                (
                    &*found.name,
                    found.fingerprint.len(),
                    found.has_ok,
                    found.is_growing,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("9990001X", 2, true, false),
                ("ecoles", 1, false, true),
                ("fichiers", 2, false, false),
            ]
        );
        fs::remove_file(root.join(".taken/x")).unwrap();
        take(root, &found[0], NOW).unwrap();
        take(root, &found[2], NOW).unwrap();
        let all = taken(root).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].name, "20260921T141320Z-9990001X");
        assert_eq!(
            names(&files(&all[0].path, true, None).unwrap()),
            [r#"CSVExtraction.csv Some("9990001X")"#]
        );
        assert_eq!(
            names(&files(&all[1].path, false, None).unwrap()),
            ["a.xml None", "b.xml None"]
        );
        assert_eq!(
            see(root).unwrap().len(),
            1,
            "what was taken is not there any more"
        );
    }

    #[test]
    fn nothing_outside_is_read_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("drop");
        let secret = folder.path().join("secret");
        fs::create_dir_all(root.join("x/9990001X")).unwrap();
        fs::write(&secret, "secret").unwrap();
        std::os::unix::fs::symlink(&secret, root.join("x/9990001X/CSVExtraction.csv")).unwrap();
        std::os::unix::fs::symlink(folder.path(), root.join("y")).unwrap();
        for found in see(&root).unwrap() {
            take(&root, &found, NOW).unwrap();
        }
        let refused = taken(&root).unwrap();
        assert_eq!(refused.len(), 2);
        for taken in &refused {
            let why = files(&taken.path, true, None).unwrap_err();
            assert!(why.contains("lien symbolique"), "{why}");
        }
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");

        // A file that becomes a link between the list and the opening is not read.
        let place = root.join("z");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("a.csv"), "a").unwrap();
        let mut listed = files(&place, true, None).unwrap();
        fs::remove_file(place.join("a.csv")).unwrap();
        std::os::unix::fs::symlink(&secret, place.join("a.csv")).unwrap();
        assert!((listed.remove(0).open)().is_err());

        // The same name twice in a second: both stay.
        let written = Written {
            json: "{}".into(),
            text: "x".into(),
        };
        for taken in &refused {
            put_away(&root, taken, Outcome::Refused, &written).unwrap();
        }
        fs::create_dir_all(root.join("x")).unwrap();
        fs::write(root.join("x/b.csv"), "b").unwrap();
        take(&root, &see(&root).unwrap()[0], NOW).unwrap();
        let again = taken(&root).unwrap();
        let place = put_away(&root, &again[0], Outcome::Refused, &written).unwrap();
        assert!(place.ends_with("refused/20260921T141320Z-x-2"), "{place:?}");
        assert!(place.join("rapport.txt").exists() && place.join("x/b.csv").exists());
        assert_eq!(sorted(&root.join("refused")).unwrap().len(), 3);
    }
}
