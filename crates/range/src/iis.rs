//! IIS access logs in the W3C extended format.

use crate::exchange::REMARK;
use crate::host::Host;
use model::Timestamp;

const COLUMNS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) \
cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

/// Which web site wrote the row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Site {
    /// `W3SVC1`, port 443: what clients talk to.
    Front,
    /// `W3SVC2`, port 444: what the front end talks to.
    Back,
}

impl Site {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Site::Front => "W3SVC1",
            Site::Back => "W3SVC2",
        }
    }

    fn port(self) -> u16 {
        match self {
            Site::Front => 443,
            Site::Back => 444,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct WebRow {
    pub(crate) time: Timestamp,
    pub(crate) site: Site,
    pub(crate) method: &'static str,
    pub(crate) stem: String,
    pub(crate) query: String,
    pub(crate) user: String,
    pub(crate) client: String,
    pub(crate) agent: String,
    pub(crate) status: u16,
    pub(crate) millis_taken: u32,
}

impl WebRow {
    pub(crate) fn line(&self, host: &Host) -> String {
        let (year, month, day, hour, minute, second, _) = self.time.civil();
        let filled = |text: &str| if text.is_empty() { "-".into() } else { text.replace(' ', "+") };
        format!(
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} {} {} {} {} {} {} {} {} - {} 0 0 {}",
            host.address,
            self.method,
            filled(&self.stem),
            filled(&self.query),
            self.site.port(),
            filled(&self.user),
            self.client,
            filled(&self.agent),
            self.status,
            self.millis_taken,
        )
    }
}

/// What stands above the rows.
pub(crate) fn web_header(time: Timestamp) -> String {
    let (year, month, day, hour, minute, second, _) = time.civil();
    let date = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    format!(
        "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: {date}\r\n{REMARK}\r\n#Fields: {COLUMNS}\r\n"
    )
}

/// A day's log of one site.
pub(crate) fn web_file(host: &Host, rows: &[&WebRow]) -> Vec<u8> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut text = web_header(first.time);
    for row in rows {
        text.push_str(&row.line(host));
        text.push_str("\r\n");
    }
    text.into_bytes()
}
