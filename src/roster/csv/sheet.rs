//! The lines and cells of a CSV text (RFC 4180, as spreadsheets and registers really write it).
//!
//! A line is numbered as in the file, however many line breaks stand between quotes. Written by hand because a quote
//! that is never closed, or closed in the middle of a cell, makes lenient readers swallow children without a word: here
//! both are said. Must never know what a column means.

/// The most columns a line may have.
pub(in crate::roster) const MOST_COLUMNS: usize = 400;
/// The most bytes a cell may have.
pub(in crate::roster) const LONGEST_CELL: usize = 8 * 1024;

/// What is wrong with a line as a line of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::roster) enum Flaw {
    /// Text stands between a closing quote and the next separator.
    StrayQuote,
    /// Longer than [`LONGEST_CELL`].
    LongCell,
    /// More than [`MOST_COLUMNS`].
    ManyColumns,
}

impl Flaw {
    /// A sentence for the person who delivered the file.
    pub(in crate::roster) fn message(self) -> &'static str {
        match self {
            Self::StrayQuote => "guillemet mal placé : la ligne ne peut pas être découpée sûrement",
            Self::LongCell => "cellule trop longue (plus de 8 Kio)",
            Self::ManyColumns => "trop de colonnes (plus de 400)",
        }
    }
}

/// One record: a line, or several where cells hold line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::roster) struct Line {
    /// The line of the file it begins on, from 1.
    pub(in crate::roster) number: u64,
    /// Its cells, quotes taken off.
    pub(in crate::roster) cells: Vec<String>,
    /// The first flaw, with the column (from 1) it is in.
    pub(in crate::roster) flaw: Option<(u64, Flaw)>,
}

impl Line {
    /// Whether no cell says anything: the tail that spreadsheets leave.
    pub(in crate::roster) fn is_blank(&self) -> bool {
        self.flaw.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// A quote is opened and the file ends before it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::roster) struct Unclosed {
    /// The line of the file where the quote stands.
    pub(in crate::roster) line: u64,
    /// Its column of the sheet.
    pub(in crate::roster) column: u64,
}

/// The lines of a text.
pub(in crate::roster) struct Sheet<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
}

impl<'a> Sheet<'a> {
    /// The sheet of a text; its separator is the most frequent of `;`, `,` and tabulation in the first line that is
    /// not blank, outside quotes.
    pub(in crate::roster) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
            separator: separator(text),
        }
    }

    /// The sheet of a text whose separator is known.
    pub(in crate::roster) fn separated(text: &'a str, separator: char) -> Self {
        Self {
            rest: text,
            line: 1,
            separator,
        }
    }

    /// One cell, and what is left behind it; line breaks inside it are counted.
    fn cell(&mut self, column: u64) -> Result<(String, Option<Flaw>), Unclosed> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return Ok((self.bare().to_owned(), None));
        };
        let opened = Unclosed {
            line: self.line,
            column,
        };
        let mut cell = String::new();
        let mut rest = quoted;
        loop {
            let (before, after) = rest.split_once('"').ok_or(opened)?;
            self.line += breaks(before);
            cell.push_str(before);
            rest = after;
            // A doubled quote is one quote of the cell.
            let Some(again) = rest.strip_prefix('"') else {
                break;
            };
            cell.push('"');
            rest = again;
        }
        self.rest = rest;
        let stray = self.bare();
        cell.push_str(stray);
        Ok((cell, (!stray.trim().is_empty()).then_some(Flaw::StrayQuote)))
    }

    /// Everything up to the next separator or line end.
    fn bare(&mut self) -> &'a str {
        let separator = self.separator;
        let end = self.rest.find([separator, '\n', '\r']).unwrap_or(self.rest.len());
        let (cell, rest) = self.rest.split_at(end);
        self.rest = rest;
        cell
    }

    fn record(&mut self) -> Result<Line, Unclosed> {
        let mut line = Line {
            number: self.line,
            cells: Vec::new(),
            flaw: None,
        };
        let mut column = 0;
        loop {
            column += 1;
            let (cell, stray) = self.cell(column)?;
            let flaw = if line.cells.len() >= MOST_COLUMNS {
                Some(Flaw::ManyColumns)
            } else if cell.len() > LONGEST_CELL {
                Some(Flaw::LongCell)
            } else {
                line.cells.push(cell);
                stray
            };
            line.flaw = line.flaw.or(flaw.map(|flaw| (column, flaw)));
            if let Some(rest) = self.rest.strip_prefix(self.separator) {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = after_break(self.rest) {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(line);
        }
    }
}

impl Iterator for Sheet<'_> {
    type Item = Result<Line, Unclosed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

/// What follows a line break at the start of `text`: `\r\n`, `\n`, or the lone `\r` of old machines.
fn after_break(text: &str) -> Option<&str> {
    text.strip_prefix("\r\n")
        .or_else(|| text.strip_prefix('\n'))
        .or_else(|| text.strip_prefix('\r'))
}

fn breaks(text: &str) -> u64 {
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let (_, from_break) = rest.split_at(at);
        rest = after_break(from_break).unwrap_or_default();
        count += 1;
    }
    count
}

