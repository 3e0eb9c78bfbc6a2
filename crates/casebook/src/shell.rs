//! One page, many spellings: the URL, the file behind it, and the compiled
//! trace it leaves.
//!
//! `/owa/auth/x.aspx` lies in `…\FrontEnd\HttpProxy\owa\auth\x.aspx`, also
//! written `\\127.0.0.1\c$\…`, and leaves
//! `…\Temporary ASP.NET Files\owa\<8 hex>\<8 hex>\x.aspx.<8 hex>.compiled`. A
//! compiled trace names the application and the page, not the folder between.

/// Pages that a web server runs.
const SCRIPTS: &[&str] = &["aspx", "ashx", "asmx", "asp", "asax", "cshtml", "jsp", "php"];
/// Files that are carried away.
const LOOT: &[&str] = &["zip", "7z", "rar", "cab", "gz", "dmp", "pst"];
/// Below these folders lies what is served at the root.
const WEB_ROOTS: &[&str] =
    &["\\frontend\\httpproxy\\", "\\clientaccess\\", "\\inetpub\\wwwroot\\", "\\wwwroot\\"];
/// Applications of an Exchange server; all else belongs to the site's root.
const APPLICATIONS: &[&str] =
    &["owa", "ecp", "ews", "oab", "mapi", "rpc", "autodiscover", "powershell", "microsoft-server-activesync"];
/// A path is at most so long.
const PATH_BYTES_MAX: usize = 512;
/// Paths and parameters read from one text.
const FOUND_MAX: usize = 16;

/// A page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// Its URL path, in lower case; a file outside web folders keeps its path.
    At(String),
    /// See [`compiled_name`].
    Compiled(String),
}

/// The page of a URL or URL path; `None` when it names no file that matters.
pub fn from_url(url: &str) -> Option<Page> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|at| &rest[at..])?,
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = decode(path).to_lowercase().replace('\\', "/");
    let end = end_of_file(&path)?;
    let path = path.get(..end)?.trim_start_matches('/');
    Some(Page::At(format!("/{path}")))
}

/// The page of a Windows path; `None` when it is no file that matters.
pub fn from_file(path: &str) -> Option<Page> {
    // Some logs double every backslash.
    let path = path.trim().trim_matches('"').to_lowercase().replace('/', "\\").replace("\\\\", "\\");
    if let Some((_, below)) = path.split_once("\\temporary asp.net files\\") {
        return compiled(below);
    }
    let end = end_of_file(&path)?;
    let path = path.get(..end)?;
    for root in WEB_ROOTS {
        if let Some((_, below)) = path.split_once(root) {
            return Some(Page::At(format!("/{}", below.replace('\\', "/"))));
        }
    }
    Some(Page::At(path.to_owned()))
}

/// `owa\<8 hex>\<8 hex>\x.aspx.<8 hex>.compiled`
fn compiled(below: &str) -> Option<Page> {
    let application = below.split('\\').next()?;
    let file = below.rsplit('\\').next()?;
    let (page, hash) = file.strip_suffix(".compiled")?.rsplit_once('.')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| Page::Compiled(format!("{}|{page}", application_of(application))))
}

/// Whether a web server would run the file, rather than hand it out.
pub fn is_script(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    SCRIPTS.contains(&extension)
}

/// What the compiled trace of a page would be called: application and file.
pub fn compiled_name(url: &str) -> String {
    let first = url.trim_start_matches('/').split('/').next().unwrap_or_default();
    let file = url.rsplit(['/', '\\']).next().unwrap_or_default();
    format!("{}|{file}", application_of(first))
}

fn application_of(folder: &str) -> &str {
    if APPLICATIONS.contains(&folder) { folder } else { "root" }
}

/// Where the name of the first file that matters ends, in lower-case text.
fn end_of_file(path: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(dot) = path.get(from..)?.find('.').map(|at| from + at) {
        if let Some(end) = extension_end(path, dot) {
            return Some(end);
        }
        from = dot + 1;
    }
    None
}

/// The end of a known extension that begins with the dot at `dot`.
fn extension_end(text: &str, dot: usize) -> Option<usize> {
    let rest = text.get(dot + 1..)?;
    let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let known = SCRIPTS.iter().chain(LOOT).any(|own| own.eq_ignore_ascii_case(&rest[..length]));
    known.then_some(dot + 1 + length)
}

/// Windows paths of files that matter, somewhere in a text.
pub fn paths_in(text: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    let mut done = 0;
    for (dot, _) in text.match_indices('.') {
        if dot < done || paths.len() >= FOUND_MAX {
            continue;
        }
        let Some(end) = extension_end(text, dot) else { continue };
        let from = text.floor_char_boundary(dot.saturating_sub(PATH_BYTES_MAX)).max(done);
        let before = text.get(from..dot).unwrap_or_default();
        let cut = before.rfind(|c: char| "\"'<>|;*?=,()\r\n\t".contains(c)).map_or(0, |at| at + 1);
        let begin = from + cut;
        let candidate = text.get(begin..end).unwrap_or_default();
        // Words may stand before it: a path begins with a drive or a server.
        let drive = candidate.rfind(":\\").filter(|at| *at > 0).map(|at| at - 1);
        let share = candidate.rfind(" \\\\").map(|at| at + 1).or(candidate.starts_with("\\\\").then_some(0));
        if let Some(start) = drive.max(share)
            && let Some(path) = candidate.get(start..)
        {
            paths.push(path);
            done = end;
        }
    }
    paths
}

