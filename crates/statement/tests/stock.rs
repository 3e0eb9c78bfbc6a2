//! A package is what stock tools say of it: `sha256sum` and `ssh-keygen`, by the steps of `VERIFY.md`.
//!
//! Four parties, whose keys are of four kinds; three concur, one dissents. Then everything that can be done to a package
//! is done to it, and both verdicts are compared each time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, with words")]

use model::Timestamp;
use statement::{
    AgentSigner, KeySigner, Package, RevokedKeys, Roster, Seen, Signer, VERIFY_MD, close, parse_position,
    parse_statement, read_public, verify,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const DRAFT: &str = "\
schema: assay-statement/1
title: Who attacked the mail servers
tlp: clear
parties: [{id: us, name: United States}, {id: uk, name: United Kingdom}, {id: jp, name: Japan}, {id: se, name: Sweden}]
clauses:
  - {id: C1, level: act, text: The mail servers were entered through four holes.}
  - {id: C2, level: cluster, names: HAFNIUM, text: The activity is that of HAFNIUM., builds_on: [C1]}
  - {id: C3, level: state, text: The state is responsible., builds_on: [C2]}
";
const PARTIES: [&str; 4] = ["us", "uk", "jp", "se"];
const AT: &str = "20210719120000Z";

fn at() -> Timestamp {
    Timestamp::parse("2021-07-19T12:00:00Z").unwrap()
}

/// Keys that `ssh-keygen` made, and the roster of them. The RSA key is in an agent.
struct Keys {
    folder: tempfile::TempDir,
    roster: String,
    agent: Child,
}

impl Drop for Keys {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// Starts an agent that listens in `folder`, and gives it a key.
fn agent(folder: &Path, key: &str) -> Child {
    let socket = folder.join("agent");
    let agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if socket.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let add = Command::new("ssh-add")
        .arg("-q")
        .arg(folder.join(key))
        .env("SSH_AUTH_SOCK", &socket)
        .stderr(Stdio::null())
        .status();
    assert!(add.unwrap().success(), "ssh-add");
    agent
}

fn keygen(folder: &Path, arguments: &[&str]) {
    let status = Command::new("ssh-keygen")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success(), "ssh-keygen {arguments:?}");
}

fn has_stock_tools() -> bool {
    let is_there = |name: &str| {
        Command::new(name)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok()
    };
    let all =
        ["ssh-keygen", "ssh-agent", "ssh-add", "sha256sum", "grep", "find", "sh"].into_iter().all(is_there);
    if !all {
        // Not `eprintln!`: the test harness would swallow it.
        writeln!(
            std::io::stderr(),
            "skipped: ssh-keygen, ssh-agent, ssh-add, sha256sum, grep, find and sh are needed"
        )
        .expect("standard error");
    }
    all
}

impl Keys {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (name, kind) in [
            ("us", ["-t", "ed25519"].as_slice()),
            ("uk", &["-t", "ecdsa", "-b", "256"]),
            ("jp", &["-t", "rsa", "-b", "2048"]),
            ("se", &["-t", "ed25519"]),
            ("authority", &["-t", "ecdsa", "-b", "384"]),
            ("thief", &["-t", "ed25519"]),
        ] {
            keygen(path, &[&["-q", "-N", "", "-C", name, "-f", name], kind].concat());
        }
        keygen(path, &["-q", "-s", "authority", "-I", "officer", "-n", "se", "se.pub"]);
        let public = |name: &str| fs::read_to_string(path.join(format!("{name}.pub"))).unwrap();
        let roster = format!(
            "# who may sign\nus namespaces=\"position@assay,closing@assay\" {}uk valid-after=\"20210101\",valid-before=\"20220101\" {}jp {}se cert-authority {}",
            public("us"),
            public("uk"),
            public("jp"),
            public("authority")
        );
        let agent = agent(path, "jp");
        Self { folder, roster, agent }
    }

    fn public(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{name}.pub"))).unwrap()
    }

    fn signer(&self, name: &str) -> Box<dyn Signer> {
        let read = || KeySigner::read(&fs::read_to_string(self.folder.path().join(name)).unwrap());
        match name {
            "jp" => {
                assert!(read().err().unwrap().to_string().starts_with("RSA keys sign by the agent only"));
                let stream =
                    std::os::unix::net::UnixStream::connect(self.folder.path().join("agent")).unwrap();
                Box::new(AgentSigner::new(stream, read_public(&self.public(name)).unwrap()))
            }
            "se" => Box::new(
                read().unwrap().with_certificate(read_public(&self.public("se-cert")).unwrap()).unwrap(),
            ),
            _ => Box::new(read().unwrap()),
        }
    }

    fn file(&self, package: &mut Package, party: &str, stance: &str) {
        let statement = package.statement().unwrap();
        let form = format!(
            "party: {party}\nclauses:\n  - {{clause: C1, stance: concur}}\n  - {{clause: C3, stance: {stance}, likelihood: {{word: likely}}, reason: Its own.}}\n"
        );
        let form = parse_position("form.yml", &form, &statement).unwrap();
        package.file(form, at(), &*self.signer(party)).unwrap();
    }

    /// Three concur, one dissents, all close.
    fn package(&self) -> Package {
        let mut package =
            Package::new(&parse_statement("draft.yml", DRAFT).unwrap(), self.roster.as_bytes()).unwrap();
        for party in PARTIES {
            self.file(&mut package, party, if party == "se" { "dissent" } else { "concur" });
        }
        for party in PARTIES {
            self.close(&mut package, party);
        }
        package
    }

    fn close(&self, package: &mut Package, party: &str) {
        close(package, party, &Seen::default(), at(), &*self.signer(party)).unwrap();
    }
}

