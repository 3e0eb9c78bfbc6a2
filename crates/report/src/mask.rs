//! Masks what a report must not carry on: names of people, and the names and parameters of web shells, which are
//! their passwords.
//!
//! Each secret has one alias all over a page (`person-1`, `shell-2.aspx`), so that a reader can still follow who did
//! what. A secret is replaced wherever it stands as a word of its own, whichever text it is in. Accounts of machines and
//! services, and those that every Windows has, are nobody's name.
//!
//! # Not here
//! Addresses and hosts: without them a report says nothing. A name that no field of an account holds, nor a home folder.

use aho_corasick::{AhoCorasick, Match, MatchKind};
use model::{Case, Detail, Details, Finding};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::LazyLock;

/// Fields that hold the name of an account.
pub const ACCOUNT_FIELDS: &[&str] = &[
    "User",
    "ParentUser",
    "SourceUser",
    "TargetUser",
    "SubjectUserName",
    "TargetUserName",
    "TargetOutboundUserName",
    "SamAccountName",
    "AccountName",
    "AuthenticatedUser",
    "cs-username",
    "UserName",
    "AnchorMailbox",
    "recipient-address",
    "sender-address",
];
/// Accounts that are nobody's name.
const NOBODY: &[&str] = &[
    "system",
    "local service",
    "network service",
    "local system",
    "localsystem",
    "anonymous logon",
    "anonymous",
    "iusr",
    "administrator",
    "guest",
    "krbtgt",
    "defaultaccount",
    "root",
    "www-data",
    "public",
    "default",
    "default user",
    "all users",
    "everyone",
    "users",
    "administrators",
];
/// Steps whose records name a web shell.
pub const SHELL_STEPS: &[&str] = &[
    "assay.shell-request",
    "assay.shell-file",
    "assay.shell-found",
    "assay.shell-compiled",
    "assay.shell-removed",
    "assay.oab-write",
    "assay.vdir-reset",
    "assay.vdir-set",
];
/// Fields that name a page or a file, and those that hold what was sent to it.
pub const PAGE_FIELDS: &[&str] = &["cs-uri-stem", "UrlStem", "TargetFilename", "Path"];
const QUERY_FIELDS: &[&str] = &["cs-uri-query", "UrlQuery", "cs(Referer)", "cs(Cookie)"];
const SCRIPT_ENDINGS: &[&str] =
    &[".aspx", ".ashx", ".asmx", ".asp", ".asa", ".cer", ".cshtml", ".php", ".jsp", ".jspx", ".cfm"];

