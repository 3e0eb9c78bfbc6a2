//! The command line entry; see the library.

use std::io::{IsTerminal as _, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let show_progress = stderr().is_terminal();
    let columns = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
    let mut output = assay::Output {
        terminal_columns: columns,
        show_progress,
        stdout: &mut stdout().lock(),
        stderr: &mut stderr(),
    };
    ExitCode::from(assay::run(std::env::args_os(), &mut output) as u8)
}
