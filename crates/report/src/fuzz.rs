//! For the fuzzer: a case folder in one piece.

use crate::{Options, ReadError, read_case, write_case, write_findings_csv, write_markdown};
use model::{Case, Run};
use std::collections::BTreeMap;
use std::io::{self, Cursor};

/// What begins a file in [`folder`].
const MARK: &[u8] = b"\n== ";

/// Reads `data` as a case folder (for each file a line `== NAME`, then its bytes) and writes all that can be made of it.
pub fn folder(data: &[u8]) {
    let Ok((case, run)) = read(data) else { return };
    for reveal in [false, true] {
        let options = Options { reveal, ..Options::default() };
        // Fields are read late, and may be damaged; what matters is that all of it comes back.
        let _ = write_case(&case, &run, &options, &mut |_| Ok(Box::new(io::sink())));
        let _ = write_markdown(&case, &run, &options, &mut io::sink());
        let _ = write_findings_csv(&case, &options, &mut io::sink());
    }
}

fn read(data: &[u8]) -> Result<(Case, Run), ReadError> {
    let files = files(data);
    read_case(&mut |name| match files.get(name.as_bytes()) {
        Some(bytes) => Ok(Box::new(Cursor::new(bytes.to_vec()))),
        None => Err(io::ErrorKind::NotFound.into()),
    })
}

fn files(data: &[u8]) -> BTreeMap<&[u8], &[u8]> {
    let starts = (0..data.len()).filter(|at| data[*at..].starts_with(MARK));
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let file = |(start, end): (&usize, usize)| {
        let text = &data[start + MARK.len()..end];
        let line = text.iter().position(|byte| *byte == b'\n')?;
        Some((&text[..line], &text[line + 1..]))
    };
    starts.iter().zip(ends).filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeds that are refused at once would try nothing.
    #[test]
    fn the_corpus_is_read() {
        for (data, findings) in [
            (&include_bytes!("../../../fuzz/corpus/report-case/smallest")[..], 1),
            (&include_bytes!("../../../fuzz/corpus/report-case/ends-of-time")[..], 2),
            (&include_bytes!("../../../fuzz/corpus/report-case/who")[..], 2),
        ] {
            let (case, _) = read(data).unwrap();
            assert_eq!(case.findings.len(), findings);
            folder(data);
        }
    }
}