/// What a stranger brings.
#[derive(Clone)]
struct Brought {
    roster: String,
    parties: Vec<String>,
    at: String,
    revoked: Option<String>,
}

impl Brought {
    fn new(keys: &Keys) -> Self {
        Self {
            roster: keys.roster.clone(),
            parties: PARTIES.map(str::to_owned).to_vec(),
            at: AT.to_owned(),
            revoked: None,
        }
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn script() -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in VERIFY_MD.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
    assert!(
        out.contains("sha256sum --check") && out.contains("ssh-keygen -Y verify") && out.contains("VERIFIED")
    );
    out
}

fn write(folder: &Path, files: &Files) -> PathBuf {
    let package = folder.join("package");
    for (name, bytes) in files {
        let file = package.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    package
}

/// What the steps say: verified or not, and their last line.
fn stock(package: &Path, brought: &Brought) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let roster = folder.path().join("roster");
    fs::write(&roster, &brought.roster).unwrap();
    let revoked = brought.revoked.as_ref().map(|text| {
        let file = folder.path().join("revoked");
        fs::write(&file, text).unwrap();
        file
    });
    let output = Command::new("sh")
        .arg("-c")
        .arg(script())
        .env("PACKAGE", package)
        .env("ROSTER", &roster)
        .env("PARTIES", brought.parties.join(" "))
        .env("AT", &brought.at)
        .env("REVOKED", revoked.unwrap_or_default())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last().unwrap_or_default().to_owned();
    (output.status.success() && last.starts_with("VERIFIED"), last)
}

/// What we say.
fn ours(files: &Files, strange: &[&str], brought: &Brought) -> (bool, String) {
    let strange = strange.iter().map(|name| (*name).to_owned()).collect();
    let package = Package::of_files(files.clone(), strange).unwrap();
    let roster = Roster::read(brought.roster.as_bytes()).unwrap();
    let revoked = brought.revoked.as_ref().map(|text| RevokedKeys::read(text.as_bytes()).unwrap());
    let time = &brought.at;
    let time = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &time[..4],
        &time[4..6],
        &time[6..8],
        &time[8..10],
        &time[10..12],
        &time[12..14]
    );
    let time = u64::try_from(Timestamp::parse(&time).unwrap().nanos() / 1_000_000_000).unwrap();
    let said = verify(&package, &roster, &brought.parties, revoked.as_ref(), time);
    (
        said.is_verified(),
        said.refused.map_or_else(String::new, |(step, why)| format!("step {}: {why}", step.number)),
    )
}

/// Both verdicts, which must be one.
#[track_caller]
fn check(what: &str, files: &Files, brought: &Brought, expect: bool) {
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), files);
    let (theirs, their_words) = stock(&package, brought);
    let (own, own_words) = ours(files, &[], brought);
    assert_eq!(theirs, own, "{what}: stock tools: {their_words}; we: {own_words}");
    assert_eq!(own, expect, "{what}: {own_words}; {their_words}");
}

