//! `assay scan`: the main job, composed.

use crate::arguments::{Format, ScanArguments};
use crate::indicator_files::{self, Indicators};
use crate::progress::Progress;
use crate::{Exit, Output, builtin, case_folder, known_good_files, rule_files, rule_profile, rule_texts};
use anyhow::{Context as _, Result};
use casebook::Casebook;
use model::{Case, Problem, RuleNote, Run, Timestamp};
use sha2::{Digest as _, Sha256};
use sigma::RuleText;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Diagnostics of rules, and of indicators, shown on standard error; all are in
/// `run.json`.
const DIAGNOSTICS_SHOWN: usize = 10;

/// The casebooks among the files of `casebook/`: those of one attack first, that
/// of everything last. In this order they are asked and shown.
const BOOKS: &[&str] = &[
    "casebook/exchange-2021.yml",
    "casebook/ransomware.yml",
    "casebook/coin-mining.yml",
    "casebook/cloud-identity.yml",
    "casebook/linux.yml",
    "casebook/windows.yml",
];

/// Scans, prints, writes the case, and says how it went.
pub fn run(arguments: &ScanArguments, output: &mut Output<'_>) -> Result<Exit> {
    let began = Instant::now();
    let mut run = Run { version: env!("CARGO_PKG_VERSION").to_owned(), started: now(), ..Run::default() };
    if let Some(folder) = &arguments.out {
        case_folder::prepare(folder, &arguments.paths)?;
    }
    let rules = load_rules(arguments, &mut run)?;
    show_diagnostics(&run.rules_not_loaded, "rules were not loaded", output)?;
    let indicators = indicator_files::read(&arguments.indicators)?;
    show_diagnostics(&indicators.not_loaded, "indicators were not taken", output)?;
    let books = load_casebooks()?;
    let threads = usize::from(arguments.threads.unwrap_or(0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("starting threads")?;
    let (mut case, sessions) = scan_evidence(arguments, (&rules, &indicators, &books), &pool, output)?;
    casebook::assess(&mut case, &books);
    sessions.fill(&mut case).context("reading back starts of processes from a temporary file")?;
    if arguments.out.is_some() {
        rule_texts::add(&mut case.looked_for.rules);
    }
    run.indicators_not_loaded = indicators.not_loaded;
    run.rules_not_met = rules_not_met(&rules.sigma);
    run.seconds = began.elapsed().as_secs_f64();

    if let Some(folder) = &arguments.out {
        pool.install(|| write_case(folder, &case, &run, &arguments.report.options()))?;
        rule_profile::write(folder, &rules.sigma)?;
    }
    let printed = print_case(arguments, &case, &run, output).and_then(|()| {
        // What is read by programs stays theirs alone.
        let out = if arguments.format == Format::Text { &mut *output.stdout } else { &mut *output.stderr };
        rule_profile::print(&rules.sigma, out)
    });
    // `assay scan … | head` closes our output early; what was found stands.
    if let Err(error) = printed
        && error.kind() != ErrorKind::BrokenPipe
    {
        return Err(error).context("printing");
    }
    Ok(exit(arguments, &case))
}

fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?)
}

/// All that was loaded to look for.
struct Rules {
    sigma: sigma::Engine,
    correlations: Vec<sigma::Correlation>,
    yara: yara::RuleSet,
    known_good: scan::KnownGood,
    sha256: [u8; 32],
}

fn load_rules(arguments: &ScanArguments, run: &mut Run) -> Result<Rules> {
    let files = rule_files::read(&rule_files::SIGMA, &arguments.rules)?;
    let options = rule_files::load_options(&arguments.pipeline, arguments.placeholders.as_deref())?;
    let builtin = if arguments.no_builtin_rules { &[] } else { builtin::RULES };
    let own = builtin.iter().map(|(file, text)| RuleText { file, text });
    let theirs = files.texts.iter().map(|(file, text)| RuleText { file, text });
    let loaded = sigma::load(own.chain(theirs), &options);
    run.rules_not_loaded = files.unread;
    run.rules_not_loaded.extend(loaded.diagnostics.into_iter().map(|diagnostic| RuleNote {
        file: diagnostic.file,
        line: diagnostic.line,
        rule: diagnostic.rule,
        reason: format!("{}: {}", diagnostic.id, diagnostic.message),
    }));
    let yara = load_yara(arguments, run)?;
    let known_good = known_good_files::read(&arguments.known_good, &mut run.rules_not_loaded)?;
    let sha256 = Sha256::digest([loaded.sha256, yara.sha256].concat()).into();
    let correlations = loaded.correlations;
    let engine = sigma::Engine::new(loaded.rules);
    let engine = if arguments.profile_rules { engine.profiled(rule_profile::clock) } else { engine };
    Ok(Rules { sigma: engine, correlations, yara: yara.rules, known_good, sha256 })
}

