//! The text of an XML file as UTF-8, in bounded memory: decoding, the place of the next byte, and the budget of one
//! piece of markup.
//!
//! Encodings of the field: UTF-8, ISO-8859-15, windows-1252, ISO-8859-1 where declared; where nothing is declared, the
//! first byte outside ASCII tells UTF-8 from ISO-8859-15. Must never replace what it cannot decode.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, ISO_8859_15, UTF_8, WINDOWS_1252};

/// How many bytes are taken from the input at once.
const CHUNK: usize = 64 * 1024;
/// In how many bytes the XML declaration ends: looking further would read a file otherwise when it comes in other pieces.
const HEAD: usize = 1024;
/// The most bytes of text that one piece of markup (tag, text, comment, DOCTYPE) may have.
const LONGEST_PIECE: usize = 256 * 1024;

/// Why the text stops before the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Bytes that are not of the encoding.
    Undecodable(&'static str),
    /// An encoding that is not read.
    Encoding,
    /// UTF-16.
    Utf16,
    /// A compressed file.
    Compressed,
    /// A piece of markup without end.
    LongPiece,
    /// The input failed.
    Io(io::ErrorKind),
}

impl Flaw {
    /// A sentence for the person who delivered the file.
    pub(super) fn message(self) -> String {
        match self {
            Self::Undecodable(encoding) => {
                format!("octets qui ne sont pas du {encoding} : fichier abîmé ou encodage mal déclaré")
            }
            Self::Encoding => {
                "encodage déclaré non pris en charge (UTF-8, ISO-8859-15, ISO-8859-1 ou windows-1252 attendu)"
                    .to_owned()
            }
            Self::Utf16 => "fichier en UTF-16 : encodage non pris en charge".to_owned(),
            Self::Compressed => "fichier compressé : décompressez l'archive d'abord".to_owned(),
            Self::LongPiece => "balise, texte ou commentaire de plus de 256 Kio".to_owned(),
            Self::Io(kind) => format!("lecture interrompue ({kind})"),
        }
    }
}

enum Encoding {
    /// Nothing read yet.
    Unread,
    /// Nothing declared, and only ASCII so far.
    Undecided,
    /// Known.
    Known(Box<Decoder>),
    /// Decoded to the end.
    Finished,
}

/// The decoding reader.
pub(super) struct Utf8Stream<R> {
    input: R,
    input_ended: bool,
    /// Room for raw bytes; those between the two marks are still to be decoded.
    raw: Box<[u8]>,
    raw_at: usize,
    raw_end: usize,
    encoding: Encoding,
    /// Room for decoded text; what is between the two marks is still to be served.
    text: Box<[u8]>,
    text_at: usize,
    text_end: usize,
    line: u64,
    column: u64,
    budget: usize,
    flaw: Option<Flaw>,
    /// A flaw seen behind text that is still to be served.
    pending: Option<Flaw>,
}