#[test]
fn stock_tools_and_we_say_the_same_of_a_package_and_of_all_that_is_done_to_it() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let package = keys.package();
    let (files, brought) = (package.files().clone(), Brought::new(&keys));
    check("whole", &files, &brought, true);
    for name in files.keys() {
        let mut changed = files.clone();
        let bytes = changed.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        match bytes.get_mut(middle) {
            Some(byte) => *byte ^= 4,
            // The list of evidence is empty.
            None => bytes.push(b'x'),
        }
        check(&format!("{name} changed"), &changed, &brought, false);
        let mut without = files.clone();
        without.remove(name);
        check(&format!("{name} removed"), &without, &brought, false);
    }
    for name in [
        "note.txt",
        ".hidden",
        "positions/us/2.json",
        "positions/us/3.json",
        "positions/fr/1.json",
        "positions/x",
        "closing/2/SHA256SUMS",
        "closing/1/fr.sig",
        "closing/1/.fr.sig",
        "closing/1/deep/us.sig",
        "a name",
        "line\nfeed",
    ] {
        let mut more = files.clone();
        more.insert(name.to_owned(), b"more".to_vec());
        check(&format!("{name:?} added"), &more, &brought, false);
    }
}

fn swapped(files: &Files, one: &str, other: &str) -> Files {
    let mut out = files.clone();
    let (a, b) = (files[one].clone(), files[other].clone());
    out.insert(one.to_owned(), b);
    out.insert(other.to_owned(), a);
    out
}

#[test]
fn replays_and_swaps_are_refused() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let package = keys.package();
    let (files, brought) = (package.files().clone(), Brought::new(&keys));
    for (one, other) in [
        ("positions/us/1.json", "positions/se/1.json"),
        ("positions/us/1.json.sig", "positions/se/1.json.sig"),
        ("closing/1/us.sig", "closing/1/uk.sig"),
        ("closing/1/us.sig", "positions/us/1.json.sig"),
        ("statement.json", "statement.txt"),
    ] {
        check(&format!("{one} and {other} swapped"), &swapped(&files, one, other), &brought, false);
    }
    // A signature over the position, given out for one over the list; and a list in another form, which nobody signed.
    let list = String::from_utf8(files["closing/1/SHA256SUMS"].clone()).unwrap();
    for (what, text) in [
        (
            "the dissent's lines cut out",
            list.lines()
                .filter(|line| !line.contains("positions/se"))
                .map(|line| format!("{line}\n"))
                .collect(),
        ),
        ("upper case", list.to_uppercase()),
        ("carriage returns", list.replace('\n', "\r\n")),
        ("a blank line", format!("{list}\n")),
        ("a comment", format!("# all\n{list}")),
        ("a line twice", format!("{list}{}\n", list.lines().next().unwrap())),
        ("binary marks", list.replace("  ", " *")),
        ("nothing", String::new()),
    ] {
        let mut changed = files.clone();
        changed.insert("closing/1/SHA256SUMS".to_owned(), text.into_bytes());
        check(what, &changed, &brought, false);
    }
    // What stands behind the end of a signature is not looked at by ssh-keygen, nor by us.
    let mut changed = files.clone();
    changed.get_mut("closing/1/us.sig").unwrap().extend_from_slice(b"and more\n");
    check("text behind a closing signature", &changed, &brought, true);
}

/// Files of `package` without some, closed anew by `closers`.
fn closed_anew(keys: &Keys, files: &Files, without: &str, closers: &[&str]) -> Files {
    let files = files.iter().filter(|(name, _)| !name.starts_with("closing/") && !name.contains(without));
    let files = files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    let mut package = Package::of_files(files, Vec::new()).unwrap();
    closers.iter().for_each(|party| keys.close(&mut package, party));
    package.files().clone()
}

#[test]
fn a_dissent_left_out_shows_in_who_must_close_and_nowhere_else() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let files = keys.package().files().clone();
    let brought = Brought::new(&keys);
    let without = closed_anew(&keys, &files, "positions/se", &["us", "uk", "jp"]);
    check("the others leave the dissenter out", &without, &brought, false);
    // This is what the scheme cannot prevent, and VERIFY.md says so.
    let three = Brought { parties: ["us", "uk", "jp"].map(str::to_owned).to_vec(), ..brought.clone() };
    check("and a stranger does not know of the fourth", &without, &three, true);
    assert!(
        VERIFY_MD.contains(
            "If *all* other signers agree to it, they can issue a package without somebody's dissent"
        )
    );
    // Whoever has seen the dissent does not close without it.
    let mut seen = Seen::default();
    seen.add(&keys.package());
    let mut package = Package::of_files(without, Vec::new()).unwrap();
    let before = package.clone();
    let keys_of_package = Package::of_files(files, Vec::new()).unwrap();
    let mut seen_here = Seen::default();
    seen_here.add(&keys_of_package);
    let refused = close(&mut package, "us", &seen_here, at(), &*keys.signer("us")).unwrap_err();
    assert_eq!(refused.to_string(), "positions/se/1.json, which was seen before, is not in the package");
    assert_eq!(package, before);
}