/// Names in `Request["name"]`, `Request.Item["name"]` and the like.
pub fn parameters_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut from = 0;
    while let Some(at) = find_ascii(text, "request", from) {
        from = at + "request".len();
        if names.len() >= FOUND_MAX {
            break;
        }
        let near = text.get(from..text.floor_char_boundary(from + 96)).unwrap_or_default();
        let Some(open) = near
            .find(['[', '('])
            .filter(|open| near[..*open].chars().all(|c| c.is_alphanumeric() || c == '.'))
        else {
            continue;
        };
        let quoted = near[open + 1..].trim_start_matches(['\\', '"', '\'', ' ']);
        let name: String = quoted.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() {
            names.push(name);
        }
    }
    names
}

/// `needle` in `text` from `from` on, without regard to the case of ASCII letters.
pub fn find_ascii(text: &str, needle: &str, from: usize) -> Option<usize> {
    let (bytes, needle) = (text.as_bytes().get(from..)?, needle.as_bytes());
    let is_at = |at: usize| {
        let window = bytes.get(at..at + needle.len());
        window.is_some_and(|window| window.eq_ignore_ascii_case(needle))
    };
    // Signs are rarer than letters, and have one case.
    let at = match needle.iter().rposition(|byte| !byte.is_ascii_alphabetic()) {
        Some(sign) => {
            let places = memchr::memchr_iter(needle[sign], bytes);
            places.filter_map(|at| at.checked_sub(sign)).find(|at| is_at(*at))?
        }
        None => {
            let first = *needle.first()?;
            let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
            memchr::memchr2_iter(lower, upper, bytes).find(|at| is_at(*at))?
        }
    };
    Some(from + at)
}

/// Percent-escapes undone, as far as they are ones.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (byte, value) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(page: Option<Page>, expect: &str) {
        let text = match page {
            Some(Page::At(url)) => url,
            Some(Page::Compiled(name)) => name,
            None => "none".to_owned(),
        };
        assert_eq!(text, expect);
    }

    #[test]
    fn one_page_many_spellings() {
        let file = r"C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\Example.aspx";
        check(from_file(file), "/owa/auth/example.aspx");
        check(from_file(r"\\127.0.0.1\c$\inetpub\wwwroot\aspnet_client\x.aspx"), "/aspnet_client/x.aspx");
        check(from_file(r"C:\inetpub\wwwroot\aspnet_client\x.aspx"), "/aspnet_client/x.aspx");
        check(from_file(r"C:\\inetpub\\wwwroot\\aspnet_client\\x.aspx"), "/aspnet_client/x.aspx");
        check(from_file(r"C:\Windows\Temp\x.aspx"), r"c:\windows\temp\x.aspx");
        check(from_file(r"C:\Windows\notepad.exe"), "none");
        check(from_url("/OWA/auth/Example.aspx"), "/owa/auth/example.aspx");
        check(from_url("https://mail.example.com/owa/auth/example.aspx?x=1"), "/owa/auth/example.aspx");
        check(from_url("/owa/auth/ex%61mple.aspx/extra"), "/owa/auth/example.aspx");
        check(from_url("/owa/auth/logon.js"), "none");
        check(from_url("%"), "none");
    }

    #[test]
    fn compiled_traces_name_application_and_file() {
        let temporary = r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\Temporary ASP.NET Files";
        let file = format!(r"{temporary}\owa\8e05b027\e164d61b\example.aspx.cdcab7d2.compiled");
        check(from_file(&file), "owa|example.aspx");
        assert_eq!(compiled_name("/owa/auth/example.aspx"), "owa|example.aspx");
        let file = format!(r"{temporary}\root\8e05b027\e164d61b\x.aspx.cdcab7d2.compiled");
        check(from_file(&file), "root|x.aspx");
        assert_eq!(compiled_name("/aspnet_client/x.aspx"), "root|x.aspx");
        check(from_file(&format!(r"{temporary}\owa\8e05b027\e164d61b\App_Web_abc.dll")), "none");
    }

    #[test]
    fn paths_in_texts() {
        let text = r"Download failed and temporary file 'C:\inetpub\wwwroot\x.aspx' needs to be removed";
        assert_eq!(paths_in(text), [r"C:\inetpub\wwwroot\x.aspx"]);
        let text =
            r"S:CMD=Reset.FilePathName=''\\127.0.0.1\c$\Program Files\a b\y.aspx''; also to C:\z.zip, done";
        assert_eq!(paths_in(text), [r"\\127.0.0.1\c$\Program Files\a b\y.aspx", r"C:\z.zip"]);
        assert!(paths_in("http://f/<script>eval(x.aspx)</script> ä.aspx .aspx").is_empty());
    }

    #[test]
    fn parameters_in_texts() {
        let text =
            r#"eval(Request["NO9BxmCXw0JE"],"unsafe"); eval(request.Item[\"orange\"]) request of Request()"#;
        assert_eq!(parameters_in(text), ["NO9BxmCXw0JE", "orange"]);
        assert_eq!(parameters_in(&"request[".repeat(1_000)).len(), FOUND_MAX);
    }
}