impl<R: Read> Utf8Stream<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            input_ended: false,
            raw: vec![0; CHUNK].into(),
            raw_at: 0,
            raw_end: 0,
            encoding: Encoding::Unread,
            text: vec![0; CHUNK].into(),
            text_at: 0,
            text_end: 0,
            line: 1,
            column: 1,
            budget: LONGEST_PIECE,
            flaw: None,
            pending: None,
        }
    }

    /// Line and column (in characters, from 1) of the next byte.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.line, self.column)
    }

    /// Why reading failed, once it has.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// A new piece of markup begins.
    pub(super) fn begin_piece(&mut self) {
        self.budget = LONGEST_PIECE;
    }

    fn fail(&mut self, flaw: Flaw) -> io::Error {
        self.flaw = Some(flaw);
        io::Error::from(io::ErrorKind::InvalidData)
    }

    fn raw(&self) -> &[u8] {
        self.raw.get(self.raw_at..self.raw_end).unwrap_or_default()
    }

    fn text(&self) -> &[u8] {
        self.text.get(self.text_at..self.text_end).unwrap_or_default()
    }

    /// Makes at least `wanted` raw bytes available (far fewer than there is room for), or all that are left.
    fn fill_raw(&mut self, wanted: usize) -> Result<(), Flaw> {
        while self.raw().len() < wanted && !self.input_ended {
            self.raw.copy_within(self.raw_at..self.raw_end, 0);
            self.raw_end -= self.raw_at;
            self.raw_at = 0;
            let room = self.raw.get_mut(self.raw_end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => self.input_ended = true,
                Ok(read) => self.raw_end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Flaw::Io(error.kind())),
            }
        }
        Ok(())
    }

    /// Decodes some more text, once all there was is served; none at the end.
    fn refill(&mut self) -> Result<(), Flaw> {
        self.text_at = 0;
        self.text_end = 0;
        while self.text().is_empty() {
            if let Some(flaw) = self.pending.take() {
                return Err(flaw);
            }
            if matches!(self.encoding, Encoding::Unread) {
                self.fill_raw(HEAD)?;
                self.begin()?;
            }
            self.fill_raw(1)?;
            match &self.encoding {
                Encoding::Finished => return Ok(()),
                Encoding::Undecided => self.pass_ascii()?,
                Encoding::Unread | Encoding::Known(_) => self.decode(),
            }
        }
        Ok(())
    }

    /// Looks at the first bytes: marks of order and of compression, the XML declaration.
    fn begin(&mut self) -> Result<(), Flaw> {
        let head = self.raw().get(..HEAD).unwrap_or(self.raw());
        if head.starts_with(b"\x1F\x8B") || head.starts_with(b"PK\x03\x04") {
            return Err(Flaw::Compressed);
        }
        let wide = [b"\xFF\xFE".as_slice(), b"\xFE\xFF", b"<\0", b"\0<"];
        if wide.iter().any(|start| head.starts_with(start)) {
            return Err(Flaw::Utf16);
        }
        if head.starts_with(b"\xEF\xBB\xBF") {
            self.raw_at += 3;
            self.encoding = known(UTF_8);
            return Ok(());
        }
        self.encoding = match declared(head) {
            None => Encoding::Undecided,
            Some(label) => match encoding_rs::Encoding::for_label(label) {
                Some(encoding) if [UTF_8, ISO_8859_15, WINDOWS_1252].contains(&encoding) => known(encoding),
                _ => return Err(Flaw::Encoding),
            },
        };
        Ok(())
    }

    /// Serves ASCII as it is; at the first other byte the encoding is decided, once and for all.
    fn pass_ascii(&mut self) -> Result<(), Flaw> {
        let ascii = self.raw().iter().take_while(|byte| byte.is_ascii()).count();
        if ascii > 0 {
            let taken = self.raw.get(self.raw_at..self.raw_at + ascii).unwrap_or_default();
            for (room, byte) in self.text.iter_mut().zip(taken) {
                *room = *byte;
            }
            self.raw_at += ascii;
            self.text_end = ascii;
            return Ok(());
        }
        self.fill_raw(4)?;
        let character = self.raw().get(..4).unwrap_or(self.raw());
        let is_utf8 = match std::str::from_utf8(character) {
            Ok(_) => true,
            Err(error) => error.valid_up_to() > 0,
        };
        self.encoding = match (character.is_empty(), is_utf8) {
            (true, _) => Encoding::Finished,
            (false, true) => known(UTF_8),
            (false, false) => known(ISO_8859_15),
        };
        Ok(())
    }

    fn decode(&mut self) {
        let Encoding::Known(decoder) = &mut self.encoding else {
            return;
        };
        let raw = self.raw.get(self.raw_at..self.raw_end).unwrap_or_default();
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(raw, &mut self.text, self.input_ended);
        self.raw_at += read;
        self.text_end = written;
        match result {
            DecoderResult::Malformed(..) => {
                self.pending = Some(Flaw::Undecodable(decoder.encoding().name()));
            }
            // A decoder that has been told of the end must not be asked again.
            DecoderResult::InputEmpty if self.input_ended => self.encoding = Encoding::Finished,
            DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
        }
    }
}

fn known(encoding: &'static encoding_rs::Encoding) -> Encoding {
    Encoding::Known(Box::new(encoding.new_decoder_without_bom_handling()))
}

/// The encoding label of the XML declaration, where there is one.
fn declared(head: &[u8]) -> Option<&[u8]> {
    let head = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = head.get(..end)?;
    let at = declaration.windows(8).position(|word| word == b"encoding")?;
    let value = declaration.get(at + 8..)?.trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let end = value.iter().position(|byte| byte == quote)?;
    value.get(..end)
}

