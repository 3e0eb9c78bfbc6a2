//! A file from the net, by the system's `curl`: only for `knowledge update --from URL`.
//!
//! Nothing else here opens the network. A client of our own would bring a second
//! implementation of TLS and a list of authorities that ages with the program;
//! curl has the system's, and its proxy. What comes is only read as JSON, within
//! the limits of a file.

use anyhow::{Context as _, Result, bail};
use std::io::Read as _;
use std::process::{Command, Stdio};

/// Longest address.
const URL_BYTES_MAX: usize = 2_048;
/// Of what curl says when it fails.
const ERROR_BYTES_MAX: u64 = 4_096;
const SECONDS_MAX: &str = "600";
const CONNECT_SECONDS_MAX: &str = "20";
const REDIRECTS_MAX: &str = "5";

/// Whether `text` is an address and no path.
pub fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// The bytes behind `url`, `bytes_max` at most. From https no redirect leads to http.
///
/// # Errors
/// When curl is not there, does not succeed, or there is more.
pub fn fetch(url: &str, bytes_max: u64) -> Result<Vec<u8>> {
    if url.len() > URL_BYTES_MAX || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        bail!("an address of more than {URL_BYTES_MAX} bytes, or with blanks in it");
    }
    let is_plain = url.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    let limit = bytes_max.to_string();
    let mut curl = Command::new("curl");
    // `-q` comes first: no file of settings may change what follows.
    curl.args(["-q", "--silent", "--show-error", "--fail", "--globoff", "--location"])
        .args(["--proto", if is_plain { "=http,https" } else { "=https" }])
        .args(["--proto-redir", if is_plain { "=http,https" } else { "=https" }])
        .args(["--max-redirs", REDIRECTS_MAX, "--max-filesize", &limit])
        .args(["--connect-timeout", CONNECT_SECONDS_MAX, "--max-time", SECONDS_MAX])
        .args(["--user-agent", concat!("assay/", env!("CARGO_PKG_VERSION")), "--url", url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match curl.spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!(
                "fetching needs the program `curl`, which is not there: fetch the file by other means, and give its path"
            )
        }
        other => other.context("starting curl")?,
    };
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        // A server need not say how much it sends, so that curl's own limit is not enough.
        stdout.take(bytes_max + 1).read_to_end(&mut bytes).context("reading from curl")?;
    }
    if bytes.len() as u64 > bytes_max {
        let _ = child.kill();
        let _ = child.wait();
        bail!("wanted {bytes_max} bytes at most, found more");
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        // What it says is for the message alone.
        let _ = stderr.take(ERROR_BYTES_MAX).read_to_string(&mut said);
    }
    let status = child.wait().context("waiting for curl")?;
    if !status.success() {
        bail!("{}", report::escape_terminal(said.trim()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    #[test]
    fn addresses_are_told_from_paths() {
        for (text, wanted) in [
            ("https://example.org/a.json", true),
            ("HTTP://example.org", true),
            ("file:///etc/passwd", false),
            ("http.json", false),
            ("ftp://example.org/", false),
        ] {
            assert_eq!(is_url(text), wanted, "{text}");
        }
    }

    /// A server for one request each; gives its address.
    fn serve(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/a.json", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0u8; 1_024];
                let _ = stream.read(&mut request);
                // The other side may have enough before the end.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        address
    }

    #[test]
    fn a_file_is_fetched_within_its_limit() {
        if Command::new("curl").arg("--version").output().is_err() {
            eprintln!("skipped: there is no curl");
            return;
        }
        let ok = |body: &str| {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        };
        let url = serve(vec![ok("{\"a\": 1}")]);
        assert_eq!(fetch(&url, 100).unwrap(), b"{\"a\": 1}");
        // More than the limit, whether the server says so or not.
        let url = serve(vec![ok(&"x".repeat(500))]);
        assert!(fetch(&url, 100).is_err());
        let url = serve(vec![format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(500))]);
        assert!(fetch(&url, 100).is_err());
        let url = serve(vec![
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        ]);
        assert!(fetch(&url, 100).unwrap_err().to_string().contains("404"));
        // No redirect leads out of the two schemes.
        let url = serve(vec![
            "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        ]);
        assert!(fetch(&url, 100).is_err());
        assert!(fetch("http://127.0.0.1:1/ a", 100).is_err());
    }
}