/// The parameter that a script asks its caller for.
static PARAMETER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)\b(request(?:\.\w+)?\s*[\[(]+\s*["']+)[^"'\])]+"#).ok());
static HOME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)[\\/](?:users|home|documents and settings)[\\/]([^\\/\s]+)[\\/]").ok());

/// What a case must not carry on, in lower case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Secrets {
    /// Names of people.
    pub people: BTreeSet<String>,
    /// Names of pages that are web shells.
    pub shells: BTreeSet<String>,
    /// What was sent to them.
    pub queries: BTreeSet<String>,
}

impl Secrets {
    /// All that the case's findings, their records, processes and logons name.
    ///
    /// # Errors
    /// When fields that were put aside cannot be read back.
    pub fn of(case: &Case) -> io::Result<Self> {
        let mut secrets = Self::default();
        let mut details = Details::default();
        for finding in &case.findings {
            case.read(finding, &mut details).map_err(io::Error::other)?;
            secrets.learn_finding(case, finding, &details);
            if case.read_record(finding, &mut details).map_err(io::Error::other)? {
                secrets.learn_record(&details);
            }
        }
        secrets.learn_sessions(case);
        Ok(secrets)
    }

    /// What a finding's fields name.
    pub(crate) fn learn_finding(&mut self, case: &Case, finding: &Finding, details: &Details) {
        // An older case does not say what its rules are about: any page may be a shell.
        let unknown = case.looked_for.rules.is_empty();
        let is_shell = unknown || finding.rule.tags.iter().any(|tag| SHELL_STEPS.contains(&tag.as_str()));
        let is_asked = unknown || is_asked(finding);
        for Detail { name, text, .. } in details.iter() {
            self.learn_people(name, text);
            if is_shell && is_of(PAGE_FIELDS, name) {
                self.shells.extend(page(text));
            }
            if is_asked && is_of(QUERY_FIELDS, name) && text.len() > 2 {
                self.queries.insert(text.to_lowercase());
            }
        }
    }

    /// Whom a whole record names.
    pub(crate) fn learn_record(&mut self, record: &Details) {
        record.iter().for_each(|field| self.learn_people(field.name, field.text));
    }

    fn learn_people(&mut self, name: &str, text: &str) {
        if is_of(ACCOUNT_FIELDS, name) {
            self.people.extend(person(text));
        }
        self.people.extend(homes(text));
    }

    /// Whom processes and logons name.
    pub(crate) fn learn_sessions(&mut self, case: &Case) {
        for process in &case.sessions.processes {
            self.people.extend(person(&process.user));
            self.people.extend(homes(&process.command_line).chain(homes(&process.image)));
        }
        self.people.extend(case.sessions.logons.iter().filter_map(|logon| person(&logon.user)));
    }

    /// Adds those of other findings.
    pub(crate) fn add(&mut self, more: Secrets) {
        self.people.extend(more.people);
        self.shells.extend(more.shells);
        self.queries.extend(more.queries);
    }
}

/// Whether a list has a field's name, without regard to case.
fn is_of(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What is replaced, and by what. The one of `default` replaces nothing.
#[derive(Default)]
pub struct Mask {
    finder: Option<AhoCorasick>,
    aliases: Vec<String>,
    parameters: bool,
}

impl Mask {
    /// A mask over the [`Secrets`] of a case, with numbered aliases.
    ///
    /// # Errors
    /// When fields that were put aside cannot be read back.
    pub(crate) fn of(case: &Case) -> io::Result<Self> {
        Ok(Self::over(&Secrets::of(case)?))
    }

    /// A mask over secrets that are known already.
    pub(crate) fn over(secrets: &Secrets) -> Self {
        let mut aliases: BTreeMap<String, String> = BTreeMap::new();
        for (number, person) in (1..).zip(&secrets.people) {
            aliases.insert(person.clone(), format!("person-{number}"));
        }
        for (number, shell) in (1..).zip(&secrets.shells) {
            aliases.insert(shell.clone(), format!("shell-{number}{}", ending(shell)));
        }
        for query in &secrets.queries {
            aliases.insert(query.clone(), "(masked)".to_owned());
        }
        Self::new(aliases)
    }

    /// A mask that puts an alias for each secret, wherever that stands as a word of its own, without regard to ASCII case,
    /// and masks the parameters that scripts evaluate.
    pub fn new(names: BTreeMap<String, String>) -> Self {
        let forms_of = |(name, alias): (&String, &String)| {
            let alias = alias.clone();
            forms(name).into_iter().map(move |form| (form, alias.clone())).collect::<Vec<_>>()
        };
        let mut aliases: BTreeMap<String, String> = names.iter().flat_map(forms_of).collect();
        // A name is never another one's form.
        aliases.extend(names);
        let finder = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(aliases.keys());
        Self { finder: finder.ok(), aliases: aliases.into_values().collect(), parameters: true }
    }

    /// `text` without secrets.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = match &self.finder {
            Some(finder) => self.replace(finder, text),
            None => Cow::Borrowed(text),
        };
        let Some(parameter) = PARAMETER.as_ref().filter(|_| self.parameters && may_ask(&text)) else {
            return text;
        };
        match parameter.replace_all(&text, |found: &Captures<'_>| format!("{}(masked)", &found[1])) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => Cow::Owned(masked),
        }
    }

    fn replace<'t>(&self, finder: &AhoCorasick, text: &'t str) -> Cow<'t, str> {
        // Every secret that stands as a word, also one within what is none: of `svc-jane` and `jane`, `xsvc-jane` holds the
        // second only. Then the leftmost, and of those the longest.
        let is_word = |found: &Match| {
            let before = text[..found.start()].chars().next_back();
            let after = text[found.end()..].chars().next();
            let joins = |c: char| c.is_alphanumeric();
            let is_escape = || is_escaped(text.as_bytes(), found.start());
            !after.is_some_and(joins) && (!before.is_some_and(joins) || is_escape())
        };
        let mut words: Vec<Match> = finder.find_overlapping_iter(text).filter(is_word).collect();
        words.sort_by_key(|found| (found.start(), std::cmp::Reverse(found.end())));
        let mut out = String::new();
        let mut done = 0;
        for found in words {
            if found.start() < done {
                continue;
            }
            out.push_str(&text[done..found.start()]);
            out.push_str(&self.aliases[found.pattern().as_usize()]);
            done = found.end();
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }
}