fn load_yara(arguments: &ScanArguments, run: &mut Run) -> Result<yara::Loaded> {
    let files = rule_files::read(&rule_files::YARA, &arguments.yara)?;
    let builtin = if arguments.no_builtin_rules { &[] } else { builtin::YARA_RULES };
    let own = builtin.iter().map(|(file, text)| yara::RuleText { file, text });
    let theirs = files.texts.iter().map(|(file, text)| yara::RuleText { file, text });
    let mut loaded = yara::load(own.chain(theirs));
    run.rules_not_loaded.extend(files.unread);
    let notes = loaded.diagnostics.drain(..).map(|diagnostic| RuleNote {
        file: diagnostic.file,
        line: diagnostic.line,
        rule: diagnostic.rule,
        reason: diagnostic.reason,
    });
    run.rules_not_loaded.extend(notes);
    Ok(loaded)
}

fn show_diagnostics(notes: &[RuleNote], what: &str, output: &mut Output<'_>) -> Result<()> {
    for note in notes.iter().take(DIAGNOSTICS_SHOWN) {
        let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
        let text = format!("warning: {}{line}: {}", note.file, note.reason);
        writeln!(output.stderr, "{}", report::escape_terminal(&text))?;
    }
    if notes.len() > DIAGNOSTICS_SHOWN {
        let rest = notes.len() - DIAGNOSTICS_SHOWN;
        writeln!(output.stderr, "warning: {rest} more {what} (run.json lists all, with --out)")?;
    }
    Ok(())
}

fn load_casebooks() -> Result<Vec<Casebook>> {
    let text = |file: &&str| {
        let known = builtin::CASEBOOK.iter().find(|(own, _)| own == file);
        known.with_context(|| format!("{file} is not built in"))
    };
    BOOKS.iter().map(|file| Ok(Casebook::parse(file, text(file)?.1)?)).collect()
}

fn scan_evidence(
    arguments: &ScanArguments,
    (rules, indicators, books): (&Rules, &Indicators, &[Casebook]),
    pool: &rayon::ThreadPool,
    output: &Output<'_>,
) -> Result<(Case, scan::Sessions)> {
    let limits = evidence::Limits::default();
    let opened = evidence::open(&arguments.paths, &limits);
    let watched: Vec<casebook::Watched> = books.iter().flat_map(Casebook::watched).collect();
    let bytes_total = opened.sources.iter().map(|source| source.size_bytes).sum();
    let progress = Progress::new(bytes_total, output.show_progress);
    let case = pool.install(|| {
        scan::scan(scan::Input {
            sources: &opened.sources,
            unread: opened.problems,
            limits: &limits,
            engine: &rules.sigma,
            correlations: &rules.correlations,
            indicators: Some(&indicators.set).filter(|set| !set.is_empty()),
            yara: &rules.yara,
            known_good: &rules.known_good,
            rules_sha256: rules.sha256,
            watched: &watched,
            host: arguments.host.as_deref(),
            progress: &|bytes, records| progress.add(bytes, records),
        })
    });
    progress.end();
    let (mut case, sessions) = case.context("putting findings aside in a temporary file")?;
    case.looked_for.indicators.clone_from(&indicators.files);
    Ok((case, sessions))
}

fn rules_not_met(engine: &sigma::Engine) -> Vec<RuleNote> {
    let rules = engine.rules().iter().zip(engine.met());
    let not_met = rules.filter(|(_, met)| !met).map(|(rule, _)| RuleNote {
        file: rule.file.clone(),
        line: None,
        rule: Some(rule.id.clone()),
        reason: format!("no record of its log source ({})", rule.logsource),
    });
    not_met.collect()
}

fn write_case(folder: &Path, case: &Case, run: &Run, options: &report::Options) -> Result<()> {
    let mut open = |name: &str| case_folder::create(folder, name);
    report::write_case(case, run, options, &mut open)
        .with_context(|| format!("writing the case to {}", folder.display()))
}

fn print_case(
    arguments: &ScanArguments,
    case: &Case,
    run: &Run,
    output: &mut Output<'_>,
) -> std::io::Result<()> {
    match arguments.format {
        Format::Json => report::write_answers_json(case, output.stdout)?,
        Format::Jsonl => report::write_findings_jsonl(case, output.stdout)?,
        Format::Text => {
            let style =
                report::Style { colour: output.colour, width: output.terminal_columns.unwrap_or(120) };
            let folder = arguments.out.as_ref().map(|folder| folder.display().to_string());
            let text = report::render_terminal(case, run, &style, folder.as_deref());
            output.stdout.write_all(text.as_bytes())?;
        }
    }
    output.stdout.flush()
}

fn exit(arguments: &ScanArguments, case: &Case) -> Exit {
    let is_loss = |problem: &Problem| problem.records_lost != Some(0);
    let items = || case.items.iter().zip(&case.coverage.items);
    // A log that is empty was read; one of which nothing could be saved was not.
    let any_read = items().any(|(item, coverage)| {
        item.format.is_some()
            && (coverage.records + coverage.carved > 0 || !coverage.problems.iter().any(is_loss))
    });
    let mut problems = items().flat_map(|(_, coverage)| &coverage.problems);
    let lost = problems.any(is_loss) || case.unread.iter().any(|(_, problem)| is_loss(problem));
    let fail_on = arguments.fail_on.map(model::Level::from);
    if !any_read && case.looked_for.files_scanned == 0 {
        Exit::NothingRead
    } else if fail_on.is_some_and(|level| case.findings.iter().any(|finding| finding.rule.level >= level)) {
        Exit::FailOn
    } else if lost {
        Exit::Losses
    } else {
        Exit::Done
    }
}
