//! A tenant of Microsoft's cloud: its unified audit log, and the sign-ins and
//! audit log of its directory, as they are downloaded.
//!
//! The tenant is the host of the truth, by its id.
//!
//! # What it cannot show
//! Field by field it follows Microsoft's published schemas; no log of a real
//! tenant was at hand.

use crate::Scenario;
use crate::dice::Dice;
use crate::evtx::MARK;
use crate::host::{later, march, whole_second};
use crate::truth::{Grade, Truth, TruthAnswer, TruthIntrusion};
use model::{AnswerWord, Timestamp};
use std::collections::BTreeMap;

/// The casebook that asks.
const BOOK: &str = "cloud-identity";
/// What is asked of a tenant …
const ASKED: [&str; 5] =
    ["tenant-credentials", "tenant-consents", "tenant-federation", "tenant-mail", "tenant-audit"];
/// … and what is asked of servers.
const NOT_ASKED: [&str; 6] = [
    "signing-key-taken",
    "adfs-changed",
    "directory-secrets",
    "token-forged",
    "app-credentials",
    "federation-changed",
];
const ADMIN: &str = "k.meyer@example.org";
const OFFICE: &str = "198.51.100.7";
/// Where the intruder comes from.
const OUTSIDE: &str = "203.0.113.77";
const BACKUP: &str = "198.51.100.40";
const PEOPLE: [&str; 4] = ["a.weber@example.org", "b.lang@example.org", "c.roth@example.org", ADMIN];
/// Between two things that people do.
const STEP_MINUTES: u64 = 20;

const NAMES: [&str; 2] = ["tenant-intrusion", "clean-tenant"];

/// The names that [`make`] knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

/// Makes the scenario `name`; `None` when there is none of that name.
pub(crate) fn make(name: &str, seed: u64) -> Option<Scenario> {
    let name = NAMES.into_iter().find(|known| *known == name)?;
    let mut tenant = Tenant::new(Dice::new(seed, name));
    tenant.every_day();
    let about = if name == "clean-tenant" {
        tenant.a_new_program();
        "A tenant on which nothing happened: a program was brought into it, and the backup reads all mail."
    } else {
        tenant.intrusion();
        "A tenant whose administrator's account was used from outside: auditing was switched off for an account, a \
         credential and the right to read mail were given to an application that then read it from the same address, \
         and a domain was set to federation."
    };
    Some(Scenario {
        name,
        about: about.into(),
        files: tenant.files(name == "clean-tenant"),
        truth: tenant.truth(),
    })
}

/// A tenant, being logged.
struct Tenant {
    id: String,
    dice: Dice,
    audit: Vec<(Timestamp, String)>,
    directory: Vec<(Timestamp, String)>,
    sign_ins: Vec<(Timestamp, String)>,
    found: BTreeMap<&'static str, (Grade, Timestamp, Timestamp)>,
}

/// One record of the unified audit log.
struct Act<'a> {
    workload: &'a str,
    operation: &'a str,
    user: &'a str,
    user_type: u8,
    address: &'a str,
    /// Further members, as JSON with a comma before each.
    more: &'a str,
}