#[test]
fn a_later_position_stays_and_an_earlier_one_cannot_be_taken_away() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let mut package = keys.package();
    let old = package.files().clone();
    let brought = Brought::new(&keys);
    keys.file(&mut package, "se", "abstain");
    check("a position behind the list", package.files(), &brought, false);
    for party in PARTIES {
        keys.close(&mut package, party);
    }
    let files = package.files().clone();
    check("closed again", &files, &brought, true);
    for without in ["positions/se/1.", "positions/se/2.", "closing/1/us", "closing/1/SHA"] {
        let cut: Files = files
            .iter()
            .filter(|(name, _)| !name.contains(without))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        check(&format!("without {without}"), &cut, &brought, false);
    }
    check(
        "the second position in the first one's place",
        &swapped(&files, "positions/se/1.json", "positions/se/2.json"),
        &brought,
        false,
    );
    let moved = swapped(
        &swapped(&files, "positions/se/1.json", "positions/se/2.json"),
        "positions/se/1.json.sig",
        "positions/se/2.json.sig",
    );
    check("with its signature, closed anew", &closed_unchecked(&keys, &moved), &brought, false);
    check("the older package", &old, &brought, true);
    old_closings_are_no_new_ones(&keys, &old, &files, &brought);
    // A position of another statement, with its good signature.
    let mut other = Package::new(
        &parse_statement("draft.yml", &DRAFT.replace("Who attacked", "Who wrote to")).unwrap(),
        keys.roster.as_bytes(),
    )
    .unwrap();
    keys.file(&mut other, "uk", "dissent");
    let mut replayed = old;
    for name in ["positions/uk/1.json", "positions/uk/1.json.sig"] {
        replayed.insert(name.to_owned(), other.files()[name].clone());
    }
    check(
        "a position on another statement, closed anew",
        &closed_unchecked(&keys, &replayed),
        &brought,
        false,
    );
}

/// A closing of before, given out for one of now: with the later position there, withheld, or withheld by some only.
fn old_closings_are_no_new_ones(keys: &Keys, old: &Files, new: &Files, brought: &Brought) {
    let mut replayed = new.clone();
    for (name, bytes) in old.iter().filter(|(name, _)| name.starts_with("closing/1/")) {
        replayed.insert(name.replace("closing/1/", "closing/2/"), bytes.clone());
    }
    check("the first closing as the second", &replayed, brought, false);
    for party in PARTIES {
        let mut one = new.clone();
        one.insert(format!("closing/2/{party}.sig"), old[&format!("closing/1/{party}.sig")].clone());
        check(&format!("the first signature of {party} under the second list"), &one, brought, false);
    }
    let mut renamed: Files = old.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    renamed.retain(|name, _| !name.starts_with("closing/"));
    for (name, bytes) in new.iter().filter(|(name, _)| name.starts_with("closing/2/")) {
        renamed.insert(name.replace("closing/2/", "closing/1/"), bytes.clone());
    }
    check("the second closing over the first positions", &renamed, brought, false);
    // Withheld, and the rest closed anew: by all but its party it shows in who must close.
    let mut withheld = new.clone();
    withheld.retain(|name, _| !name.starts_with("positions/se/2") && !name.starts_with("closing/2/"));
    let mut package = Package::of_files(withheld, Vec::new()).unwrap();
    // Nothing new is in it, so that the first closing still holds: it is the older package again.
    assert!(close(&mut package, "us", &Seen::default(), at(), &*keys.signer("us")).is_err());
    let mut seen = Seen::default();
    seen.add(&Package::of_files(new.clone(), Vec::new()).unwrap());
    let refused = seen.check(&package).unwrap_err().to_string();
    assert_eq!(refused, "positions/se/2.json, which was seen before, is not in the package");
}

