//! A server's logs while they fill, and the files that become of them.

use crate::evtx::{self, Event};
use crate::exchange::{EcpRow, ProxyRow, ecp_file, oab_file, proxy_file};
use crate::host::Host;
use crate::iis::{Site, WebRow, web_file};
use crate::truth::{Planted, Supports};
use crate::windows::{self, Process, ProcessAudit};
use model::Timestamp;
use std::collections::BTreeMap;
use std::io;

/// Where a log is, below the drive.
const EXCHANGE_LOGS: &str = "Program Files/Microsoft/Exchange Server/V15/Logging";
const EVENT_LOGS: &str = "Windows/System32/winevt/Logs";
const WEB_LOGS: &str = "inetpub/logs/LogFiles";

/// A time in which a log keeps nothing, from and to; records in it are made,
/// and their numbers counted, but they do not reach the file.
pub(crate) type Hole = (Timestamp, Timestamp);

/// The logs of one server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) host: Host,
    /// From and to: what the logs cover.
    pub(crate) span: (Timestamp, Timestamp),
    pub(crate) process_audit: ProcessAudit,
    /// Channels that the server writes, each with its holes.
    pub(crate) channels: BTreeMap<&'static str, Vec<Hole>>,
    /// Holes of the HttpProxy logs, and of the IIS logs.
    pub(crate) proxy_holes: Vec<Hole>,
    pub(crate) web_holes: Vec<Hole>,
    pub(crate) planted: Vec<Planted>,
    proxy: Vec<ProxyRow>,
    ecp: Vec<EcpRow>,
    oab: Vec<(Timestamp, String)>,
    web: Vec<WebRow>,
    events: Vec<Event>,
}

/// The channels of a server with everything switched on.
pub(crate) const ALL_CHANNELS: [&str; 5] =
    ["Application", "MSExchange Management", "Microsoft-Windows-Sysmon/Operational", "Security", "System"];

