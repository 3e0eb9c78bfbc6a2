//! Where what the requester sent comes into a script.

use crate::region::Page;
use crate::token::{Kind, Token};
use std::collections::BTreeSet;

/// What a value holds; a set of bits.
pub(crate) type Bits = u8;
/// Text that the requester sent.
pub(crate) const INPUT: Bits = 1;
/// A file that the requester sent, or its name.
pub(crate) const FILE: Bits = 2;
/// The last part of a path that the requester sent.
pub(crate) const NAME: Bits = 4;
/// Input that is compared with a pattern or a list.
pub(crate) const CHECKED: Bits = 8;

/// Members of a request that hold what was sent.
const MEMBERS: &[&str] = &[
    "querystring",
    "form",
    "params",
    "headers",
    "cookies",
    "inputstream",
    "binaryread",
    "rawurl",
    "item",
    "body",
    "pathinfo",
    "unvalidated",
    "useragent",
    "urlreferrer",
    "getbufferlessinputstream",
    "query",
    "content",
    "args",
    "values",
    "json",
    "data",
    "get_data",
    "input",
    "readform",
    "readformasync",
    "getparameter",
    "getparametervalues",
    "getparametermap",
    "getparameternames",
    "getheader",
    "getheaders",
    "getquerystring",
    "getinputstream",
    "getreader",
    "getcookies",
    "getpathinfo",
    "getrequesturi",
    "post",
    "request",
    "cookie",
];
const FILE_MEMBERS: &[&str] = &["files", "getpart", "getparts", "file"];
/// The same after any object: nothing else has such a method.
const METHODS: &[&str] =
    &["getparameter", "getparametervalues", "getparametermap", "getheader", "getquerystring", "getcookies"];
const PHP: &[&str] = &[
    "$_GET",
    "$_POST",
    "$_REQUEST",
    "$_COOKIE",
    "$HTTP_RAW_POST_DATA",
    "$HTTP_GET_VARS",
    "$HTTP_POST_VARS",
    "$HTTP_COOKIE_VARS",
];
/// Methods of request objects of PHP's frameworks and Perl's CGI.
const PHP_METHODS: &[&str] = &["input", "getparam", "getpost", "getquery", "postvar", "getquerystring"];
const FUNCTIONS: &[&str] = &[
    "getallheaders",
    "apache_request_headers",
    "filter_input",
    "filter_input_array",
    "gethttprequestdata",
    "fieldstorage",
];
const CONTROL_TEXT: &[&str] = &["text", "value", "selectedvalue", "innertext", "innerhtml"];
const CONTROL_FILE: &[&str] =
    &["filebytes", "filename", "postedfile", "filecontent", "saveas", "postedfiles"];
/// Types whose values are the request.
const REQUEST_TYPES: &[&str] = &[
    "httprequest",
    "httprequestbase",
    "httprequestmessage",
    "httplistenerrequest",
    "httpservletrequest",
    "servletrequest",
];

/// Names of the request itself, by variables that hold it.
#[derive(Default)]
pub(crate) struct Requests(BTreeSet<String>);

impl Requests {
    pub(crate) fn add(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }

    /// Whether values of this type are the request.
    pub(crate) fn is_type(kind: &str) -> bool {
        REQUEST_TYPES.iter().any(|own| own.eq_ignore_ascii_case(kind))
    }

    pub(crate) fn is_request(&self, token: &Token) -> bool {
        token.is_word("request")
            || token.is_word("req")
            || (token.kind == Kind::Word && self.0.contains(&token.text))
    }
}

/// What was sent, if it comes in at `tokens[at]`: where that expression ends,
/// and what it holds.
pub(crate) fn source(tokens: &[Token], at: usize, page: &Page, requests: &Requests) -> Option<(usize, Bits)> {
    // An expression that the page cuts off ends with the page.
    sent(tokens, at, page, requests).map(|(end, bits)| (end.min(tokens.len()), bits))
}

