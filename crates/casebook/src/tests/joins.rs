//! Which findings belong together.

use super::sketch::{Sketch, groups};

const OWA: &str = r"C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth";
const COMPILED: &str =
    r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\Temporary ASP.NET Files\owa\8e05b027\e164d61b";

#[track_caller]
fn check(lines: &[&str], expect: &[&[u64]]) {
    let case = Sketch::full().findings(lines).assess();
    assert_eq!(groups(&case), expect);
    for (finding, number) in case.findings.iter().zip(1..) {
        let place = expect.iter().position(|group| group.contains(&number));
        assert_eq!(finding.intrusion.map(|id| id.0 as usize), place, "finding {number}");
    }
}

#[test]
fn by_source() {
    check(
        &[
            "04T11:20:05 ssrf-reached ClientIpAddress=203.0.113.7",
            "06T11:20:05 ews-over-ssrf ClientIpAddress=203.0.113.7",
            "06T11:20:05 ews-over-ssrf ClientIpAddress=198.51.100.9",
        ],
        &[&[1, 2], &[3]],
    );
    // Loopback and link-local addresses are nobody's; a zone is no part of an address.
    for nobody in ["127.0.0.1", "::1", "fe80::1%3", "0.0.0.0", "-", "169.254.3.4"] {
        let line = |time: &str| format!("{time} ews-over-ssrf ClientIpAddress={nobody}");
        check(&[&line("04T11:20:05"), &line("06T11:20:05")], &[&[1], &[2]]);
    }
    check(
        &[
            "04T11:20:05 ews-over-ssrf ClientIpAddress=203.0.113.7",
            "06T11:20:05 ews-over-ssrf ClientIpAddress=::ffff:203.0.113.7",
        ],
        &[&[1, 2]],
    );
}

#[test]
fn by_a_private_source_only_within_ten_minutes() {
    let line = |time: &str| format!("{time} ews-over-ssrf ClientIpAddress=10.0.0.4");
    check(&[&line("04T11:20:05"), &line("04T11:30:05")], &[&[1, 2]]);
    check(&[&line("04T11:20:05"), &line("04T11:30:06")], &[&[1], &[2]]);
}

#[test]
fn by_session_and_request() {
    let event =
        "EventData=S:TIME=1;S:SID=0dd9a9ae-1c6e-4d39-9c33-b5e8b4d5a9a1;'S:CMD=Set-OabVirtualDirectory'";
    check(
        &[&format!("04T11:20:05 vdir-set {event}"), &format!("06T11:20:05 ecp-session {event}")],
        &[&[1, 2]],
    );
    check(
        &[
            "04T11:20:05 ssrf-reached ClientIpAddress=203.0.113.7 | AnchorMailbox=ServerInfo~a]@x:444/ecp/DDI/DDIService.svc/SetObject?msExchEcpCanary=abcdefghijkl.&schema=x#",
            "06T11:20:05 vdir-set EventData=S:URL=/ecp/DDI/DDIService.svc/SetObject?schema=x&msExchEcpCanary=abcdefghijkl.;S:EX=",
        ],
        &[&[1, 2]],
    );
    check(
        &[
            "04T11:20:05 ews-over-ssrf RequestId=5c2a7f3e-0b4d-4b64-9a51-8f1d7e5a2b10",
            "06T11:20:05 shell-request cs-uri-query=a=b&cafeReqId=5C2A7F3E-0B4D-4B64-9A51-8F1D7E5A2B10;&encoding=; | cs-uri-stem=/owa/auth/q.aspx",
        ],
        &[&[1, 2]],
    );
    let nil = "RequestId=00000000-0000-0000-0000-000000000000";
    check(
        &[&format!("04T11:20:05 ews-over-ssrf {nil}"), &format!("06T11:20:05 ews-over-ssrf {nil}")],
        &[&[1], &[2]],
    );
}

