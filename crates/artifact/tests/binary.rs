//! Binary artifacts that `range` writes, as the readers show them; and damage.

use model::{Problem, Record, RecordSink};
use range::artifact::{hive_of_text, lnk, prefetch};

/// Keeps all records as text: log, time, and the slots that are present.
#[derive(Default)]
struct Shown {
    records: Vec<String>,
    problems: Vec<Problem>,
}

impl RecordSink for Shown {
    fn record(&mut self, record: &Record<'_>) {
        assert_eq!(record.values.len(), record.shape.slots.len());
        let slots = record.shape.slots.iter().enumerate();
        let present = slots.filter(|(index, _)| record.value(*index).is_present());
        let shown: Vec<String> =
            present.map(|(index, slot)| format!("{}={}", slot.name, record.value(index).to_text())).collect();
        let time = record.time.map_or("-".into(), |time| time.to_string());
        self.records.push(format!("{} {time} {}", record.shape.log, shown.join("; ")));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

fn read(read: fn(&[u8], &mut dyn RecordSink), bytes: &[u8]) -> Shown {
    let mut shown = Shown::default();
    read(bytes, &mut shown);
    shown
}

/// That the records which hold `part` are `expect`, without what is not asked.
#[track_caller]
fn check(shown: &Shown, part: &str, expect: &[&str]) {
    let found: Vec<&str> =
        shown.records.iter().map(String::as_str).filter(|record| record.contains(part)).collect();
    assert_eq!(found, expect, "\n{}", shown.records.join("\n"));
}

const SYSTEM: &str = r"
[Select] 2021-03-01T00:00:00Z
Current = dword:1
[ControlSet001\Control\ComputerName\ComputerName] 2021-03-01T00:00:00Z
ComputerName = text:MX01
[ControlSet001\Control\Session Manager\AppCompatCache] 2021-03-02T00:00:00Z
AppCompatCache = shimcache:C:\Windows\Temp\procdump64.exe|C:\Windows\System32\cmd.exe
[ControlSet001\Services\upd] 2021-03-03T12:00:00Z
ImagePath = expand:%SystemRoot%\System32\svchost.exe -k netsvcs
Start = dword:2
[ControlSet001\Services\upd\Parameters] 2021-03-03T12:00:00Z
ServiceDll = expand:C:\ProgramData\u.dll
[ControlSet002\Control] 2021-03-01T00:00:00Z
@ = text:ä
Flags = hex:00ff0102aa
Wide = qword:4294967297
Names = multi:one|two
[-ControlSet001\Services\gone] 2021-03-04T00:00:00Z
ImagePath = text:C:\ProgramData\gone.exe
";

#[test]
fn values_of_a_system_hive() {
    let shown = read(artifact::registry::read, &hive_of_text(SYSTEM).unwrap());
    assert_eq!(shown.problems, []);
    check(
        &shown,
        r"registry 2021-03-03T12:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet001\Services\upd;",
        &[
            r"registry 2021-03-03T12:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet001\Services\upd; ValueName=ImagePath; Type=REG_EXPAND_SZ; Data=%SystemRoot%\System32\svchost.exe -k netsvcs; Size=90; LastWrite=2021-03-03T12:00:00Z; TargetObject=HKLM\SYSTEM\CurrentControlSet\Services\upd\ImagePath; Details=%SystemRoot%\System32\svchost.exe -k netsvcs; Deleted=false",
            r"registry 2021-03-03T12:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet001\Services\upd; ValueName=Start; Type=REG_DWORD; Data=2; Size=4; LastWrite=2021-03-03T12:00:00Z; TargetObject=HKLM\SYSTEM\CurrentControlSet\Services\upd\Start; Details=DWORD (0x00000002); Deleted=false",
        ],
    );
    check(
        &shown,
        r"Key=HKLM\SYSTEM\ControlSet002\Control;",
        &[
            r"registry 2021-03-01T00:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet002\Control; ValueName=; Type=REG_SZ; Data=ä; Size=4; LastWrite=2021-03-01T00:00:00Z; TargetObject=HKLM\SYSTEM\ControlSet002\Control\(Default); Details=ä; Deleted=false",
            r"registry 2021-03-01T00:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet002\Control; ValueName=Flags; Type=REG_BINARY; Data=00FF0102AA; Size=5; LastWrite=2021-03-01T00:00:00Z; TargetObject=HKLM\SYSTEM\ControlSet002\Control\Flags; Details=Binary Data; Deleted=false",
            r"registry 2021-03-01T00:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet002\Control; ValueName=Wide; Type=REG_QWORD; Data=4294967297; Size=8; LastWrite=2021-03-01T00:00:00Z; TargetObject=HKLM\SYSTEM\ControlSet002\Control\Wide; Details=QWORD (0x00000001-0x00000001); Deleted=false",
            r"registry 2021-03-01T00:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet002\Control; ValueName=Names; Type=REG_MULTI_SZ; Data=one, two; Size=18; LastWrite=2021-03-01T00:00:00Z; TargetObject=HKLM\SYSTEM\ControlSet002\Control\Names; Details=one, two; Deleted=false",
        ],
    );
}

#[test]
fn what_is_decoded_from_a_system_hive() {
    let shown = read(artifact::registry::read, &hive_of_text(SYSTEM).unwrap());
    check(
        &shown,
        "service ",
        &[
            r"service 2021-03-03T12:00:00Z Computer=MX01; Name=upd; Key=HKLM\SYSTEM\ControlSet001\Services\upd; LastWrite=2021-03-03T12:00:00Z; Deleted=false; ServiceDll=C:\ProgramData\u.dll; ImagePath=%SystemRoot%\System32\svchost.exe -k netsvcs; Start=2",
            r"service 2021-03-04T00:00:00Z Computer=MX01; Name=gone; Key=HKLM\SYSTEM\ControlSet001\Services\gone; LastWrite=2021-03-04T00:00:00Z; Deleted=true; ImagePath=C:\ProgramData\gone.exe",
        ],
    );
    check(
        &shown,
        "shimcache ",
        &[
            r"shimcache - Computer=MX01; Path=C:\Windows\Temp\procdump64.exe; Name=procdump64.exe; LastModified=2020-01-02T00:00:00Z; Order=0",
            r"shimcache - Computer=MX01; Path=C:\Windows\System32\cmd.exe; Name=cmd.exe; LastModified=2020-01-02T00:00:00Z; Order=1",
        ],
    );
    check(
        &shown,
        "registry 2021-03-04",
        &[
            r"registry 2021-03-04T00:00:00Z Computer=MX01; Key=HKLM\SYSTEM\ControlSet001\Services\gone; ValueName=ImagePath; Type=REG_SZ; Data=C:\ProgramData\gone.exe; Size=48; LastWrite=2021-03-04T00:00:00Z; TargetObject=HKLM\SYSTEM\CurrentControlSet\Services\gone\ImagePath; Details=C:\ProgramData\gone.exe; Deleted=true",
        ],
    );
}

#[test]
fn amcache_of_two_layouts() {
    let text = r"
[Root\InventoryApplicationFile\procdump.exe|1a2b] 2021-03-03T12:00:00Z
LowerCaseLongPath = text:c:\root\procdump.exe
Name = text:procdump.exe
FileId = text:0000da39a3ee5e6b4b0d3255bfef95601890afd80709
Size = qword:414208
[Root\File\{9a8b}\10000] 2021-03-04T12:00:00Z
15 = text:C:\root\old.exe
101 = text:0000da39a3ee5e6b4b0d3255bfef95601890afd80709
";
    let shown = read(artifact::registry::read, &hive_of_text(text).unwrap());
    check(
        &shown,
        "amcache ",
        &[
            r"amcache 2021-03-04T12:00:00Z Path=C:\root\old.exe; Name=old.exe; SHA1=da39a3ee5e6b4b0d3255bfef95601890afd80709; Key=ROOT\Root\File\{9a8b}\10000; LastWrite=2021-03-04T12:00:00Z",
            r"amcache 2021-03-03T12:00:00Z Path=c:\root\procdump.exe; Name=procdump.exe; SHA1=da39a3ee5e6b4b0d3255bfef95601890afd80709; Size=414208; Key=ROOT\Root\InventoryApplicationFile\procdump.exe|1a2b; LastWrite=2021-03-03T12:00:00Z",
        ],
    );
}

#[test]
fn big_data_are_put_together() {
    let paths: Vec<String> = (0..600).map(|index| format!(r"C:\Program Files\Example\{index}.exe")).collect();
    let text = format!(
        "[Select]\nCurrent = dword:1\n[ControlSet001\\Control\\Session Manager\\AppCompatCache] 2021-03-02T00:00:00Z\nAppCompatCache = shimcache:{}",
        paths.join("|")
    );
    let shown = read(artifact::registry::read, &hive_of_text(&text).unwrap());
    assert_eq!(shown.problems, []);
    assert_eq!(shown.records.iter().filter(|record| record.starts_with("shimcache")).count(), 600);
}

#[test]
fn other_hives_are_named_by_their_keys() {
    #[track_caller]
    fn check(path: &str, prefix: &str) {
        let shown = read(artifact::registry::read, &hive_of_text(&format!("[{path}]")).unwrap());
        let key = format!("Key={prefix}\\{path};");
        assert!(shown.records[0].contains(&key), "{:?}", shown.records);
    }
    check(r"Microsoft\Windows NT\CurrentVersion", r"HKLM\SOFTWARE");
    check(r"Software\Microsoft\Windows\CurrentVersion\Run", "HKCU");
    check(r"SAM\Domains\Account", r"HKLM\SAM");
    check(r"Policy\Secrets", r"HKLM\SECURITY");
    check(r"Local Settings\Software\Example", r"HKCU\Software\Classes");
    check("Example", "ROOT");
}

#[test]
fn damage_to_a_hive_is_told_and_the_rest_is_read() {
    let hive = hive_of_text(SYSTEM).unwrap();
    let whole = read(artifact::registry::read, &hive).records.len();
    let kinds = |bytes: &[u8]| -> (Vec<&'static str>, usize) {
        let shown = read(artifact::registry::read, bytes);
        (shown.problems.iter().map(|problem| problem.kind).collect(), shown.records.len())
    };
    let mut dirty = hive.clone();
    dirty[4] = 2;
    assert_eq!(kinds(&dirty), (vec!["bad-checksum", "not-replayed"], whole));

    // The list of keys below the root: what it led to is found by the sweep.
    let mut listless = hive.clone();
    let at = listless.windows(2).rposition(|pair| pair == b"lh").unwrap();
    listless[at] = b'x';
    let (problems, records) = kinds(&listless);
    assert_eq!(problems, ["bad-record"]);
    assert_eq!(records, whole, "the keys are there, and only the list is lost");

    let (problems, records) = kinds(&hive[..hive.len() - 2048]);
    assert!(problems.contains(&"truncated"), "{problems:?}");
    assert!(records > 0);

    let mut log = hive[..512].to_vec();
    log[28] = 6;
    log.extend(b"HvLE");
    assert_eq!(kinds(&log), (vec!["not-replayed"], 0));
    log.truncate(512);
    assert_eq!(kinds(&log), (vec![], 0));
}

#[test]
fn a_ring_of_keys_has_an_end() {
    let mut hive = hive_of_text(r"[a\b] 2021-03-03T12:00:00Z").unwrap();
    // The list of `a` leads back to `a`.
    let name = hive.windows(3).position(|part| part == b"\x01\0\0").unwrap();
    assert!(name > 0);
    let lists: Vec<usize> = (0..hive.len() - 2).filter(|at| &hive[*at..at + 2] == b"lh").collect();
    let [of_a, of_root] = lists[..] else { unreachable!("two lists") };
    let a: [u8; 4] = hive[of_root + 4..of_root + 8].try_into().unwrap();
    hive[of_a + 4..of_a + 8].copy_from_slice(&a);
    let shown = read(artifact::registry::read, &hive);
    assert_eq!(shown.problems.len(), 1, "{:?}", shown.problems);
    assert_eq!(shown.problems[0].found, "one that belongs to another");
    check(&shown, r"Key=ROOT\a\b;", &[shown.records.iter().find(|record| record.contains(r"a\b;")).unwrap()]);
}

#[test]
fn each_run_of_a_program() {
    let text = r"
Executable = PROCDUMP64.EXE
RunCount = 2
Run = 2021-03-03T12:00:00Z
Run = 2021-03-03T11:00:00Z
Volume = \VOLUME{01d68d85e0da1e22-b0e0e8ff}
File = \VOLUME{01d68d85e0da1e22-b0e0e8ff}\WINDOWS\SYSTEM32\NTDLL.DLL
File = \VOLUME{01d68d85e0da1e22-b0e0e8ff}\ROOT\PROCDUMP64.EXE
";
    let shown = read(artifact::prefetch::read, &prefetch(text).unwrap());
    assert_eq!(shown.problems, []);
    let rest = r"RunTimes=2021-03-03T12:00:00Z, 2021-03-03T11:00:00Z; Version=30; Volumes=\VOLUME{01d68d85e0da1e22-b0e0e8ff} serial B0E0E8FF; Files=\VOLUME{01d68d85e0da1e22-b0e0e8ff}\WINDOWS\SYSTEM32\NTDLL.DLL, \VOLUME{01d68d85e0da1e22-b0e0e8ff}\ROOT\PROCDUMP64.EXE";
    let run = |time: &str| {
        format!(
            r"prefetch {time} Executable=PROCDUMP64.EXE; Path=\VOLUME{{01d68d85e0da1e22-b0e0e8ff}}\ROOT\PROCDUMP64.EXE; Hash=1234ABCD; RunCount=2; LastRun={time}; {rest}"
        )
    };
    check(&shown, "", &[&run("2021-03-03T12:00:00Z"), &run("2021-03-03T11:00:00Z")]);

    let packed = read(artifact::prefetch::read, &prefetch(&format!("{text}\nPacked = yes")).unwrap());
    assert_eq!(packed.problems, []);
    assert_eq!(packed.records, shown.records);

    let mut bomb = b"MAM\x04".to_vec();
    bomb.extend(u32::MAX.to_le_bytes());
    bomb.extend([0; 400]);
    let shown = read(artifact::prefetch::read, &bomb);
    assert_eq!(shown.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), ["limit"]);
}

#[test]
fn what_a_link_starts() {
    let text = r"
Target = C:\Windows\System32\cmd.exe
Arguments = /c start C:\ProgramData\u.exe
WorkingDir = C:\ProgramData
MachineId = mx01
Modified = 2021-03-03T12:00:00Z
Appended = 12
";
    let shown = read(artifact::lnk::read, &lnk(text).unwrap());
    assert_eq!(shown.problems, []);
    check(
        &shown,
        "",
        &[
            r"lnk - Target=C:\Windows\System32\cmd.exe; Arguments=/c start C:\ProgramData\u.exe; WorkingDir=C:\ProgramData; ShowCommand=1; TargetModified=2021-03-03T12:00:00Z; TargetSize=0; DriveType=fixed; VolumeSerial=B0E0E8FF; VolumeLabel=; MachineId=mx01; Appended=12",
        ],
    );
    let link = lnk(text).unwrap();
    let shown = read(artifact::lnk::read, &link[..130]);
    assert_eq!(shown.problems.len(), 1);
    assert_eq!(shown.records.len(), 1);
}

/// A small generator (xorshift), seeded: the same damage on each run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

#[test]
fn damage_panics_nowhere() {
    let paths = vec![r"C:\Program Files\Example\x.exe"; 600].join("|");
    let big = format!(
        "{SYSTEM}\n[ControlSet001\\Control\\Session Manager\\AppCompatCache] 2021-03-02T00:00:00Z\nAppCompatCache = shimcache:{paths}"
    );
    let link =
        lnk("Target = C:\\x.exe\nArguments = -a\nMachineId = mx01\nModified = 2021-03-03T12:00:00Z").unwrap();
    let run =
        prefetch("Executable = X.EXE\nRun = 2021-03-03T12:00:00Z\nVolume = V\nFile = \\V\\X.EXE").unwrap();
    let packed =
        prefetch("Executable = X.EXE\nRun = 2021-03-03T12:00:00Z\nFile = \\V\\X.EXE\nPacked = yes").unwrap();
    type Read = fn(&[u8], &mut dyn RecordSink);
    let inputs: [(Read, Vec<u8>, usize); 4] = [
        (artifact::registry::read, hive_of_text(&big).unwrap(), 400),
        (artifact::lnk::read, link, 4_000),
        (artifact::prefetch::read, run, 4_000),
        (artifact::prefetch::read, packed, 4_000),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (read_it, whole, rounds) in inputs {
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..=random.next(8) {
                let at = random.next(bytes.len());
                match random.next(5) {
                    0 if !bytes.is_empty() => bytes[at] ^= 1 << random.next(8),
                    1 if !bytes.is_empty() => bytes[at] = 0xff,
                    2 => bytes.truncate(at),
                    3 => {
                        let end = (at + random.next(64)).min(bytes.len());
                        bytes[at..end].fill(0);
                    }
                    _ => {
                        let end = (at + 4).min(bytes.len());
                        let word = random.next(1 << 16).to_le_bytes();
                        let len = end - at;
                        bytes[at..end].copy_from_slice(&word[..len]);
                    }
                }
            }
            let shown = read(read_it, &bytes);
            assert!(shown.records.len() < 10_000);
        }
    }
}
