//! Files that are made to harm: declarations, entities, endless and broken shapes.

use super::*;

#[test]
fn declarations_and_entities_end_the_reading() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE ficAlimMENESR [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;&a;\">]>\n\
        <ficAlimMENESR></ficAlimMENESR>";
    assert!(refused(bomb).message.contains("DOCTYPE"));
    let external = "<!DOCTYPE ficAlimMENESR SYSTEM \"x.dtd\" [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><ficAlimMENESR/>";
    assert!(refused(external).message.contains("DOCTYPE"));
    for entity in ["&nbsp;", "&eacute;", "&f;", "&#0;", "&#x1F;", "&#xD800;", "&"] {
        let text = file(&pupil_with(&[("sn", entity)]));
        assert!(items(text.as_bytes()).is_err(), "{entity}");
    }
    let (_, row) = one_pupil(&[("sn", "&lt;&#233;&gt;&quot;&apos;&amp;")]);
    assert_eq!(row.unwrap().facts.family_name, "<é>\"'&");
    assert!(
        items(b"<!DOCTYPE ficAlimMENESR SYSTEM \"http://192.0.2.1/x.dtd\"><ficAlimMENESR/>")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn hostile_shapes_are_refused() {
    let deep = format!("{HEAD}{}", "<addRequest>".repeat(100_000));
    assert!(refused(&deep).message.contains("balise"));
    let foreign = format!("{HEAD}<script/>{TAIL}");
    assert_eq!((refused(&foreign).line, refused(&foreign).column), (4, 1));
    let two_roots = "<ficAlimMENESR/><ficAlimMENESR/>";
    assert!(refused(two_roots).message.contains("racine"));
    assert!(refused("<html></html>").message.contains("racine"));
    assert!(refused("").message.contains("vide"));
    assert!(refused("<ficAlimMENESR/>tail").message.contains("après la fin"));
    assert!(refused(&file("stray")).message.contains("texte"));
    let huge = file(&pupil_with(&[("sn", &"x".repeat(70_000))]));
    assert!(refused(&huge).message.contains("64 Kio"));
    let endless = format!("{HEAD}<!-- {}", "x".repeat(1_000_000));
    assert!(refused(&endless).message.contains("256 Kio"));
    let nul = file(&pupil_with(&[("sn", "LE\0GOFF")]));
    assert!(refused(&nul).message.contains("contrôle"));
    let many: Vec<(&str, &str)> = vec![("sn", "x"); 600];
    assert!(
        refused(&file(&request("addRequest", "Eleve", &many)))
            .message
            .contains("500")
    );
    let values = vec!["x"; 6_000].join("</value><value>");
    assert!(
        refused(&file(&pupil_with(&[("sn", &values)])))
            .message
            .contains("5 000")
    );
    let fat = vec!["y".repeat(60_000); 20].join("</value><value>");
    assert!(
        refused(&file(&pupil_with(&[("sn", &fat)])))
            .message
            .contains("1 Mio")
    );
    let unnamed = file("<addRequest><attributes><attr><value>x</value></attr></attributes></addRequest>");
    assert!(refused(&unnamed).message.contains("name"));
}

#[test]
fn an_endless_file_is_read_in_little_memory() {
    /// A file that never ends: one head, then the same record for ever.
    struct Endless {
        record: Vec<u8>,
        at: usize,
    }
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let mut rest = &self.record[self.at..];
            let read = rest.read(out)?;
            self.at = (self.at + read) % self.record.len();
            Ok(read)
        }
    }
    let input = HEAD.as_bytes().chain(Endless {
        record: pupil_with(&[]).into_bytes(),
        at: 0,
    });
    let mut reader = reader(input);
    assert_eq!(reader.by_ref().take(1_500).filter(Result::is_ok).count(), 1_500);
    assert_eq!(reader.tally().pupils, 1_500);
    assert!(reader.queue.capacity() < 16);
}

#[test]
fn a_declaration_counts_or_not_whatever_the_pieces_in_which_a_file_comes() {
    /// A file of which each read gives one byte.
    struct Dripping<'d>(&'d [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = out.len().min(1);
            self.0.read(&mut out[..length])
        }
    }
    for blanks in [0, 900, 1_000, 2_000, 100_000] {
        let declaration = format!("<?xml version=\"1.0\"{} encoding=\"utf-7\"?>", " ".repeat(blanks));
        let text = format!("{declaration}<ficAlimMENESR></ficAlimMENESR>");
        let whole: Vec<_> = reader(text.as_bytes()).collect();
        let dripped: Vec<_> = reader(Dripping(text.as_bytes())).collect();
        assert_eq!(whole, dripped, "{blanks} blanks");
    }
}

#[test]
fn a_truncated_file_is_told_from_a_whole_one_wherever_it_is_cut() {
    let whole = file(&[pupil_with(&[]), pupil_with(&[("givenName", "Noémie")])].concat());
    assert_eq!(items(whole.as_bytes()).unwrap().len(), 2);
    let end = whole.trim_end().len();
    for cut in 0..end {
        let read: Vec<_> = reader(&whole.as_bytes()[..cut]).collect();
        assert!(read.last().unwrap().is_err(), "cut at byte {cut}");
        assert_eq!(read.iter().filter(|item| item.is_err()).count(), 1);
    }
    let half = refused(&whole[..whole.find("Noémie").unwrap()]);
    let line = 1 + whole[..whole.find("Noémie").unwrap()].matches('\n').count() as u64;
    assert_eq!(half.line, line);
    assert!(half.message.contains("tronqué"), "{half}");
}