#[test]
fn by_the_page_however_it_is_spelt() {
    check(
        &[
            &format!(r"02T11:20:05 shell-file TargetFilename={OWA}\Xq.aspx"),
            "04T11:20:05 shell-request cs-uri-stem=/owa/auth/xQ.aspx | c-ip=203.0.113.7",
            &format!(r"04T11:21:05 shell-compiled TargetFilename={COMPILED}\xq.aspx.cdcab7d2.compiled"),
            "06T11:20:05 shell-request UrlStem=/owa/auth/xq.aspx | ClientIpAddress=198.51.100.9",
            r"06T13:20:05 oab-write Line=x,Download failed and temporary file 'C:\inetpub\wwwroot\aspnet_client\o.aspx' needs to be removed",
            r"07T13:20:05 shell-file TargetFilename=\\127.0.0.1\c$\inetpub\wwwroot\aspnet_client\o.aspx",
        ],
        &[&[1, 2, 3, 4], &[5, 6]],
    );
    let case = Sketch::full()
        .findings(&[
            &format!(r"02T11:20:05 shell-file TargetFilename={OWA}\x.aspx"),
            "04T11:20:05 shell-request cs-uri-stem=/owa/auth/x.aspx",
        ])
        .assess();
    assert_eq!(case.intrusions[0].joined_by, ["web shell /owa/auth/x.aspx"]);
}

#[test]
fn the_same_page_on_two_hosts_is_two_shells() {
    let mut sketch = Sketch::full();
    sketch.add_logs("MXS02");
    let case = sketch
        .findings(&[
            &format!(r"02T11:20:05 shell-file TargetFilename={OWA}\x.aspx"),
            &format!(r"04T11:20:05 shell-file TargetFilename={OWA}\x.aspx | host=MXS02"),
        ])
        .assess();
    assert_eq!(groups(&case), [vec![1], vec![2]]);
}

#[test]
fn by_the_parameter_unless_it_is_everybodys() {
    let set = |name: &str| {
        format!("09T11:20:05 vdir-set Data=-ExternalUrl <script>eval(Request[\"{name}\"])</script>")
    };
    let used = |name: &str| {
        format!("06T11:20:05 shell-request cs-uri-stem=/aspnet_client/o.aspx | cs-uri-query={name}=1")
    };
    check(&[&used("NO9BxmCXw0JE"), &set("NO9BxmCXw0JE")], &[&[1, 2]]);
    check(&[&used("no9bxmcxw0je"), &set("NO9BxmCXw0JE")], &[&[1], &[2]]);
    check(&[&used("cmd"), &set("cmd")], &[&[1], &[2]]);
}

#[test]
fn by_process_tree() {
    let cmd = "b3c1a5d2-1111-2222-3333-444455556666";
    let tool = "b3c1a5d2-1111-2222-3333-777788889999";
    let w3wp = "b3c1a5d2-1111-2222-3333-000011112222";
    check(
        &[
            &format!(
                r"04T11:20:05 shell-child Image=C:\Windows\System32\cmd.exe | ParentImage=C:\Windows\w3wp.exe | ProcessGuid={{{cmd}}} | ParentProcessGuid={{{w3wp}}}"
            ),
            &format!(
                r"04T15:20:05 lsass-dump Image=C:\t\procdump.exe | ParentImage=C:\Windows\System32\cmd.exe | ProcessGuid={{{tool}}} | ParentProcessGuid={{{cmd}}}"
            ),
            &format!(
                r"04T19:20:05 shell-child Image=C:\Windows\System32\cmd.exe | ParentImage=C:\Windows\w3wp.exe | ProcessGuid={{{}}} | ParentProcessGuid={{{w3wp}}}",
                "b3c1a5d2-1111-2222-3333-aaaabbbbcccc"
            ),
        ],
        &[&[1, 2], &[3]],
    );
    check(
        &[
            r"04T11:20:05 shell-child NewProcessName=C:\Windows\System32\cmd.exe | NewProcessId=0x1a4 | ProcessId=0x9c8 | ParentProcessName=C:\w3wp.exe",
            r"04T12:20:05 lsass-dump NewProcessName=C:\t\procdump.exe | NewProcessId=0x2b0 | ProcessId=0x1a4 | ParentProcessName=C:\Windows\System32\cmd.exe",
            r"06T12:20:05 lsass-dump NewProcessName=C:\t\procdump.exe | NewProcessId=0x2b4 | ProcessId=0x1a4 | ParentProcessName=C:\Windows\System32\cmd.exe",
        ],
        &[&[1, 2], &[3]],
    );
}

