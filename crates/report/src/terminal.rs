//! A case on the terminal: verdict first, then what it rests on, then where the rest is.
//!
//! Colour only repeats what the words say. Long texts are shortened with `…`: the case folder has them whole.

mod screen;

use crate::digest::{self, BookView, HostView, LevelCounts, RuleView, Totals, Trouble};
use crate::words;
use model::{Answer, AnswerWord, BookAnswer, Case, Intrusion, Level, Run};
use screen::{Brief, Ink, Screen};
use std::collections::{BTreeMap, BTreeSet};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// How many columns there are; held between 60 and 160.
    pub width: usize,
}

/// Hosts whose answers are shown as a table.
const HOSTS_WHOLE: usize = 5;
/// Hosts after those that get a line each.
const HOSTS_SHORT: usize = 15;
/// Items named among those not read whole.
const LOSSES_SHOWN: usize = 3;
/// Next steps per host.
const STEPS_SHOWN: usize = 6;
/// Intrusions shown.
const INTRUSIONS_SHOWN: usize = 8;
/// Rules shown when no question was answered; fewer when answers say it better.
const RULES_SHOWN_ALONE: usize = 15;
const RULES_SHOWN_BESIDE: usize = 5;
/// Rules that did not load, where no file lists them.
const NOTES_SHOWN: usize = 3;
/// Logs that no rule looks at.
const LOGS_SHOWN: usize = 5;

/// The case as the terminal shows it. `case_dir` is where its files were written, if they were.
///
/// Nothing that evidence holds reaches the terminal as a control or a change of direction.
pub fn render_terminal(case: &Case, run: &Run, style: &Style, case_dir: Option<&str>) -> String {
    let mut view =
        View { case, run, dir: case_dir.map(|dir| dir.trim_end_matches('/')), screen: Screen::new(style) };
    view.totals();
    view.warnings();
    view.hosts();
    view.intrusions();
    view.findings();
    view.files();
    view.screen.into_text()
}

struct View<'a> {
    case: &'a Case,
    run: &'a Run,
    dir: Option<&'a str>,
    screen: Screen,
}

impl<'a> View<'a> {
    /// ` (case/NAME)`, or nothing when no case was written.
    fn pointer(&self, name: &str) -> String {
        self.dir.map(|dir| format!(" ({dir}/{name})")).unwrap_or_default()
    }

    fn totals(&mut self) {
        let totals = Totals::of(self.case);
        let mut line = vec![
            words::count(totals.items, "item"),
            words::bytes(totals.size_bytes),
            words::count(totals.records, "record"),
            words::count(totals.hosts, "host"),
            words::count(totals.rules, "rule"),
        ];
        if totals.indicators > 0 {
            line.push(words::count(totals.indicators, "indicator"));
        }
        self.screen.ends(&line.join(" · "), &words::duration(self.run.seconds));
    }

    fn warnings(&mut self) {
        if self.case.synthetic {
            self.screen.warning("synthetic evidence: it was made, and tells of no real incident");
        }
        let losses = losses(self.case);
        if !losses.is_empty() {
            let pointer = self.pointer("coverage.json");
            let count = words::count(losses.len() as u64, "item");
            self.screen.warning(&format!("{count} not read whole{pointer}:"));
            losses.iter().take(LOSSES_SHOWN).for_each(|loss| self.loss(loss));
            self.more(losses.len(), LOSSES_SHOWN);
        }
        if let Some(text) = Totals::of(self.case).unknown_text() {
            self.screen.warning(&text);
        }
        self.logs_without_rule();
        self.rules_not_loaded();
    }

    /// One line: the logs that rules do not look at, the largest first.
    fn logs_without_rule(&mut self) {
        let mut logs: Vec<(&str, u64)> = self.case.coverage.logs_without_rule().into_iter().collect();
        if logs.is_empty() {
            return;
        }
        logs.sort_by_key(|(name, records)| (std::cmp::Reverse(*records), *name));
        let shown = logs.iter().take(LOGS_SHOWN);
        let shown: Vec<String> =
            shown.map(|(name, records)| format!("{name} ({})", words::thousands(*records))).collect();
        let more = match logs.len().saturating_sub(LOGS_SHOWN) {
            0 => String::new(),
            more => format!(", and {}", words::count(more as u64, "more log")),
        };
        let count = words::count(logs.len() as u64, "log");
        self.screen.warning(&format!("no rule looks at {count} (records): {}{more}", shown.join(", ")));
    }

    fn loss(&mut self, loss: &Trouble<'_>) {
        let Some(problem) = loss.first_loss() else { return };
        let at =
            problem.offset.map(|offset| format!(" at byte {}", words::thousands(offset))).unwrap_or_default();
        let lost = match loss.records_lost() {
            (0, _) => String::new(),
            (lost, false) => format!(", {} lost", words::count(lost, "record")),
            (lost, true) => format!(", {} lost or more", words::count(lost, "record")),
        };
        let more = match loss.problems.len() {
            1 => String::new(),
            count => format!(", and {}", words::count(count as u64 - 1, "more problem")),
        };
        let (wanted, found) = (or_nothing(&problem.wanted), or_nothing(&problem.found));
        let text = format!("{}{at}{lost}{more}; wanted {wanted}, found {found}", problem.kind);
        self.screen.brief(loss.path, &text);
    }

