//! For the fuzzer: a case folder in one piece.

use crate::{Options, read_case, write_case, write_findings_csv, write_markdown};
use std::collections::BTreeMap;
use std::io::{self, Cursor};

/// What begins a file in [`folder`].
const MARK: &[u8] = b"\n== ";

/// Reads `data` as a case folder (for each file a line `== NAME`, then its bytes) and writes all that can be made of it.
pub fn folder(data: &[u8]) {
    let files = files(data);
    let mut open = |name: &str| match files.get(name.as_bytes()) {
        Some(bytes) => Ok(Box::new(Cursor::new(bytes.to_vec())) as Box<dyn crate::Source>),
        None => Err(io::ErrorKind::NotFound.into()),
    };
    let Ok((case, run)) = read_case(&mut open) else { return };
    for reveal in [false, true] {
        let options = Options { reveal, ..Options::default() };
        // Fields are read late, and may be damaged; what matters is that all of it comes back.
        let _ = write_case(&case, &run, &options, &mut |_| Ok(Box::new(io::sink())));
        let _ = write_markdown(&case, &run, &options, &mut io::sink());
        let _ = write_findings_csv(&case, &options, &mut io::sink());
    }
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
