//! The command line entry; see the library.

use std::io::{IsTerminal as _, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let show_progress = stderr().is_terminal();
    let columns = || std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(120);
    let mut output = assay::Output {
        terminal_columns: stdout().is_terminal().then(columns),
        show_progress,
        stdout: &mut stdout().lock(),
        stderr: &mut stderr(),
    };
    ExitCode::from(assay::run(std::env::args_os(), &mut output) as u8)
}
