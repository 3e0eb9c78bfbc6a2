//! The command line entry; see the library.

use std::io::{IsTerminal as _, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let show_progress = stderr().is_terminal();
    let columns = terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
    // See no-color.org: set and not empty, whatever its value.
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut output = assay::Output {
        terminal_columns: columns,
        colour: columns.is_some() && !no_colour,
        show_progress,
        stdout: &mut stdout().lock(),
        stderr: &mut stderr(),
    };
    ExitCode::from(assay::run(std::env::args_os(), &mut output) as u8)
}