#[test]
fn by_time_where_nobody_is_named() {
    check(
        &[
            "04T11:20:05 ssrf-reached ClientIpAddress=203.0.113.7",
            "04T11:24:05 vdir-set Data=Set-OabVirtualDirectory",
            &format!(r"04T11:30:05 shell-file TargetFilename={OWA}\x.aspx"),
            "06T02:14:50 shell-request cs-uri-stem=/owa/auth/x.aspx | c-ip=198.51.100.9",
            "06T02:14:51 shell-child x=y",
            "06T02:20:51 log-cleared x=y",
            "06T02:40:51 account-added x=y",
        ],
        &[&[1, 2, 3, 4, 5, 6], &[7]],
    );
}

#[test]
fn two_intruders_on_one_host_stay_two() {
    let lines = [
        "03T06:02:11 ssrf-reached ClientIpAddress=203.0.113.7".to_owned(),
        "03T06:02:40 vdir-set Data=x".to_owned(),
        format!(r"03T06:02:46 shell-file TargetFilename={OWA}\first.aspx"),
        "04T13:18:30 ssrf-reached ClientIpAddress=198.51.100.66".to_owned(),
        "04T13:19:01 vdir-set Data=x".to_owned(),
        r"04T13:19:07 shell-file TargetFilename=C:\inetpub\wwwroot\aspnet_client\second.aspx".to_owned(),
        "04T20:11:05 shell-request cs-uri-stem=/owa/auth/first.aspx | c-ip=203.0.113.7".to_owned(),
        "04T20:11:05 shell-child x=y".to_owned(),
        "05T08:44:19 shell-request cs-uri-stem=/aspnet_client/second.aspx | c-ip=198.51.100.67".to_owned(),
        // A scanner that asks for everybody's shell, and one intruder for the other's.
        "05T09:00:00 shell-request cs-uri-stem=/owa/auth/first.aspx | c-ip=192.0.2.200".to_owned(),
        "05T09:00:01 shell-request cs-uri-stem=/aspnet_client/second.aspx | c-ip=192.0.2.200".to_owned(),
        "05T10:00:00 shell-request cs-uri-stem=/aspnet_client/second.aspx | c-ip=203.0.113.7".to_owned(),
    ];
    check(&lines.each_ref().map(String::as_str), &[&[1, 2, 3, 7, 8, 10], &[4, 5, 6, 9, 11, 12]]);
}

#[test]
fn a_visitor_of_one_shell_comes_back_by_its_address() {
    check(
        &[
            "03T06:02:11 ssrf-reached ClientIpAddress=203.0.113.7",
            "05T09:00:00 shell-request cs-uri-stem=/owa/auth/unseen.aspx | c-ip=203.0.113.7",
            "06T09:00:00 shell-request cs-uri-stem=/owa/auth/unseen.aspx | c-ip=198.51.100.9",
        ],
        &[&[1, 2, 3]],
    );
}

#[test]
fn who_was_only_refused_is_no_intruder() {
    check(
        &[
            "03T06:02:11 ssrf-refused ClientIpAddress=203.0.113.7",
            "03T06:02:12 probe ClientIpAddress=203.0.113.7",
            "03T06:02:13 backend-cookie ClientIpAddress=203.0.113.7",
            "03T06:02:14 ssrf-unrated+ssrf-target-autodiscover ClientIpAddress=203.0.113.7",
            "03T06:02:14 discovery x=y",
            "03T06:02:14 - rule.technique=T1003",
        ],
        &[],
    );
}