/// Whether what ends before `at` is an escape, so that a word begins there though a letter or digit stands before it:
/// `%5Cjane`, `\u005cjane`, `\x5cjane`.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let is_hex = |count: usize, opening: &[u8]| {
        let Some(start) = at.checked_sub(count) else { return false };
        text[..start].ends_with(opening) && text[start..at].iter().all(u8::is_ascii_hexdigit)
    };
    is_hex(2, b"%") || is_hex(2, b"\\x") || is_hex(4, b"\\u") || is_hex(4, b"%u")
}

/// The forms in which a name stands in texts: as it is, in capitals (the search knows those of ASCII), and as addresses
/// and JSON write what is no letter of ASCII.
fn forms(name: &str) -> BTreeSet<String> {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let mut forms = BTreeSet::from([name.to_owned()]);
    if name.bytes().all(is_kept) {
        return forms;
    }
    let mut first = name.chars();
    let capital = first.next().map(|c| c.to_uppercase().chain(first).collect::<String>());
    forms.extend([name.to_uppercase()].into_iter().chain(capital));
    for form in forms.clone() {
        let percent = |byte: u8| match is_kept(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        };
        let percent: String = form.bytes().map(percent).collect();
        let json = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
        forms.extend([percent.replace("%20", "+"), percent, form.chars().map(json).collect()]);
    }
    forms
}

/// The people whose home folders a text names.
fn homes(text: &str) -> impl Iterator<Item = String> {
    let short = Some(text).filter(|text| text.len() < 4_096 && may_name_home(text));
    let homes = short.into_iter().flat_map(|text| HOME.iter().flat_map(|home| home.captures_iter(text)));
    homes.filter_map(|found| person(&found[1]))
}

/// Whether the text has the signs of `PARAMETER`: few do.
fn may_ask(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2(b'[', b'(', bytes).is_some_and(|at| memchr::memchr2(b'"', b'\'', &bytes[at..]).is_some())
}

/// Whether a folder in the text begins as those of `HOME` do: few do, and a search for the whole expression costs.
fn may_name_home(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| matches!(bytes.get(at + 1), Some(b'u' | b'U' | b'h' | b'H' | b'd' | b'D'));
    memchr::memchr2_iter(b'\\', b'/', bytes).any(begins)
}

/// The ending of a file's name, with its dot.
pub fn ending(name: &str) -> &str {
    name.rfind('.').map_or("", |at| &name[at..])
}

/// Whether the finding is a request to a shell, so that its query is for the shell alone.
fn is_asked(finding: &Finding) -> bool {
    finding.has_tag("assay.shell-request")
}

