//! Files that only their owner may read: the database, and the master key, which is made at first start and refused
//! where others could read it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::AppError;
use crate::base::random::Random;
use crate::base::secret::MasterKey;

/// Makes the folder of a file, for its owner only, where it is missing.
fn private_folder(file: &Path) -> Result<(), AppError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| AppError::file(folder, &error)),
        _ => Ok(()),
    }
}

/// Makes an empty file, for its owner only, where it is missing: SQLite then keeps its rights for the files beside it.
pub(super) fn private_file(path: &Path) -> Result<(), AppError> {
    private_folder(path)?;
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(AppError::file(path, &error)),
        _ => Ok(()),
    }
}

/// The key of a file; a new one where there is no file yet. Of two programs that start at once, one makes it.
pub(super) fn load_or_make(path: &Path, random: &dyn Random) -> Result<MasterKey, AppError> {
    private_folder(path)?;
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(mut file) => {
            let key = MasterKey::generate(random);
            let text = key.to_hex();
            file.write_all(format!("{}\n", text.expose()).as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(|error| AppError::file(path, &error))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => load(path),
        Err(error) => Err(AppError::file(path, &error)),
    }
}

fn load(path: &Path) -> Result<MasterKey, AppError> {
    let rights = std::fs::metadata(path)
        .map_err(|error| AppError::file(path, &error))?
        .permissions()
        .mode();
    if rights & 0o077 != 0 {
        let message = format!(
            "others may read the master key (rights {:o}); run: chmod 600 it",
            rights & 0o777
        );
        return Err(AppError::file(path, &message));
    }
    let text = std::fs::read_to_string(path).map_err(|error| AppError::file(path, &error))?;
    MasterKey::from_hex(&text)
        .ok_or_else(|| AppError::file(path, &"does not hold a master key (64 hexadecimal digits)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    #[test]
    fn a_key_is_made_once_kept_private_and_refused_where_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/master.key");
        let random = SeededRandom::new(1);
        let made = load_or_make(&path, &random).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(load_or_make(&path, &random).unwrap().to_hex(), made.to_hex());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(
            load_or_make(&path, &random)
                .unwrap_err()
                .to_string()
                .contains("chmod 600")
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "short").unwrap();
        assert!(load_or_make(&path, &random).is_err());
    }
}