#[test]
fn the_intruder_s_own_refusals_are_his() {
    check(
        &[
            "03T06:02:11 ssrf-refused ClientIpAddress=203.0.113.7",
            "03T06:03:11 ssrf-reached ClientIpAddress=203.0.113.7",
        ],
        &[&[1, 2]],
    );
}

#[test]
fn an_intrusion_over_two_hosts() {
    let mut sketch = Sketch::full();
    sketch.add_logs("MXS02");
    let case = sketch
        .findings(&[
            "04T11:20:05 ssrf-reached ClientIpAddress=203.0.113.7 | host=MXS02",
            "04T11:22:05 ssrf-reached ClientIpAddress=203.0.113.7",
        ])
        .assess();
    assert_eq!(groups(&case), [vec![1, 2]]);
    let hosts: Vec<&str> = case.intrusions[0].hosts.iter().map(|host| &**host).collect();
    assert_eq!(hosts, ["MXS01", "MXS02"]);
    assert_eq!(case.intrusions[0].joined_by, ["source 203.0.113.7"]);
}

#[test]
fn one_act_in_two_logs() {
    check(
        &[
            "04T02:40:08 vdir-set EventData=S:SID=0dd9a9ae-1c6e-4d39-9c33-b5e8b4d5a9a1;S:CMD=Set-OabVirtualDirectory",
            "04T02:40:09 vdir-set Data=Set-OabVirtualDirectory",
            "04T02:51:31 shell-request cs-uri-stem=/owa/auth/x.aspx | c-ip=203.0.113.99",
            "04T02:58:31 shell-request cs-uri-stem=/owa/auth/x.aspx | c-ip=203.0.113.99",
        ],
        &[&[1, 2, 3, 4]],
    );
}

#[test]
fn a_page_that_nobody_wrote_follows_a_write_whose_page_and_source_nobody_knows() {
    let request =
        |day: &str| format!("{day}T02:51:31 shell-request cs-uri-stem=/owa/auth/x.aspx | c-ip=203.0.113.99");
    check(&["04T02:40:08 vdir-set x=y", &request("04")], &[&[1, 2]]);
    check(&["02T02:40:08 vdir-set x=y", &request("08")], &[&[1, 2]]);
    check(&["02T02:40:08 vdir-set x=y", &request("09")], &[&[1], &[2]]);
    check(&[&request("04"), "04T02:53:08 vdir-set x=y"], &[&[1], &[2]]);
    check(
        &["04T02:39:08 ssrf-reached ClientIpAddress=203.0.113.7", "04T02:40:08 vdir-set x=y", &request("04")],
        &[&[1, 2], &[3]],
    );
    check(
        &[
            "04T02:40:08 vdir-set x=y",
            r"04T02:40:18 shell-file TargetFilename=C:\inetpub\wwwroot\aspnet_client\y.aspx",
            &request("04"),
        ],
        &[&[1, 2], &[3]],
    );
}

#[test]
fn the_nearest_that_fits_not_the_nearest() {
    let line = |time: &str, step: &str, source: &str, canary: &str| {
        let url = format!("/ecp/DDI/DDIService.svc/SetObject?msExchEcpCanary={canary}");
        format!("{time} {step} ClientIpAddress={source} | AnchorMailbox=ServerInfo~a]@x:444{url}#")
    };
    check(
        &[
            "04T02:40:00 ssrf-reached ClientIpAddress=203.0.113.7",
            &line("04T02:40:07", "ssrf-reached", "198.51.100.66", "anothercanary.x"),
            "04T02:40:08 vdir-set EventData=S:URL=/ecp/DDI/DDIService.svc/SetObject?msExchEcpCanary=abcdefghijkl.&x=y",
        ],
        &[&[1, 3], &[2]],
    );
}