    fn rules_not_loaded(&mut self) {
        let notes = &self.run.rules_not_loaded;
        if notes.is_empty() {
            return;
        }
        let (pointer, count) = (self.pointer("run.json"), words::count(notes.len() as u64, "rule"));
        let end = if self.dir.is_some() { "" } else { ":" };
        self.screen.warning(&format!("{count} not loaded{pointer}{end}"));
        if self.dir.is_none() {
            for note in notes.iter().take(NOTES_SHOWN) {
                let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
                self.screen.brief(&format!("{}{line}", note.file), &note.reason);
            }
            self.more(notes.len(), NOTES_SHOWN);
        }
    }

    fn more(&mut self, total: usize, shown: usize) {
        if total > shown {
            self.screen.item(
                "",
                Ink::Faint,
                &format!("and {} more", words::thousands((total - shown) as u64)),
                1,
            );
        }
    }

    fn hosts(&mut self) {
        let hosts = digest::hosts(self.case);
        self.screen.gap();
        if hosts.is_empty() {
            self.screen.line("No host: nothing that was read names one, and nothing was found.");
            return;
        }
        let mut whole_left = HOSTS_WHOLE;
        // A table tells more than a line only where questions arise.
        let (whole, short): (Vec<_>, Vec<_>) = hosts.iter().partition(|host| {
            let is_whole = host.is_asked() && whole_left > 0;
            whole_left -= usize::from(is_whole);
            is_whole
        });
        for host in whole {
            self.host(host);
            self.screen.gap();
        }
        short.iter().take(HOSTS_SHORT).for_each(|host| self.headline(host, Brief::OneLine));
        self.hosts_left(short.get(HOSTS_SHORT..).unwrap_or_default());
        if self.case.answers.is_empty() {
            self.screen.line("No question was answered: no casebook applies to what was read.");
        }
    }

