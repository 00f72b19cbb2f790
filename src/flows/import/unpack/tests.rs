//! Archives as they are delivered, and as they are made to harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::*;

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A member as it is written, whatever its path and kind: the crate's own writer refuses the bad ones.
fn member(out: &mut Vec<u8>, path: &str, kind: u8, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    header.as_mut_bytes()[156] = kind;
    header.set_cksum();
    out.extend(header.as_bytes());
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn tarred(files: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, kind, content) in files {
        member(&mut out, path, *kind, content);
    }
    out.resize(out.len() + 1024, 0);
    gzipped(&out)
}

fn open(name: &str, bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let file = File::of_bytes(name, None, bytes);
    match unpack(vec![file]) {
        Ok(files) => Ok(files
            .into_iter()
            .map(|file| {
                let mut content = Vec::new();
                (file.open)().unwrap().read_to_end(&mut content).unwrap();
                (file.name.to_string(), content)
            })
            .collect()),
        Err(ImportError::Unreadable(refused)) => {
            assert_eq!(&*refused.file, name);
            Err(refused.message)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn archives_are_told_by_their_bytes_and_give_their_files() {
    let expected = [
        ("A.xml".to_owned(), b"<a/>".to_vec()),
        ("B.xml".to_owned(), b"".to_vec()),
    ];
    let zip = zipped(&[("set/A.xml", b"<a/>"), ("__MACOSX/._A.xml", b"x"), ("B.xml", b"")]);
    assert_eq!(open("ExportXML.zip", zip.clone()).unwrap(), expected);
    assert_eq!(open("renamed.xml", zip).unwrap(), expected);
    let tar = tarred(&[
        ("./set", b'5', b""),
        ("./set/A.xml", b'0', b"<a/>"),
        ("B.xml", b'0', b""),
    ]);
    assert_eq!(open("ENT1D.20260901.tgz", tar).unwrap(), expected);
    let plain = open("A.xml", b"<a/>".to_vec()).unwrap();
    assert_eq!(plain, [("A.xml".to_owned(), b"<a/>".to_vec())]);
    assert_eq!(open("empty.xml", Vec::new()).unwrap()[0].1, b"");
}

#[test]
fn paths_that_lead_out_and_links_are_refused() {
    for path in [
        "../A.xml",
        "a/../../A.xml",
        "/etc/A.xml",
        "a\\..\\A.xml",
        "C:A.xml",
    ] {
        let said = open("x.tgz", tarred(&[(path, b'0', b"x")])).unwrap_err();
        assert!(said.contains("chemin"), "{path}: {said}");
        let said = open("x.zip", zipped(&[(path, b"x")])).unwrap_err();
        assert!(said.contains("chemin"), "{path}: {said}");
    }
    for kind in [b'1', b'2', b'3', b'6'] {
        let said = open("x.tgz", tarred(&[("A.xml", kind, b"")])).unwrap_err();
        assert!(said.contains("lien"), "{said}");
    }
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    out.add_symlink("A.xml", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    let linked = out.finish().unwrap().into_inner();
    assert!(open("x.zip", linked).unwrap_err().contains("lien"));
}

#[test]
fn bombs_and_archives_inside_of_archives_are_refused() {
    let zeros = vec![0_u8; 64 * 1024 * 1024];
    assert!(
        open("x.zip", zipped(&[("A.xml", &zeros)]))
            .unwrap_err()
            .contains("grossit")
    );
    assert!(
        open("x.tgz", tarred(&[("A.xml", b'0', &zeros)]))
            .unwrap_err()
            .contains("grossit")
    );
    let inner = zipped(&[("A.xml", b"x")]);
    assert!(
        open("x.zip", zipped(&[("B.zip", &inner)]))
            .unwrap_err()
            .contains("dans une archive")
    );
    assert!(
        open("x.tgz", tarred(&[("B.xml", b'0', &inner)]))
            .unwrap_err()
            .contains("dans une archive")
    );
    let many: Vec<String> = (0..10_001).map(|at| format!("{at}.xml")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    assert!(open("x.zip", zipped(&many)).unwrap_err().contains("10000"));
}

#[test]
fn what_is_broken_or_cut_short_is_refused() {
    let content = b"<a>some text that does not compress to nothing</a>".repeat(50);
    for (name, whole) in [
        ("x.zip", zipped(&[("A.xml", &content)])),
        ("x.tgz", tarred(&[("A.xml", b'0', &content)])),
    ] {
        for cut in [5, whole.len() / 2, whole.len() - 30] {
            assert!(open(name, whole[..cut].to_vec()).is_err(), "{name} cut at {cut}");
        }
    }
    assert!(open("x.gz", gzipped(b"<a/>")).is_err(), "gzip without a tar");
}

proptest! {
    #[test]
    fn what_is_changed_in_an_archive_stops_nothing(
        is_zip in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let content = b"<a>some text of a delivery</a>".repeat(20);
        let mut bytes = if is_zip {
            zipped(&[("set/A.xml", &content), ("B.xml", b"")])
        } else {
            tarred(&[("set/A.xml", b'0', &content), ("B.xml", b'0', b"")])
        };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = open("x", bytes);
    }
}
