//! The program: arguments in, text and exit codes out. The only place that
//! knows the clock, the terminal and the file system outside the evidence.
//!
//! [`run`] is what `main` calls; it is a library so that tests run the program
//! as a user does, with their own standard output.

mod actor_command;
mod arguments;
mod attribute_case;
mod attribute_circumstances;
mod attribute_items;
mod attribute_list;
mod attribute_seen;
mod attribute_text;
mod builtin;
mod case_folder;
mod collect_list;
mod correlation_explain;
mod export_command;
mod fetch;
mod indicator_files;
mod key_file;
mod knowledge_file;
mod known_good_files;
mod progress;
mod report_command;
mod rule_files;
mod rule_profile;
mod rule_texts;
mod rules_check;
mod rules_explain;
mod scan_command;
mod statement_arguments;
mod statement_case;
mod statement_command;
mod statement_folder;
mod statement_show;
mod summary_command;

use arguments::RulesCommand;
use clap::Parser as _;
use std::ffi::OsString;
use std::io::Write;

pub use rule_files::builtin_rules;

/// How the program ends (see `assay scan --help`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Scanned whole.
    Done = 0,
    /// Nothing could be read; of `rules check`: a rule has an error.
    NothingRead = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// A finding at or above `--fail-on`; of `rules explain`: the rule does not match.
    FailOn = 3,
    /// Scanned with losses.
    Losses = 4,
}

/// Where the program writes.
pub struct Output<'a> {
    /// Answers.
    pub stdout: &'a mut dyn Write,
    /// Diagnostics.
    pub stderr: &'a mut dyn Write,
    /// Width of the terminal on standard output, when it is one.
    pub terminal_columns: Option<usize>,
    /// Whether colours may be used there.
    pub colour: bool,
    /// Whether a progress bar may be shown.
    pub show_progress: bool,
}

/// Runs the program with `arguments` (the first is its name).
pub fn run(arguments: impl IntoIterator<Item = OsString>, output: &mut Output<'_>) -> Exit {
    let parsed = match arguments::Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return show_usage(&error, output),
    };
    let result = match parsed.command {
        arguments::Command::Scan(scan) => scan_command::run(&scan, output),
        arguments::Command::Report(render) => report_command::run(&render, output),
        arguments::Command::Export(export) => export_command::run(&export, output),
        arguments::Command::Summary(summary) => summary_command::run(&summary, output),
        arguments::Command::Rules(RulesCommand::Check(check)) => rules_check::run(&check, output),
        arguments::Command::Rules(RulesCommand::Explain(explain)) => rules_explain::run(&explain, output),
        arguments::Command::CollectList(list) => collect_list::run(&list, output),
        arguments::Command::Attribute(attribute) => attribute_list::run(&attribute, output),
        arguments::Command::Actor(actor) => actor_command::run(&actor, output),
        arguments::Command::Statement(statement) => statement_command::run(&statement, output),
        arguments::Command::Knowledge(knowledge) => knowledge_file::run(&knowledge, output),
    };
    match result {
        Ok(exit) => exit,
        Err(error) if is_closed_pipe(&error) => Exit::Done,
        Err(error) => {
            // Nobody is left to tell when standard error is gone too.
            let _ = writeln!(output.stderr, "error: {error:#}");
            Exit::Usage
        }
    }
}

/// Help and version go to standard output and are no error.
fn show_usage(error: &clap::Error, output: &mut Output<'_>) -> Exit {
    let text = error.render();
    if error.use_stderr() {
        let _ = write!(output.stderr, "{text}");
        Exit::Usage
    } else {
        let _ = write!(output.stdout, "{text}");
        Exit::Done
    }
}

/// `assay … | head` closes our output early; that is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io_errors = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io_errors.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
