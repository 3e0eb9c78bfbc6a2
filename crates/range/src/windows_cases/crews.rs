//! Intruders that left tools of known actors: names of files, pipes and hosts as
//! published reports have them, and nothing that could run.
//!
//! Whoever has these tools leaves the same. The truth says which actor the reports
//! name for them, and not that it would be the one.

use super::acts::{CONTROL, EXECUTION, IMPACT, LATERAL, PROGRAM_DATA, blind_and_burn, deed};
use super::ordinary::{SYSTEM, system32};
use super::{Stage, Supports, events};
use crate::dice::Dice;
use crate::host::{later, march, within_second};
use crate::truth::Grade::{Likely, Yes};
use crate::truth::TruthWho;
use crate::windows::{self, Process};

/// A loader, beacons, a survey of the directory, PsExec, an encryption program: as published of one crew in 2020.
pub(super) fn ransomware_crew(dice: &mut Dice) -> (&'static str, Stage) {
    let mut stage = Stage::new("FS02", "10.20.0.42", dice);
    stage.who = vec![
        TruthWho { as_of: "2017-06-01", first: &[], not_known: None },
        TruthWho { as_of: "2021-07-19", first: &["G0102"], not_known: None },
    ];
    let image = "C:\\Users\\c.lind\\AppData\\Roaming\\sample\\run.exe";
    let loader = Process::new(dice, image, image, SYSTEM);
    for (index, module) in ["systeminfo64", "pwgrab64", "networkDll64"].into_iter().enumerate() {
        let time = within_second(later(march(4, 22, 1, 4), index as i64 * 9_000), dice);
        let path = format!("C:\\Users\\c.lind\\AppData\\Roaming\\sample\\Data\\{module}");
        stage.server.log_event(windows::sysmon_file(time, &loader, &path));
        stage.plant(time, &[(CONTROL, Likely), (EXECUTION, Likely)]);
    }
    let helper = Process::new(dice, &system32("rundll32.exe"), "rundll32.exe", SYSTEM);
    let time = within_second(march(4, 22, 4, 30), dice);
    stage.server.log_event(events::pipe_connected(time, &loader, "\\postex_4a1f"));
    stage.plant(time, &[(CONTROL, Yes)]);
    let survey = format!("{PROGRAM_DATA}\\adfind.exe");
    let looked: Supports = &[(("windows", "discovery"), Yes)];
    let words = "adfind.exe -f \"objectcategory=computer\"";
    deed(&mut stage, march(4, 22, 6, 12), (&survey, words), &loader, looked, dice);
    let time = within_second(march(4, 22, 8, 11), dice);
    stage.server.log_event(windows::service_installed(time, "PSEXESVC", "%SystemRoot%\\PSEXESVC.exe"));
    stage.plant(time, &[(LATERAL, Likely), (EXECUTION, Likely), (("ransomware", "spread"), Likely)]);
    for (time, pipe) in [(march(4, 22, 6, 50), "\\msagent_8c"), (march(4, 22, 8, 40), "\\msagent_1f")] {
        let time = within_second(time, dice);
        stage.server.log_event(events::pipe_connected(time, &helper, pipe));
        stage.plant(time, &[(CONTROL, Yes)]);
    }
    let remote = Process::new(dice, "C:\\Windows\\PSEXESVC.exe", "C:\\Windows\\PSEXESVC.exe", SYSTEM);
    blind_and_burn(&mut stage, &remote, dice);
    encrypt(&mut stage, dice);
    let about = "A file server: modules of a loader, beacons, a survey of the directory, PsExec, protection and shadow \
                 copies removed, files encrypted by Ryuk.";
    (about, stage)
}

fn encrypt(stage: &mut Stage, dice: &mut Dice) {
    const LOST: Supports = &[(IMPACT, Yes), (("ransomware", "files-encrypted"), Yes)];
    let image = format!("{PROGRAM_DATA}\\run.exe");
    let program = Process::new(dice, &image, &image, SYSTEM);
    for (index, name) in ["plan.docx.RYK", "budget.xlsx.RYK", "RyukReadMe.html"].into_iter().enumerate() {
        let time = within_second(later(march(5, 1, 15, 32), index as i64 * 41_000), dice);
        stage.server.log_event(windows::sysmon_file(time, &program, &format!("D:\\Projects\\{name}")));
        stage.plant(time, LOST);
    }
}

/// The altered update, its loader, a survey of the directory, a command to another host, an archive: what logs of a
/// host can show of what was published in December 2020.
pub(super) fn solarwinds(dice: &mut Dice) -> (&'static str, Stage) {
    let mut stage = Stage::new("ORION01", "10.20.0.61", dice);
    stage.who = vec![
        TruthWho { as_of: "2020-12-01", first: &[], not_known: None },
        TruthWho { as_of: "2021-06-01", first: &["G0016"], not_known: None },
    ];
    let image = "C:\\Program Files (x86)\\SolarWinds\\Orion\\SolarWinds.BusinessLayerHost.exe";
    let orion = Process::new(dice, image, image, SYSTEM);
    for (day, hour) in [(3, 7), (4, 7), (5, 7)] {
        let time = within_second(march(day, hour, 2, 40), dice);
        let name = format!("sample{}.appsync-api.eu-west-1.avsvmcloud.com", dice.hex(12));
        stage.server.log_event(events::name_asked_for(time, &orion, &name, "198.51.100.60"));
        stage.plant(time, &[(CONTROL, Yes)]);
    }
    let time = within_second(march(4, 7, 5, 9), dice);
    stage.server.log_event(windows::sysmon_file(time, &orion, "C:\\Windows\\SysWOW64\\netsetupsvc.dll"));
    stage.plant(time, &[(CONTROL, Likely), (EXECUTION, Likely)]);
    let survey = format!("{PROGRAM_DATA}\\adfind.exe");
    let looked: Supports = &[(("windows", "discovery"), Yes)];
    deed(&mut stage, march(4, 7, 9, 31), (&survey, "adfind.exe -sc trustdmp"), &orion, looked, dice);
    let provider = system32("wbem\\WmiPrvSE.exe");
    let provider = Process::new(dice, &provider, "wmiprvse.exe -secured -Embedding", SYSTEM);
    let command = "cmd.exe /Q /c whoami 1> \\\\127.0.0.1\\ADMIN$\\__1614852 2>&1";
    let came: Supports = &[(LATERAL, Yes), (EXECUTION, Likely)];
    deed(&mut stage, march(4, 7, 12, 44), (&system32("cmd.exe"), command), &provider, came, dice);
    let archive = format!("{PROGRAM_DATA}\\fonts.7z");
    let pack = format!("7z.exe a -psample {archive} C:\\Users\\c.lind\\Documents");
    let packed: Supports = &[(("windows", "collection"), Likely)];
    let packer = format!("{PROGRAM_DATA}\\7z.exe");
    deed(&mut stage, march(4, 7, 18, 27), (&packer, &pack), &orion, packed, dice);
    let about = "A server of a network's management whose altered update asks for names, loads a library, surveys the \
                 directory, runs a command over WMI, and packs documents.";
    (about, stage)
}