impl<R: Read> Read for Utf8Stream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Utf8Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(flaw) = self.flaw {
            return Err(self.fail(flaw));
        }
        if self.budget == 0 {
            return Err(self.fail(Flaw::LongPiece));
        }
        if self.text().is_empty()
            && let Err(flaw) = self.refill()
        {
            return Err(self.fail(flaw));
        }
        let text = self.text();
        Ok(text.get(..self.budget).unwrap_or(text))
    }

    fn consume(&mut self, amount: usize) {
        let end = self.text_end.min(self.text_at + amount);
        let taken = self.text.get(self.text_at..end).unwrap_or_default();
        let breaks = taken.iter().filter(|byte| **byte == b'\n').count();
        let tail = match taken.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                self.column = 1;
                taken.get(last + 1..).unwrap_or_default()
            }
            None => taken,
        };
        // Continuation bytes of UTF-8 are no characters of their own.
        self.column += tail.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
        self.line += breaks as u64;
        self.text_at = end;
        self.budget = self.budget.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<String, Flaw> {
        let mut stream = Utf8Stream::new(bytes);
        let mut out = String::new();
        match stream.read_to_string(&mut out) {
            Ok(_) => Ok(out),
            Err(_) => Err(stream.flaw().unwrap()),
        }
    }

    /// Hands out one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let end = out.len().min(1);
            self.0.read(&mut out[..end])
        }
    }

    #[test]
    fn declared_encodings_are_followed() {
        assert_eq!(
            text("<?xml version='1.0' encoding='UTF-8'?>é€".as_bytes())
                .unwrap()
                .pop(),
            Some('€')
        );
        for (label, euro) in [("ISO-8859-15", 0xA4), ("windows-1252", 0x80)] {
            let mut bytes = format!("<?xml version=\"1.0\" encoding = \"{label}\" ?>").into_bytes();
            bytes.extend([0xE9, euro]);
            assert!(text(&bytes).unwrap().ends_with("é€"), "{label}");
        }
        let mut latin = b"\n<?xml encoding='iso-8859-1'?>".to_vec();
        latin.push(0xE9);
        assert!(text(&latin).unwrap().ends_with('é'));
    }

    #[test]
    fn the_first_byte_outside_ascii_decides_where_nothing_is_declared() {
        assert_eq!(text("<a>é€</a>".as_bytes()).unwrap(), "<a>é€</a>");
        assert_eq!(text(b"<a>\xE9\xA4</a>").unwrap(), "<a>é€</a>");
        assert_eq!(text(b"plain").unwrap(), "plain");
        assert_eq!(text(b"\xEF\xBB\xBF<a/>").unwrap(), "<a/>");
        assert_eq!(
            text(b"<a>\xC3\xA9 then \xE9</a>"),
            Err(Flaw::Undecodable("UTF-8")),
            "once decided it stays"
        );
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_at_its_place() {
        let mut stream = Utf8Stream::new(&b"<?xml encoding='utf-8'?>\n<a>\xC3\xA9\xC3\xA9\xFF"[..]);
        assert!(stream.read_to_string(&mut String::new()).is_err());
        assert_eq!(stream.position(), (2, 6));
        assert_eq!(
            text(b"<?xml encoding='utf-8'?>\xC3"),
            Err(Flaw::Undecodable("UTF-8"))
        );
        assert_eq!(text(b"<?xml encoding='EBCDIC-FR'?>"), Err(Flaw::Encoding));
        assert_eq!(text(b"\xFF\xFE<\0a\0"), Err(Flaw::Utf16));
        assert_eq!(text(b"\x1F\x8Bzzz"), Err(Flaw::Compressed));
    }

    #[test]
    fn chunks_may_fall_anywhere() {
        let long = "é€œ\n".repeat(40_000);
        assert_eq!(text_of_pieces(Utf8Stream::new(long.as_bytes())), long);
        let short = "<?xml version='1.0'?>\r\nàé\n€";
        let mut stream = Utf8Stream::new(Drip(short.as_bytes()));
        let mut out = String::new();
        stream.read_to_string(&mut out).unwrap();
        assert_eq!(out, short);
        assert_eq!(stream.position(), (3, 2));
    }

    fn text_of_pieces(mut stream: Utf8Stream<&[u8]>) -> String {
        let mut out = Vec::new();
        loop {
            stream.begin_piece();
            let piece = stream.fill_buf().unwrap().to_vec();
            if piece.is_empty() {
                return String::from_utf8(out).unwrap();
            }
            stream.consume(piece.len());
            out.extend(piece);
        }
    }

    #[test]
    fn a_piece_without_end_is_cut_off() {
        let mut stream = Utf8Stream::new(io::repeat(b'a'));
        let mut sink = Vec::new();
        assert!(stream.read_to_end(&mut sink).is_err());
        assert_eq!(stream.flaw(), Some(Flaw::LongPiece));
        assert_eq!(sink.len(), LONGEST_PIECE);
    }
}