/// Closes whatever is there, as a program without our checks would: the list and its signatures by `ssh-keygen`.
fn closed_unchecked(keys: &Keys, files: &Files) -> Files {
    let mut files: Files = files
        .iter()
        .filter(|(name, _)| !name.starts_with("closing/"))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    let list: String =
        files.iter().map(|(name, bytes)| format!("{}  {name}\n", statement::sha256_hex(bytes))).collect();
    let folder = tempfile::tempdir().unwrap();
    for party in PARTIES {
        fs::write(folder.path().join(party), &list).unwrap();
        let key = if party == "se" { "se-cert.pub" } else { party };
        let key = keys.folder.path().join(key);
        keygen(
            folder.path(),
            &["-q", "-Y", "sign", "-n", "closing@assay", "-f", key.to_str().unwrap(), party],
        );
        files.insert(
            format!("closing/1/{party}.sig"),
            fs::read(folder.path().join(format!("{party}.sig"))).unwrap(),
        );
    }
    files.insert("closing/1/SHA256SUMS".to_owned(), list.into_bytes());
    files
}

#[test]
fn rosters_keys_and_times_decide_alike() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let files = keys.package().files().clone();
    let brought = Brought::new(&keys);
    check("signatures that ssh-keygen made", &closed_unchecked(&keys, &files), &brought, true);
    let with = |roster: String| Brought { roster, ..brought.clone() };
    let thief = keys.public("thief");
    for (what, roster, expect) in [
        ("another key for a party", keys.roster.replace(keys.public("us").trim(), thief.trim()), false),
        ("that key beside the true one", format!("{}us {thief}", keys.roster), true),
        (
            "a key for positions only",
            keys.roster.replace("position@assay,closing@assay", "position@assay"),
            false,
        ),
        ("a pattern of namespaces", keys.roster.replace("position@assay,closing@assay", "*@assay"), true),
        ("namespaces of something else", keys.roster.replace("position@assay,closing@assay", "file"), false),
        ("not yet valid", keys.roster.replace("20210101", "20210720"), false),
        ("valid from the very second", keys.roster.replace("20210101", "20210719120000Z"), true),
        ("expired", keys.roster.replace("20220101", "202107191159"), false),
        ("an authority that is a plain key", keys.roster.replace("se cert-authority", "se"), false),
        ("another authority", keys.roster.replace(keys.public("authority").trim(), thief.trim()), false),
        ("a pattern of parties", keys.roster.replace("\njp ", "\n?p,!us "), true),
        ("a pattern that leaves it out", keys.roster.replace("\njp ", "\n*,!jp "), false),
        (
            "an option that nobody knows",
            keys.roster.replace("se cert-authority", "se cert-authority,always"),
            false,
        ),
        ("nobody", String::new(), false),
    ] {
        assert!(roster != keys.roster, "{what}: nothing was changed");
        check(what, &files, &with(roster), expect);
    }
    for (what, at, expect) in [
        ("too early", "20201231235959Z", false),
        ("too late", "20220102000000Z", false),
        ("in time", "20211231000000Z", true),
    ] {
        check(what, &files, &Brought { at: at.to_owned(), ..brought.clone() }, expect);
    }
    for (name, expect) in [("us", false), ("authority", false), ("se", false), ("thief", true)] {
        let revoked = Brought { revoked: Some(format!("# gone\n{}", keys.public(name))), ..brought.clone() };
        check(&format!("{name} revoked"), &files, &revoked, expect);
    }
    // A forger makes keys, a roster and a whole package.
    let forged = Keys::make();
    let package = forged.package().files().clone();
    check("a forged package against the true roster", &package, &brought, false);
    check("against the roster that it brings", &package, &Brought::new(&forged), true);
}

#[test]
fn links_and_devices_are_refused() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let files = keys.package().files().clone();
    let brought = Brought::new(&keys);
    let folder = tempfile::tempdir().unwrap();
    let package = write(folder.path(), &files);
    fs::rename(package.join("VERIFY.md"), folder.path().join("VERIFY.md")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("VERIFY.md"), package.join("VERIFY.md")).unwrap();
    let mut without = files;
    without.remove("VERIFY.md");
    assert!(!stock(&package, &brought).0);
    assert!(!ours(&without, &["VERIFY.md"], &brought).0);
}

#[test]
fn what_was_signed_is_read_back() {
    if !has_stock_tools() {
        return;
    }
    let keys = Keys::make();
    let package = keys.package();
    let statement = package.statement().unwrap();
    let (positions, bad) = package.positions(&statement, &package.own_roster().unwrap(), None);
    assert_eq!((positions.len(), bad.len()), (4, 0), "{bad:?}");
    let standings = statement::standing(&statement, &positions);
    let text = statement::render_positions(&statement::View::new(&statement, standings, None).unwrap());
    assert!(
        text.contains(
            "Joint for those who signed it, and nobody else: United States, United Kingdom, Japan."
        ),
        "{text}"
    );
    assert!(text.contains("Sweden dissents (position 1, 2021-07-19T12:00:00Z)"), "{text}");
    assert!(text.contains("Silent (not assent): United States, United Kingdom, Japan, Sweden"), "{text}");
}