fn sent(tokens: &[Token], at: usize, page: &Page, requests: &Requests) -> Option<(usize, Bits)> {
    let token = tokens.get(at)?;
    if token.kind == Kind::Text {
        return (token.text == "php://input").then_some((at + 1, INPUT));
    }
    if token.kind != Kind::Word {
        return None;
    }
    let lower = token.text.to_ascii_lowercase();
    let next = tokens.get(at + 1);
    let opens = next.is_some_and(|next| next.is("(") || next.is("["));
    let is_member = at.checked_sub(1).is_some_and(|before| tokens[before].is(".") || tokens[before].is("->"));
    if PHP.contains(&token.text.as_str()) {
        return Some((after_brackets(tokens, at + 1), INPUT));
    }
    if token.text == "$_FILES" {
        return Some((after_brackets(tokens, at + 1), FILE));
    }
    if token.text == "$_SERVER" || token.text == "$ENV" || lower == "getenv" || lower == "cgi" {
        return environment(tokens, at);
    }
    if lower == "environ" || (lower == "env" && page.is_python) {
        // `os.environ["X"]`, `environ.get("X")`.
        let gets = tokens.get(at + 2).is_some_and(|word| word.is_word("get"));
        return environment(tokens, if gets { at + 2 } else { at });
    }
    if lower == "fetch" && page.is_php && is_member && at >= 2 && tokens[at - 2].is_word("cookie") {
        // Perl's `CGI::Cookie->fetch`.
        return Some((at + 1, INPUT));
    }
    if lower == "stdin" && page.is_php {
        return Some((at + 1, INPUT));
    }
    if FUNCTIONS.contains(&lower.as_str()) && opens {
        let end = after_brackets(tokens, at + 1);
        let is_checked = tokens[at..end].iter().any(|token| {
            token.text.starts_with("FILTER_VALIDATE") || token.text.starts_with("FILTER_SANITIZE_NUMBER")
        });
        return (!is_checked).then_some((end, INPUT));
    }
    if METHODS.contains(&lower.as_str()) && is_member && opens {
        return Some((after_brackets(tokens, at + 1), INPUT));
    }
    if page.is_php && opens && (lower == "param" || (is_member && PHP_METHODS.contains(&lower.as_str()))) {
        return Some((after_brackets(tokens, at + 1), INPUT));
    }
    if page.is_cf
        && !is_member
        && matches!(lower.as_str(), "form" | "url" | "cookie")
        && next.is_some_and(|next| next.is(".") || next.is("["))
    {
        return Some((if opens { after_brackets(tokens, at + 1) } else { at + 3 }, INPUT));
    }
    if page.is_el
        && !is_member
        && matches!(lower.as_str(), "param" | "paramvalues" | "header" | "headervalues")
    {
        let end = if opens { after_brackets(tokens, at + 1) } else { (at + 3).min(tokens.len()) };
        return next.is_some_and(|next| next.is(".") || next.is("[")).then_some((end, INPUT));
    }
    if page.controls.contains(&token.text) && !is_member {
        return control(tokens, at);
    }
    if requests.is_request(token) { request(tokens, at) } else { None }
}

/// `Request["x"]`, `Request.Form("x")`, `request.getParameter("x")`.
fn request(tokens: &[Token], at: usize) -> Option<(usize, Bits)> {
    let next = tokens.get(at + 1)?;
    if next.is("[") || next.is("(") {
        return Some((after_brackets(tokens, at + 1), INPUT));
    }
    if !(next.is(".") || next.is("->") || next.is("!")) {
        return None;
    }
    let member = tokens.get(at + 2)?.text.to_ascii_lowercase();
    let end = after_brackets(tokens, at + 3);
    if next.is("!") {
        return Some((at + 3, INPUT));
    }
    if member == "servervariables" {
        let sent = tokens[at..end.min(tokens.len())].iter().filter(|token| token.kind == Kind::Text);
        return sent.into_iter().any(|token| is_sent(&token.text)).then_some((end, INPUT));
    }
    if FILE_MEMBERS.contains(&member.as_str()) {
        return Some((end, FILE));
    }
    // How many there are is nothing that anybody sent.
    let counts = tokens.get(end + 1).is_some_and(|after| after.is_word("count") || after.is_word("haskeys"));
    (MEMBERS.contains(&member.as_str()) && !counts).then_some((end, INPUT))
}

/// Variables of the environment that hold what was sent.
fn environment(tokens: &[Token], at: usize) -> Option<(usize, Bits)> {
    let next = tokens.get(at + 1)?;
    if next.is(".") {
        let member = tokens.get(at + 2)?;
        return is_sent(&member.text).then_some((at + 3, INPUT));
    }
    let end = after_brackets(tokens, at + 1);
    let named =
        tokens.get(at + 2..end)?.iter().find(|token| matches!(token.kind, Kind::Text | Kind::Word))?;
    is_sent(&named.text).then_some((end, INPUT))
}

fn is_sent(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.starts_with("HTTP_") && name != "HTTP_HOST")
        || [
            "QUERY_STRING",
            "PATH_INFO",
            "WSGI.INPUT",
            "REQUEST_URI",
            "PHP_AUTH_USER",
            "PHP_AUTH_PW",
            "ALL_HTTP",
            "ALL_RAW",
        ]
        .contains(&name.as_str())
}

fn control(tokens: &[Token], at: usize) -> Option<(usize, Bits)> {
    if !tokens.get(at + 1)?.is(".") {
        return None;
    }
    let member = tokens.get(at + 2)?.text.to_ascii_lowercase();
    if CONTROL_TEXT.contains(&member.as_str()) {
        Some((at + 3, INPUT))
    } else if CONTROL_FILE.contains(&member.as_str()) {
        Some((at + 3, FILE))
    } else {
        None
    }
}

/// `{` in Perl's `$ENV{NAME}`.
fn is_key(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    tokens[at].is("{") && before.is_some_and(|before| before.text.starts_with('$'))
}

/// Past the brackets at `at` and the square ones that follow them.
fn after_brackets(tokens: &[Token], at: usize) -> usize {
    let mut end = at;
    while let Some(token) = tokens.get(end)
        && (token.is("[") || ((token.is("(") || is_key(tokens, end)) && end == at))
    {
        let inside = crate::statement::within(&tokens[end..]).len();
        end = (end + inside + 2).min(tokens.len());
    }
    end.min(tokens.len())
}