#[test]
fn what_is_carried_away_tells_no_shells_apart() {
    check(
        &[
            "04T02:40:08 shell-request cs-uri-stem=/owa/auth/x.aspx | c-ip=203.0.113.99",
            r"04T02:40:09 shell-child CommandLine=cmd /c rundll32 comsvcs.dll MiniDump 668 C:\root\lsass.dmp full",
            r"04T02:41:09 lsass-dump TargetFilename=C:\root\lsass.dmp",
            r"04T02:45:09 archive-staged CommandLine=7z.exe a C:\inetpub\wwwroot\aspnet_client\f.7z C:\root",
            "06T02:45:09 archive-fetched cs-uri-stem=/aspnet_client/f.7z | c-ip=198.51.100.9",
        ],
        &[&[1, 2, 3, 4, 5]],
    );
}

#[test]
fn acts_on_a_host_within_a_minute() {
    check(
        &[
            "04T06:10:04 log-cleared x=y",
            "04T06:10:06 log-tamper x=y",
            "04T06:10:09 log-cleared x=y",
            "04T06:12:09 log-cleared x=y",
        ],
        &[&[1, 2, 3], &[4]],
    );
}

const MODULE: &str =
    r"- iis-module Element=global-module | Name=HealthProbe | Image=C:\ProgramData\hp\probe.dll";

#[test]
fn what_lies_there_follows_the_one_who_names_it() {
    let wrote = r"04T11:25:05 shell-child Image=C:\Windows\System32\cmd.exe | CommandLine=cmd /c copy x C:\ProgramData\hp\probe.dll | ParentProcessId=900";
    let entry = "04T11:20:05 ews-over-ssrf ClientIpAddress=203.0.113.7";
    check(&[entry, wrote, MODULE], &[&[1], &[2, 3]]);
    // By the module's name alone.
    let appcmd = "04T11:25:05 iis-module CommandLine=appcmd.exe install module /name:HealthProbe /image:x | ParentProcessId=900";
    check(&[appcmd, entry, MODULE], &[&[2], &[1, 3]]);
    // A file in the folder that a virtual directory leads to.
    check(
        &[
            r"- iis-module Element=virtual-directory | PhysicalPath=C:\Recovery\pub",
            r"04T11:25:05 shell-file TargetFilename=C:\Recovery\pub\a.aspx",
        ],
        &[&[2, 1]],
    );
    // Two name it: nobody knows whose it is.
    let other = r"06T11:25:05 shell-child Image=C:\x\y.exe | CommandLine=y C:\ProgramData\hp\probe.dll | ParentProcessId=1200";
    check(&[wrote, other, MODULE], &[&[1], &[2]]);
    // Another host's file of the same name.
    check(&[wrote, &format!("{MODULE} | host=MXS02")], &[&[1]]);
}

#[test]
fn what_lies_there_alone_is_unassigned() {
    let second = r"- iis-module Element=handler | Name=Other | ScriptProcessor=C:\ProgramData\hp\other.dll";
    check(&[MODULE, second], &[]);
    let case = Sketch::full().findings(&[MODULE, second]).assess();
    assert_eq!(super::sketch::answer(&case, "persistence").answer.as_str(), "likely");
    // Windows' own programs and folders join nobody.
    let cmd = r"- iis-module Element=handler | Name=H | ScriptProcessor=C:\Windows\System32\cmd.exe";
    let used = r"04T11:25:05 shell-child Image=C:\Windows\System32\cmd.exe | ParentProcessId=900";
    check(&[used, cmd], &[&[1]]);
    // A shell proves a breach; what lies beside it is in its folder.
    check(&[r"- shell-found Path=C:\inetpub\wwwroot\a.aspx", MODULE], &[&[1]]);
    // Fifty modules of one folder, and who wrote one of them.
    let many: Vec<String> = (0..50)
        .map(|n| format!(r"- iis-module Element=global-module | Name=m{n} | Image=C:\ProgramData\hp\{n}.dll"))
        .chain([r"04T11:25:05 shell-child CommandLine=copy x C:\ProgramData\hp\7.dll | ParentProcessId=900"
            .to_owned()])
        .collect();
    let case = Sketch::full().findings(&many.iter().map(String::as_str).collect::<Vec<_>>()).assess();
    assert_eq!(groups(&case).iter().map(Vec::len).collect::<Vec<_>>(), [51]);
}