    fn hosts_left(&mut self, left: &[&HostView<'_>]) {
        if left.is_empty() {
            return;
        }
        let mut counts = BTreeMap::new();
        left.iter().for_each(|host| *counts.entry(host.severity()).or_insert(0u64) += 1);
        let parts: Vec<_> =
            counts.iter().map(|(severity, count)| format!("{count} {}", severity.as_str())).collect();
        let pointer = self.pointer("report.html");
        let count = words::count(left.len() as u64, "more host");
        self.screen.line(&format!("and {count}: {}{pointer}", parts.join(", ")));
    }

    fn host(&mut self, host: &HostView<'_>) {
        self.headline(host, Brief::Whole);
        let books = host.books();
        let (whole, short): (Vec<_>, Vec<_>) = books.iter().partition(|view| view.whole);
        let labels = whole.iter().flat_map(|view| &view.answers);
        let labels = labels.map(|answer| screen::width(&words::question_label(&answer.question_id)));
        let titles = short.iter().filter(|view| view.is_asked()).map(|view| screen::width(view.title()));
        let label_width = labels.chain(titles).max().unwrap_or(0).clamp(12, 20);
        for view in &whole {
            if whole.len() > 1 {
                self.screen.item("", Ink::Faint, view.title(), 1);
            }
            self.book(view, label_width);
        }
        let (lines, idle): (Vec<_>, Vec<_>) = short.into_iter().partition(|view| view.is_asked());
        if !lines.is_empty() {
            self.screen.item("", Ink::Faint, "other casebooks", 1);
        }
        lines.iter().filter_map(|view| view.book).for_each(|book| self.book_line(book, label_width));
        if !idle.is_empty() {
            let titles: Vec<_> = idle.iter().map(|view| view.title()).collect();
            self.screen.item("not asked: ", Ink::Faint, &titles.join("; "), 1);
        }
        self.steps(&host.next_steps());
    }

    /// A casebook's questions.
    fn book(&mut self, view: &BookView<'_>, label_width: usize) {
        let mut idle = Vec::new();
        for answer in &view.answers {
            match answer.answer {
                AnswerWord::NotApplicable => idle.push(words::question_label(&answer.question_id)),
                _ => self.answer(answer, label_width),
            }
        }
        if !idle.is_empty() {
            self.screen.item("not applicable: ", Ink::Faint, &idle.join(", "), 1);
        }
    }

    /// A casebook that needs no more than a line.
    fn book_line(&mut self, book: &BookAnswer, label_width: usize) {
        let word = book.answer.as_str().replace('-', " ");
        let columns =
            [(book.title.as_str(), label_width, Ink::Plain), (&word, 11, Ink::of_answer(book.answer))];
        self.screen.short_row(&columns, &book.text);
    }

    fn headline(&mut self, host: &HostView<'_>, brief: Brief) {
        let mut name = host.name.unwrap_or("(no host known)").to_owned();
        if !host.also.is_empty() {
            name.push_str(&format!(" (also {})", host.also.join(", ")));
        }
        let ink = Ink::of_severity(host.severity());
        let (headline, text) = match host.verdict {
            Some(verdict) => (verdict.headline.clone(), verdict.text.clone()),
            None => (String::new(), levels_text(&host.levels)),
        };
        self.screen.verdict(&name, &headline, ink, &text, brief);
    }

    fn answer(&mut self, answer: &Answer, label_width: usize) {
        let word = answer.answer.as_str().replace('-', " ");
        let ink = Ink::of_answer(answer.answer);
        let label = words::question_label(&answer.question_id);
        self.screen.row(
            &[
                (&label, label_width, Ink::Plain),
                (&word, 11, ink),
                (&words::time(answer.span.first), 20, Ink::Plain),
            ],
            &answer.text,
        );
    }

    fn steps(&mut self, steps: &[&str]) {
        let mut lead = "next: ";
        for step in steps.iter().take(STEPS_SHOWN) {
            self.screen.item(lead, Ink::Strong, step, 1);
            lead = "      ";
        }
        if steps.len() > STEPS_SHOWN {
            let pointer = self.dir.map(|dir| format!(": {dir}/report.html#next")).unwrap_or_default();
            self.screen.item(
                lead,
                Ink::Plain,
                &format!("and {} more{pointer}", steps.len() - STEPS_SHOWN),
                2,
            );
        }
    }

    fn intrusions(&mut self) {
        if self.case.intrusions.is_empty() {
            return;
        }
        self.screen.gap();
        self.screen.title("Intrusions");
        for intrusion in self.case.intrusions.iter().take(INTRUSIONS_SHOWN) {
            self.intrusion(intrusion);
        }
        self.more(self.case.intrusions.len(), INTRUSIONS_SHOWN);
    }

    fn intrusion(&mut self, intrusion: &Intrusion) {
        let parts = [
            intrusion.hosts.join(", "),
            words::span(intrusion.span),
            words::count(intrusion.findings.len() as u64, "finding"),
            intrusion.joined_by.join(", "),
        ];
        let text: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let label = format!("{}  ", words::intrusion_label(intrusion.id));
        self.screen.item(&label, Ink::Strong, &text.join(" · "), 1);
        for word in [AnswerWord::Yes, AnswerWord::Likely] {
            // Several hosts of an intrusion, and several books, may repeat a question.
            let mut seen = BTreeSet::new();
            let answers = digest::intrusion_answers(self.case, intrusion.id).filter(|one| one.answer == word);
            let labels = answers.map(|answer| words::question_label(&answer.question_id));
            let questions: Vec<_> = labels.filter(|label| seen.insert(label.clone())).collect();
            if !questions.is_empty() {
                let lead = format!("  {}: ", word.as_str());
                self.screen.item(&lead, Ink::of_answer(word), &questions.join(", "), 1);
            }
        }
    }

    fn findings(&mut self) {
        self.screen.gap();
        let levels = LevelCounts::of(&self.case.findings);
        self.screen.title(&levels_text(&levels));
        let rules = digest::rules(self.case);
        let shown = if self.case.answers.is_empty() { RULES_SHOWN_ALONE } else { RULES_SHOWN_BESIDE };
        let count_width =
            rules.iter().take(shown).map(|rule| words::thousands(rule.count).len()).max().unwrap_or(0);
        rules.iter().take(shown).for_each(|rule| self.rule(rule, count_width));
        if rules.len() > shown {
            let pointer = self.pointer("report.html");
            let count = words::count((rules.len() - shown) as u64, "more rule");
            self.screen.item("", Ink::Faint, &format!("and {count}{pointer}"), 1);
        }
    }

    fn rule(&mut self, rule: &RuleView<'_>, count_width: usize) {
        let level = rule.rule.level;
        let count = format!("{:>count_width$}", words::thousands(rule.count));
        self.screen.row(
            &[
                (level.as_str(), 13, Ink::of_level(level)),
                (&count, count_width, Ink::Plain),
                (&words::days(rule.span), 23, Ink::Plain),
            ],
            &rule.rule.title,
        );
    }

    fn files(&mut self) {
        self.screen.gap();
        match self.dir {
            Some(dir) => {
                self.screen.line(&format!("Read on: {dir}/report.html"));
                self.screen.line(&format!(
                    "In {dir}/: answers.json, findings.jsonl, coverage.json, timeline.csv, layer.json, case.json and more"
                ));
            }
            None => {
                self.screen.line("Nothing was written; --out DIR writes the case: report.html and its data.")
            }
        }
    }
}

fn losses(case: &Case) -> Vec<Trouble<'_>> {
    digest::troubles(case).into_iter().filter(|trouble| trouble.first_loss().is_some()).collect()
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

/// `12 findings: 3 high, 9 medium`.
fn levels_text(levels: &LevelCounts) -> String {
    let parts: Vec<_> = levels.highest_first().map(|(level, count)| level_count(level, count)).collect();
    match levels.total() {
        0 => "No findings".to_owned(),
        total => format!("{}: {}", words::count(total, "finding"), parts.join(", ")),
    }
}

fn level_count(level: Level, count: u64) -> String {
    format!("{} {}", words::thousands(count), level.as_str())
}