fn separator(text: &str) -> char {
    let header = text
        .split(['\n', '\r'])
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    // Every second piece between quotes is outside them.
    let outside = |wanted: char| {
        header
            .split('"')
            .step_by(2)
            .map(|piece| piece.matches(wanted).count())
            .sum::<usize>()
    };
    [(';', outside(';')), (',', outside(',')), ('\t', outside('\t'))]
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(';', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        Sheet::new(text).map(Result::unwrap).collect()
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        lines(text).into_iter().map(|line| line.cells).collect()
    }

    #[test]
    fn lines_are_numbered_as_in_the_file() {
        for newline in ["\n", "\r\n", "\r"] {
            let text = ["a;b", "1;\"x\ny\r\nz\"", "", "2;3"].join(newline);
            let read = lines(&text);
            let numbers: Vec<u64> = read.iter().map(|line| line.number).collect();
            assert_eq!(numbers, [1, 2, 5, 6], "{newline:?}");
            assert_eq!(read[1].cells, ["1", "x\ny\r\nz"]);
            assert!(read[2].is_blank());
        }
    }

    #[test]
    fn quotes_hold_separators_and_doubled_quotes() {
        assert_eq!(
            cells("a;b\n\"1;2\";\"dit \"\"Lou\"\"\"\n;\"\"\n"),
            [vec!["a", "b"], vec!["1;2", "dit \"Lou\""], vec!["", ""]]
        );
        assert_eq!(
            cells("a;b\n12 rue \"basse\";x")[1],
            ["12 rue \"basse\"", "x"],
            "a quote inside a bare cell is only a quote"
        );
    }

    #[test]
    fn a_quote_closed_early_is_said_where_it_is() {
        let read = lines("a;b\n1;\"x\"y\n2;z\n");
        assert_eq!(read[1].flaw, Some((2, Flaw::StrayQuote)));
        assert_eq!(read[2].cells, ["2", "z"]);
        assert_eq!(read[2].number, 3);
    }

    #[test]
    fn a_quote_never_closed_ends_the_reading() {
        let mut sheet = Sheet::new("a;b\n1;2\n3;\"4\n5;6\n");
        assert!(sheet.next().unwrap().is_ok());
        assert!(sheet.next().unwrap().is_ok());
        assert_eq!(sheet.next(), Some(Err(Unclosed { line: 3, column: 2 })));
        assert_eq!(sheet.next(), None);
    }

    #[test]
    fn the_separator_is_the_most_frequent_of_the_header_outside_quotes() {
        assert_eq!(separator("a;b;c\n1,2,3,4,5"), ';');
        assert_eq!(separator("\r\na,b,c"), ',');
        assert_eq!(separator("a\tb"), '\t');
        assert_eq!(separator("\"a,b,c\";\"d\""), ';');
        assert_eq!(separator("alone"), ';');
    }

    #[test]
    fn limits_are_flaws_of_the_line_they_are_passed_on() {
        let long = format!("a\n{}\nb\n", "x".repeat(LONGEST_CELL + 1));
        assert_eq!(lines(&long)[1].flaw, Some((1, Flaw::LongCell)));
        assert_eq!(lines(&long)[2].cells, ["b"]);
        let wide = format!("a;b\n{}\n", ";".repeat(100_000));
        let read = lines(&wide);
        assert_eq!(read[1].flaw, Some((MOST_COLUMNS as u64 + 1, Flaw::ManyColumns)));
        assert_eq!(read[1].cells.len(), MOST_COLUMNS);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            table in prop::collection::vec(prop::collection::vec("[a;\"\n\r,é ]{0,6}", 2..5), 1..8),
            newline in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let mut text = "h;h;h;h;h;h".to_owned();
            let mut expected = Vec::new();
            let mut number = 2;
            for row in &table {
                text.push_str(newline);
                let quoted: Vec<String> =
                    row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                text.push_str(&quoted.join(";"));
                expected.push((number, row.clone()));
                number += 1 + row.iter().map(|cell| breaks(cell)).sum::<u64>();
            }
            let read: Vec<(u64, Vec<String>)> =
                lines(&text).into_iter().skip(1).map(|line| (line.number, line.cells)).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn no_text_stops_it_or_makes_it_turn_in_circles(text in "[a;\",\t\n\r é\0]{0,200}") {
            let newlines = text.matches(['\n', '\r']).count();
            let read: Vec<_> = Sheet::new(&text).collect();
            prop_assert!(read.len() <= newlines + 1);
            let ends_well = read.iter().all(Result::is_ok);
            let cut = read.iter().position(Result::is_err);
            prop_assert!(ends_well || cut == Some(read.len() - 1));
        }
    }
}