impl Server {
    pub(crate) fn new(host: Host, span: (Timestamp, Timestamp)) -> Self {
        Self {
            host,
            span,
            process_audit: ProcessAudit::Whole,
            channels: ALL_CHANNELS.into_iter().map(|channel| (channel, Vec::new())).collect(),
            proxy_holes: Vec::new(),
            web_holes: Vec::new(),
            planted: Vec::new(),
            proxy: Vec::new(),
            ecp: Vec::new(),
            oab: Vec::new(),
            web: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn log_proxy(&mut self, row: ProxyRow) {
        self.proxy.push(row);
    }

    pub(crate) fn log_ecp(&mut self, row: EcpRow) {
        self.ecp.push(row);
    }

    pub(crate) fn log_oab(&mut self, time: Timestamp, message: impl Into<String>) {
        self.oab.push((time, message.into()));
    }

    pub(crate) fn log_web(&mut self, row: WebRow) {
        self.web.push(row);
    }

    /// Logs an event, if the server has its channel.
    pub(crate) fn log_event(&mut self, event: Event) {
        if self.channels.contains_key(event.kind.provider.channel) {
            self.events.push(event);
        }
    }

    /// Logs a process start where the server does: Sysmon 1 and Security 4688.
    pub(crate) fn log_start(&mut self, time: Timestamp, process: &Process, parent: &Process) {
        self.log_event(windows::sysmon_start(time, process, parent));
        let audited = crate::host::later(time, 2);
        self.log_event(windows::security_start(audited, process, parent, self.process_audit));
    }

    /// Notes that a record of `time` was planted, and what it supports.
    pub(crate) fn plant(&mut self, time: Timestamp, supports: Supports) {
        self.planted.push(Planted { time, supports });
    }

    /// First and last record that names the build: a row of the HttpProxy or
    /// of the ECP log.
    pub(crate) fn build_span(&self) -> Option<(Timestamp, Timestamp)> {
        let proxy = self.proxy.iter().map(|row| row.time).filter(|time| self.keeps(*time, &self.proxy_holes));
        let ecp = self.ecp.iter().map(|row| row.time).filter(|time| self.keeps(*time, &[]));
        let times: Vec<Timestamp> = proxy.chain(ecp).collect();
        Some((times.iter().min().copied()?, times.iter().max().copied()?))
    }

    /// The last record over all logs. No hole reaches to the end of the span.
    pub(crate) fn last_record(&self) -> Timestamp {
        let times = self.proxy.iter().map(|row| row.time);
        let times = times.chain(self.ecp.iter().map(|row| row.time));
        let times = times.chain(self.oab.iter().map(|(time, _)| *time));
        let times = times.chain(self.web.iter().map(|row| row.time));
        let times = times.chain(self.events.iter().map(|event| event.time));
        times.filter(|time| self.keeps(*time, &[])).max().unwrap_or(self.span.1)
    }

    fn keeps(&self, time: Timestamp, holes: &[Hole]) -> bool {
        let within = |(from, to): (Timestamp, Timestamp)| from <= time && time < to;
        within(self.span) && !holes.iter().any(|hole| within(*hole))
    }

    /// All files, by path.
    ///
    /// # Errors
    /// When an event does not fit into a chunk.
    pub(crate) fn into_files(mut self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        self.proxy.sort_by_key(|row| row.time);
        self.ecp.sort_by_key(|row| row.time);
        self.oab.sort_by_key(|(time, _)| *time);
        self.web.sort_by_key(|row| row.time);
        self.events.sort_by_key(|event| event.time);
        self.text_files(&mut files);
        self.event_files(&mut files)?;
        let root = if self.host.in_own_folder { format!("{}/C", self.host.name) } else { "C".into() };
        files.iter_mut().for_each(|(path, _)| *path = format!("{root}/{path}"));
        files.sort();
        Ok(files)
    }

    fn text_files(&self, files: &mut Vec<(String, Vec<u8>)>) {
        let mut proxy: BTreeMap<(&str, String), Vec<&ProxyRow>> = BTreeMap::new();
        for row in self.proxy.iter().filter(|row| self.keeps(row.time, &self.proxy_holes)) {
            proxy
                .entry((row.protocol, format!("{}{:02}", day(row.time), row.time.civil().3)))
                .or_default()
                .push(row);
        }
        for ((protocol, hour), rows) in &proxy {
            let path = format!("{EXCHANGE_LOGS}/HttpProxy/{protocol}/HttpProxy_{hour}-1.LOG");
            files.push((path, proxy_file(&self.host, rows)));
        }
        let mut ecp: BTreeMap<String, Vec<&EcpRow>> = BTreeMap::new();
        for row in self.ecp.iter().filter(|row| self.keeps(row.time, &[])) {
            ecp.entry(day(row.time)).or_default().push(row);
        }
        for (day, rows) in &ecp {
            files.push((
                format!("{EXCHANGE_LOGS}/ECP/Server/ECPServer{day}-1.LOG"),
                ecp_file(&self.host, rows),
            ));
        }
        let mut oab: BTreeMap<String, Vec<&(Timestamp, String)>> = BTreeMap::new();
        for line in self.oab.iter().filter(|(time, _)| self.keeps(*time, &[])) {
            oab.entry(day(line.0)).or_default().push(line);
        }
        for (day, lines) in &oab {
            let path = format!("{EXCHANGE_LOGS}/OABGeneratorLog/OABGenerator{day}-1.LOG");
            files.push((path, oab_file(&self.host, lines)));
        }
        let mut web: BTreeMap<(Site, String), Vec<&WebRow>> = BTreeMap::new();
        for row in self.web.iter().filter(|row| self.keeps(row.time, &self.web_holes)) {
            web.entry((row.site, day(row.time))).or_default().push(row);
        }
        for ((site, day), rows) in &web {
            let path = format!("{WEB_LOGS}/{}/u_ex{}.log", site.folder(), &day[2..]);
            files.push((path, web_file(&self.host, rows)));
        }
    }

    fn event_files(&self, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
        for (channel, holes) in &self.channels {
            let mut records = Vec::new();
            let mut is_in_hole = false;
            for event in self.events.iter().filter(|event| event.kind.provider.channel == *channel) {
                if self.keeps(event.time, holes) {
                    if is_in_hole {
                        records.push(None);
                    }
                    is_in_hole = false;
                    records.push(Some(event.clone()));
                } else {
                    // What lies before the span is no hole: the log begins later.
                    is_in_hole = !records.is_empty();
                }
            }
            let name = channel.replace('/', "%4");
            let first = 20_000 + 7 * channel.len() as u64;
            let bytes = evtx::file_bytes(&self.host.full_name(), first, &records)?;
            files.push((format!("{EVENT_LOGS}/{name}.evtx"), bytes));
        }
        Ok(())
    }
}

/// `20210303`.
fn day(time: Timestamp) -> String {
    let (year, month, day, ..) = time.civil();
    format!("{year:04}{month:02}{day:02}")
}