/// What a security key does, in software (PROTOCOL.u2f): it signs the hash of its application, flags, a counter and the
/// hash of the message.
struct Device {
    key: ssh_key::PrivateKey,
    /// Whether it was touched.
    flags: u8,
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

impl Device {
    fn kind(&self) -> &'static str {
        match self.key.algorithm() {
            ssh_key::Algorithm::Ed25519 => "sk-ssh-ed25519@openssh.com",
            _ => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    fn line(&self) -> String {
        use base64::Engine as _;
        format!("{} {}", self.kind(), base64::engine::general_purpose::STANDARD.encode(self.public_blob()))
    }
}

impl Signer for Device {
    fn public_blob(&self) -> Vec<u8> {
        let key = self.key.public_key().key_data();
        let mut out = Vec::new();
        put(self.kind().as_bytes(), &mut out);
        match (key.ed25519(), key.ecdsa()) {
            (Some(key), _) => put(&key.0, &mut out),
            (_, Some(key)) => {
                [b"nistp256".as_slice(), key.as_sec1_bytes()].iter().for_each(|part| put(part, &mut out))
            }
            (None, None) => {}
        }
        put(b"ssh:", &mut out);
        out
    }

    fn sign_raw(&self, data: &[u8]) -> Result<Vec<u8>, statement::Refusal> {
        use sha2::Digest as _;
        use signature::Signer as _;
        let trailer = [self.flags, 0, 0, 0, 7];
        let mut message = sha2::Sha256::digest(b"ssh:").to_vec();
        message.extend_from_slice(&trailer);
        message.extend_from_slice(&sha2::Sha256::digest(data));
        let signature: ssh_key::Signature = self.key.try_sign(&message).unwrap();
        let mut out = Vec::new();
        put(self.kind().as_bytes(), &mut out);
        put(signature.as_bytes(), &mut out);
        out.extend_from_slice(&trailer);
        Ok(out)
    }
}

#[test]
fn a_key_in_a_device_signs_as_well() {
    if !has_stock_tools() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [("ed", ["-t", "ed25519"].as_slice()), ("ec", &["-t", "ecdsa", "-b", "256"])] {
        keygen(folder.path(), &[&["-q", "-N", "", "-f", name], kind].concat());
        let key = fs::read_to_string(folder.path().join(name)).unwrap();
        for flags in [1, 5, 0] {
            signed_by(&Device { key: ssh_key::PrivateKey::from_openssh(&key).unwrap(), flags });
        }
    }
}

fn signed_by(device: &Device) {
    let roster = format!("us {}\n", device.line());
    let draft =
        DRAFT.replace(", {id: uk, name: United Kingdom}, {id: jp, name: Japan}, {id: se, name: Sweden}", "");
    let mut package =
        Package::new(&parse_statement("draft.yml", &draft).unwrap(), roster.as_bytes()).unwrap();
    let form = "party: us\nclauses: [{clause: C1, stance: concur}]";
    let form = parse_position("form.yml", form, &package.statement().unwrap()).unwrap();
    package.file(form, at(), device).unwrap();
    close(&mut package, "us", &Seen::default(), at(), device).unwrap();
    let brought = Brought { roster, parties: vec!["us".to_owned()], at: AT.to_owned(), revoked: None };
    check(device.kind(), package.files(), &brought, true);
    for name in ["closing/1/us.sig", "positions/us/1.json.sig"] {
        let text = String::from_utf8(package.files()[name].clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // The signature, its flags and its counter stand at the end.
        for line in lines.len() - 3..lines.len() - 1 {
            for (at, letter) in [(0, "A"), (9, "B"), (lines[line].len() - 5, "C")] {
                let mut changed = lines.clone();
                let own = &lines[line];
                let other = if &own[at..=at] == letter { "D" } else { letter };
                let own = format!("{}{other}{}", &own[..at], &own[at + 1..]);
                changed[line] = &own;
                let mut files = package.files().clone();
                files.insert(name.to_owned(), format!("{}\n", changed.join("\n")).into_bytes());
                check(&format!("{name} with letter {at} of line {line} changed"), &files, &brought, false);
            }
        }
    }
}