/// The person's part of an account's name: without domain, mailbox prefix and address; `None` for nobody's.
pub fn person(account: &str) -> Option<String> {
    if account.starts_with("ServerInfo~") {
        return None;
    }
    let bare = account.trim().trim_end_matches('\0');
    let bare = bare.rsplit(['\\', '/', '~', ':']).next().unwrap_or(bare);
    let bare = bare.split('@').next().unwrap_or(bare).trim().to_lowercase();
    let is_service = bare.ends_with('$')
        || ["healthmailbox", "dwm-", "umfd-", "s-1-", "sm_", "msol_", "systemmailbox", "iis_"]
            .iter()
            .any(|prefix| bare.starts_with(prefix));
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '\'' | ' ');
    let is_name = bare.chars().any(char::is_alphabetic) && bare.chars().all(allowed);
    (bare.chars().count() > 1 && is_name && !is_service && !NOBODY.contains(&bare.as_str())).then_some(bare)
}

/// The name of a script file.
pub fn page(path: &str) -> Option<String> {
    let name = path.rsplit(['\\', '/']).next()?.to_lowercase();
    // A compiled trace is called after its page: `x.aspx.0123abcd.compiled`.
    SCRIPT_ENDINGS.iter().find_map(|ending| {
        let end = name.find(&format!("{ending}.")).map(|at| at + ending.len());
        let end = end.or_else(|| name.ends_with(ending).then_some(name.len()))?;
        Some(name[..end].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn names_of_people() {
        let check =
            |account: &str, expect: Option<&str>| assert_eq!(person(account).as_deref(), expect, "{account}");
        check(r"EXAMPLE\jane.doe", Some("jane.doe"));
        check("SMTP:jane.doe@example.org", Some("jane.doe"));
        check(r"NT AUTHORITY\SYSTEM", None);
        check("MXS01$", None);
        check("HealthMailbox1234@example.org", None);
        check("Sid~S-1-5-21-1-2-3-500", None);
        check("-", None);
        check("ServerInfo~a]@mxs01.example.test:444/ecp/x?#", None);
    }

    #[test]
    fn names_of_shells() {
        assert_eq!(page(r"C:\inetpub\wwwroot\aspnet_client\Help.aspx").as_deref(), Some("help.aspx"));
        assert_eq!(page("/owa/auth/Help.aspx").as_deref(), Some("help.aspx"));
        assert_eq!(page("help.aspx.0a1b2c3d.compiled").as_deref(), Some("help.aspx"));
        assert_eq!(page("/owa/"), None);
    }

    #[test]
    fn a_secret_has_one_alias_wherever_it_stands_alone() {
        let people = set(&["jane", "jane.doe", "svc-jane", "émile zola"]);
        let mask =
            Mask::over(&Secrets { people, shells: set(&["help.aspx"]), queries: set(&["cmd=whoami"]) });
        let check = |text: &str, expect: &str| assert_eq!(mask.apply(text), expect);
        check(r"C:\Users\Jane.Doe\x, EXAMPLE\jane", r"C:\Users\person-2\x, EXAMPLE\person-1");
        check("…/HELP.aspx?cmd=whoami by janet", "…/shell-1.aspx?(masked) by janet");
        check("eval(Request[\"orange\"], \"unsafe\")", "eval(Request[\"(masked)\"], \"unsafe\")");
        check("eval(Request.Item['k'])", "eval(Request.Item['(masked)'])");
        assert!(matches!(mask.apply("nothing of it"), Cow::Borrowed(_)));
        assert_eq!(Mask::default().apply("jane"), "jane");
        // Within what is no word, behind an escape, one beside the other.
        check("xsvc-jane jane", "xsvc-person-1 person-1");
        check("user=EXAMPLE%5Cjane%20", "user=EXAMPLE%5Cperson-1%20");
        check(r"\u005cjane \x5cJANE", r"\u005cperson-1 \x5cperson-1");
        check(
            "ÉMILE ZOLA, Émile Zola, %C3%A9mile+zola, %c3%a9mile%20zola",
            "person-4, person-4, person-4, person-4",
        );
        check(r#""\u00e9mile zola""#, r#""person-4""#);
        check("jane jane,jane", "person-1 person-1,person-1");
        check("abcdjane 5cjane", "abcdjane 5cjane");
    }
}