impl Tenant {
    fn new(mut dice: Dice) -> Self {
        let id = dice.guid_text();
        Self {
            id,
            dice,
            audit: Vec::new(),
            directory: Vec::new(),
            sign_ins: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// People sign in and read, the backup reads their mail.
    fn every_day(&mut self) {
        let (mut time, end) = (march(3, 0, 0, 0), march(6, 0, 0, 0));
        while time < end {
            let user = self.dice.pick(&PEOPLE);
            let error = if self.dice.chance(5) { 50_126 } else { 0 };
            self.sign_in(time, user, OFFICE, error);
            let act = Act {
                workload: "Exchange",
                operation: "MailItemsAccessed",
                user,
                user_type: 0,
                address: OFFICE,
                more: "",
            };
            self.act(later(time, 61_000), &act);
            let act = Act { workload: "SharePoint", operation: "FileAccessed", ..act };
            self.act(later(time, 125_000), &act);
            let backup = Act {
                operation: "MailItemsAccessed",
                workload: "Exchange",
                user: "backup",
                user_type: 5,
                address: BACKUP,
                more: "",
            };
            self.act(later(time, 305_000), &backup);
            let minutes = self.dice.between(STEP_MINUTES / 2, STEP_MINUTES * 3 / 2) as i64;
            time = later(time, minutes * 60_000);
        }
    }

    /// An administrator brings a program into the tenant.
    fn a_new_program(&mut self) {
        let time = march(4, 9, 30, 5);
        self.credential(time, OFFICE);
        self.consent(later(time, 95_000), OFFICE);
    }

    fn intrusion(&mut self) {
        let time = march(4, 2, 11, 40);
        self.sign_in(time, ADMIN, OUTSIDE, 0);
        let off = later(time, 240_000);
        let parameters = "{\"Name\":\"Identity\",\"Value\":\"svc_mail\"},{\"Name\":\"AuditBypassEnabled\",\"Value\":\"True\"}";
        let more = format!(",\"Parameters\":[{parameters}]");
        self.act(
            off,
            &Act {
                workload: "Exchange",
                operation: "Set-MailboxAuditBypassAssociation",
                user: ADMIN,
                user_type: 2,
                address: OUTSIDE,
                more: &more,
            },
        );
        self.plant("tenant-audit", Grade::Yes, off);
        let given = later(time, 600_000);
        self.credential(given, OUTSIDE);
        self.plant("tenant-credentials", Grade::Likely, given);
        // The directory's own log says it a second later.
        self.plant("tenant-credentials", Grade::Likely, later(given, 1_000));
        let granted = later(time, 700_000);
        self.consent(granted, OUTSIDE);
        self.plant("tenant-consents", Grade::Likely, granted);
        for minutes in [90, 95, 1_500] {
            let read = later(time, minutes * 60_000);
            let more = ",\"ClientAppId\":\"00000003-0000-4000-8000-00000000000a\",\"MailboxOwnerUPN\":\"a.weber@example.org\"";
            self.act(
                read,
                &Act {
                    workload: "Exchange",
                    operation: "MailItemsAccessed",
                    user: "sample",
                    user_type: 6,
                    address: OUTSIDE,
                    more,
                },
            );
            self.plant("tenant-mail", Grade::Likely, read);
        }
        let set = later(time, 7_200_000);
        let more = ",\"ObjectId\":\"example.org\",\"ModifiedProperties\":[{\"Name\":\"LiveType\",\"NewValue\":\"Federated\",\"OldValue\":\"Managed\"}]";
        self.act(
            set,
            &Act {
                workload: "AzureActiveDirectory",
                operation: "Set domain authentication.",
                user: ADMIN,
                user_type: 0,
                address: OUTSIDE,
                more,
            },
        );
        self.plant("tenant-federation", Grade::Likely, set);
    }

    fn plant(&mut self, question: &'static str, grade: Grade, time: Timestamp) {
        let entry = self.found.entry(question).or_insert((grade, time, time));
        *entry = (entry.0.max(grade), entry.1.min(time), entry.2.max(time));
    }

    fn credential(&mut self, time: Timestamp, address: &str) {
        let more = ",\"ObjectId\":\"ServicePrincipal_sample\",\"ModifiedProperties\":[{\"Name\":\"KeyDescription\",\"NewValue\":\"[KeyType=Password]\",\"OldValue\":\"[]\"}]";
        self.act(
            time,
            &Act {
                workload: "AzureActiveDirectory",
                operation: "Add service principal credentials.",
                user: ADMIN,
                user_type: 0,
                address,
                more,
            },
        );
        let time = later(time, 1_000);
        let text = format!(
            "{{\"id\":\"Directory_{}\",\"category\":\"ApplicationManagement\",\"result\":\"success\",\"activityDisplayName\":\"Add service principal credentials\",\
             \"activityDateTime\":\"{}\",\"loggedByService\":\"Core Directory\",\"initiatedBy\":{{\"app\":null,\"user\":{{\"userPrincipalName\":\"{ADMIN}\",\"ipAddress\":\"{address}\"}}}},\
             \"targetResources\":[{{\"displayName\":\"Sample\",\"type\":\"ServicePrincipal\",\"modifiedProperties\":[{{\"displayName\":\"KeyDescription\",\"oldValue\":\"[]\",\"newValue\":\"[KeyType=Password]\"}}]}}]}}",
            self.dice.hex(8),
            whole_second(time)
        );
        self.directory.push((time, text));
    }

    fn consent(&mut self, time: Timestamp, address: &str) {
        let more = ",\"ModifiedProperties\":[{\"Name\":\"AppRole.Value\",\"NewValue\":\"Mail.Read\",\"OldValue\":\"\"}]";
        self.act(
            time,
            &Act {
                workload: "AzureActiveDirectory",
                operation: "Add app role assignment to service principal.",
                user: ADMIN,
                user_type: 0,
                address,
                more,
            },
        );
    }

    fn act(&mut self, time: Timestamp, act: &Act<'_>) {
        let Act { workload, operation, user, user_type, address, more } = act;
        let text = format!(
            "{{\"CreationTime\":\"{}\",\"Id\":\"{}\",\"Operation\":\"{operation}\",\"OrganizationId\":\"{}\",\"RecordType\":8,\"ResultStatus\":\"Success\",\
             \"UserType\":{user_type},\"Version\":1,\"Workload\":\"{workload}\",\"UserId\":\"{user}\",\"ClientIP\":\"{address}\"{more},\"Note\":\"{MARK}\"}}",
            whole_second(time).to_string().trim_end_matches('Z'),
            self.dice.guid_text(),
            self.id,
        );
        self.audit.push((time, text));
    }

    fn sign_in(&mut self, time: Timestamp, user: &str, address: &str, error: u32) {
        let text = format!(
            "{{\"id\":\"{}\",\"createdDateTime\":\"{}\",\"userPrincipalName\":\"{user}\",\"appDisplayName\":\"Office 365 Exchange Online\",\"ipAddress\":\"{address}\",\
             \"clientAppUsed\":\"Browser\",\"conditionalAccessStatus\":\"success\",\"resourceTenantId\":\"{}\",\"status\":{{\"errorCode\":{error},\"failureReason\":\"{MARK}\"}}}}",
            self.dice.guid_text(),
            whole_second(time),
            self.id,
        );
        self.sign_ins.push((time, text));
    }

    /// What is downloaded: the audit log in lines, or as the table that PowerShell exports.
    fn files(&mut self, is_table: bool) -> Vec<(String, Vec<u8>)> {
        let texts = |records: &mut Vec<(Timestamp, String)>| -> Vec<String> {
            records.sort();
            std::mem::take(records).into_iter().map(|(_, text)| text).collect()
        };
        let (audit, directory, sign_ins) =
            (texts(&mut self.audit), texts(&mut self.directory), texts(&mut self.sign_ins));
        let audit = if is_table {
            let row = |text: &String| format!("\"8\",\"{}\"\r\n", text.replace('"', "\"\""));
            let rows: String =
                audit.iter().enumerate().map(|(index, text)| format!("\"{index}\",{}", row(text))).collect();
            ("m365-audit.csv", format!("\"ResultIndex\",\"RecordType\",\"AuditData\"\r\n{rows}"))
        } else {
            ("m365-audit.jsonl", audit.join("\n") + "\n")
        };
        let directory = format!(
            "{{\"@odata.context\":\"https://graph.example.org/{MARK}\",\"value\":[\n{}\n]}}\n",
            directory.join(",\n")
        );
        let mut files = vec![
            ("entra-audit.json", directory),
            (audit.0, audit.1),
            ("sign-ins.json", format!("[\n{}\n]\n", sign_ins.join(",\n"))),
        ];
        files.sort();
        files.into_iter().map(|(name, text)| (format!("tenant/{name}"), text.into_bytes())).collect()
    }

    fn truth(&self) -> Truth {
        let second = |time: Timestamp| Some(whole_second(time).to_string());
        let answer = |id: &'static str, silence: AnswerWord| {
            let entry = self.found.get(id);
            TruthAnswer {
                casebook: BOOK,
                host: self.id.to_uppercase(),
                question_id: id.into(),
                answer: entry.map_or(silence, |(grade, ..)| grade.word()),
                first: entry.and_then(|(_, first, _)| second(*first)),
                last: entry.and_then(|(_, _, last)| second(*last)),
            }
        };
        let not_asked = NOT_ASKED.into_iter().map(|id| answer(id, AnswerWord::NotApplicable));
        let asked = ASKED.into_iter().map(|id| answer(id, AnswerWord::NoTrace));
        let intrusion =
            (!self.found.is_empty()).then(|| TruthIntrusion::alone(&self.id.to_uppercase(), &[OUTSIDE]));
        Truth {
            answers: not_asked.chain(asked).collect(),
            intrusions: intrusion.into_iter().collect(),
            who: Vec::new(),
        }
    }
}
