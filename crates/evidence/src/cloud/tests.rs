//! Cloud logs, read in batches as small as they can be.

use super::*;
use crate::format::{Content, sniff};

/// What a sink was shown: `log line name=value …` of the fields asked for.
struct Shown {
    fields: &'static [&'static str],
    records: Vec<String>,
    problems: Vec<Problem>,
}

impl RecordSink for Shown {
    fn record(&mut self, record: &Record<'_>) {
        let tenant = record.role(model::Role::Host).to_text();
        let time = record.time.map_or("-".to_owned(), |time| time.to_string());
        let mut text = format!("{} {} {tenant} {time}", record.shape.log, record.position.line.unwrap_or(0));
        for field in self.fields {
            let values: Vec<String> = record
                .shape
                .slots
                .iter()
                .zip(record.values)
                .filter(|(slot, _)| slot.answers(field, true))
                .map(|(_, value)| value.to_text())
                .collect();
            text.push_str(&format!(" {field}={}", values.join("|")));
        }
        self.records.push(text);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// Reads `text` in batches as small as they can be.
fn shown(text: &str, fields: &'static [&'static str]) -> Shown {
    let limits = Limits::default();
    assert_eq!(sniff(text.as_bytes(), &limits), Content::Log(&FORMAT), "{text}");
    let shapes = Shapes::new(100);
    let mut sink = Shown { fields, records: Vec::new(), problems: Vec::new() };
    let (mut at, mut upto, mut line) = (0, 1, 1);
    while at < text.len() {
        let ended = upto >= text.len();
        let block = &text.as_bytes()[at..upto.min(text.len())];
        let cut = CloudCut.cut(block, ended);
        if cut == 0 {
            upto += 1;
            continue;
        }
        let bytes = block[..cut].to_vec();
        let next = line + memchr_iter(b'\n', &bytes).count() as u64;
        let batch = Batch { bytes, offset: at as u64, line, state: (), problems: Vec::new() };
        read(&batch, &shapes, &limits, &mut sink);
        (at, line) = (at + cut, next);
        upto = at + 1;
    }
    sink
}

#[track_caller]
fn check(text: &str, fields: &'static [&'static str], expect: &[&str]) {
    let shown = shown(text, fields);
    assert_eq!(shown.problems, [], "{text}");
    assert_eq!(shown.records, expect, "{text}");
}

const AUDIT: &str = r#"{"CreationTime":"2021-03-04T11:31:47","Operation":"Set-Mailbox","Workload":"Exchange","OrganizationId":"T1","ResultStatus":"True","Parameters":[{"Name":"Identity","Value":"a"},{"Name":"AuditEnabled","Value":"False"}]}"#;

#[test]
fn the_unified_audit_log() {
    let fields = &["eventName", "status", "Parameters"];
    let record = "T1 2021-03-04T11:31:47Z eventName=Set-Mailbox status=success Parameters=Identity: a|AuditEnabled: False";
    check(AUDIT, fields, &[&format!("m365-audit 1 {record}")]);
    check(
        &format!("[\n{AUDIT},\n{AUDIT}\n]\n"),
        fields,
        &[&format!("m365-audit 2 {record}"), &format!("m365-audit 3 {record}")],
    );
    let inner = AUDIT.replace('"', "\\\"");
    let wrapped = format!("{{\"RecordType\":1,\"Operations\":\"x\",\"AuditData\":\"{inner}\"}}");
    check(
        &format!("{wrapped}\n{wrapped}"),
        fields,
        &[&format!("m365-audit 1 {record}"), &format!("m365-audit 2 {record}")],
    );
}

#[test]
fn an_answer_over_many_lines() {
    let text = "{\n  \"@odata.context\": \"https://x\",\n  \"value\": [\n    {\n      \"createdDateTime\": \"2021-03-04T11:31:47Z\",\n      \
                \"userPrincipalName\": \"a@b\",\n      \"appDisplayName\": \"App\",\n      \"status\": {\n        \"errorCode\": 50126\n      },\n      \
                \"resourceTenantId\": \"T1\"\n    },\n    {\n      \"createdDateTime\": \"2021-03-04T11:31:48Z\",\n      \"userPrincipalName\": \"a@b\",\n      \
                \"appDisplayName\": \"App\",\n      \"status\": {\n        \"errorCode\": 0\n      }\n    }\n  ],\n  \"@odata.nextLink\": \"https://y\"\n}\n";
    check(
        text,
        &["Username", "ResultType", "Status"],
        &[
            "entra-sign-ins 4 T1 2021-03-04T11:31:47Z Username=a@b ResultType=50126 Status=Failure",
            "entra-sign-ins 13  2021-03-04T11:31:48Z Username=a@b ResultType=0 Status=Success",
        ],
    );
}

#[test]
fn what_azure_monitor_stores() {
    let audit = r#"{"time":"2021-03-04T11:31:47Z","resourceId":"/tenants/T1","operationName":"Add user","category":"AuditLogs","tenantId":"T1","properties":{"activityDateTime":"2021-03-04T11:31:46Z","activityDisplayName":"Add user","result":"success","targetResources":[{"displayName":"x","modifiedProperties":[{"displayName":"N","oldValue":"o","newValue":"n"}]}]}}"#;
    let activity = r#"{"time":"2021-03-04T11:31:47Z","resourceId":"/subscriptions/S","operationName":"MICROSOFT.X/WRITE","category":"Administrative"}"#;
    let fields =
        &["properties.message", "Status", "TargetResources.modifiedProperties", "OperationNameValue"];
    check(
        &format!("{{\"records\":[{audit},{activity}]}}"),
        fields,
        &[
            "entra-audit 1 T1 2021-03-04T11:31:46Z properties.message=Add user Status=success TargetResources.modifiedProperties=N: n OperationNameValue=",
            "azure-activity 1  2021-03-04T11:31:47Z properties.message= Status= TargetResources.modifiedProperties= OperationNameValue=MICROSOFT.X/WRITE",
        ],
    );
}

#[test]
fn damage_costs_one_record() {
    let shown =
        shown(&format!("{AUDIT}\n{{\"Operation\":\"cut\n{AUDIT}\nnoise\n{AUDIT}\n{{\"a\":{{\"b\n"), &[]);
    assert_eq!(shown.records.len(), 3, "{:?}", shown.records);
    let problems: Vec<(u64, Option<u64>)> =
        shown.problems.iter().map(|problem| (problem.offset.unwrap_or(0), problem.records_lost)).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(|(_, lost)| *lost == Some(1)), "{problems:?}");
}

#[test]
fn other_json_is_another_format() {
    let sniffed = |text: &str| sniff(text.as_bytes(), &Limits::default());
    assert_eq!(sniffed("{\"a\":1}\n"), Content::Unknown);
    assert_eq!(sniffed("{\"value\":[{\"a\":1}]}\n"), Content::Unknown);
    assert_ne!(sniffed("{\"EventID\":1,\"Channel\":\"Security\"}\n"), Content::Log(&FORMAT));
}
