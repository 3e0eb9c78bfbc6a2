//! Exchange's own text logs: HttpProxy, ECP server, OAB generator.
//!
//! # Unvalidated
//! Nobody has published a real OABGenerator log: the columns here are ours, and
//! only the sentence about the temporary file is known.
//!
//! # Not here
//! What is written into the rows: noise and attacks fill them.

use crate::host::{Host, iso_millis};
use model::Timestamp;

/// The mark, as a comment that every reader of these logs leaves out.
pub(crate) const REMARK: &str = "#Remark: assay-range synthetic";

/// The columns of build 15.1, in their order.
const PROXY_COLUMNS: &str = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,\
ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,\
Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,\
ProxyAction,TargetServer,TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,\
ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,\
HttpPipelineLatency,CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,\
TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,\
SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,\
ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,\
BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,\
HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,\
RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,GenericInfo,\
GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,RoutingStatus";

/// What some logs have in place of a build.
const NO_BUILD: &str = "15.0.0.0";

/// Columns that Exchange 2013 does not have.
const NEWER_COLUMNS: [&str; 2] = ["UrlHost", "RoutingType"];

/// One request at the front end.
#[derive(Clone, Debug)]
pub(crate) struct ProxyRow {
    pub(crate) time: Timestamp,
    /// The folder's and the column's word: `Ecp`, `Owa`, `Ews`, …
    pub(crate) protocol: &'static str,
    pub(crate) request_id: String,
    pub(crate) url_host: String,
    pub(crate) url_stem: String,
    pub(crate) url_query: String,
    pub(crate) method: &'static str,
    /// Kind of authentication and the user, when there is one.
    pub(crate) user: Option<(&'static str, String)>,
    pub(crate) anchor_mailbox: String,
    pub(crate) agent: String,
    pub(crate) client: String,
    pub(crate) status: u16,
    /// `None`: the back end was not asked.
    pub(crate) back_end_status: Option<u16>,
    pub(crate) error: &'static str,
    pub(crate) millis_taken: u32,
}

impl ProxyRow {
    fn cell(&self, column: &str, host: &Host) -> String {
        let [major, minor, build, revision] = host.build.parts;
        let proxied = |text: String| if self.back_end_status.is_some() { text } else { String::new() };
        let taken = self.millis_taken;
        match column {
            "DateTime" => iso_millis(self.time),
            "RequestId" => self.request_id.clone(),
            "MajorVersion" => major.to_string(),
            "MinorVersion" => minor.to_string(),
            "BuildVersion" => build.to_string(),
            "RevisionVersion" => revision.to_string(),
            "Protocol" => self.protocol.into(),
            "UrlHost" => self.url_host.clone(),
            "UrlStem" => self.url_stem.clone(),
            "UrlQuery" => self.url_query.clone(),
            "AuthenticationType" => self.user.as_ref().map_or("FBA", |(kind, _)| kind).into(),
            "IsAuthenticated" => if self.user.is_some() { "true" } else { "false" }.into(),
            "AuthenticatedUser" => self.user.as_ref().map_or(String::new(), |(_, name)| name.clone()),
            "AnchorMailbox" => self.anchor_mailbox.clone(),
            // The proxy writes two blanks where the agent has a comma.
            "UserAgent" => self.agent.replace(',', " "),
            "ClientIpAddress" => self.client.clone(),
            "ServerHostName" => host.name.into(),
            "HttpStatus" => self.status.to_string(),
            "BackEndStatus" => self.back_end_status.map_or(String::new(), |status| status.to_string()),
            "ErrorCode" => self.error.into(),
            "Method" => self.method.into(),
            "ProxyAction" => proxied("Proxy".into()),
            "TargetServer" => proxied(host.full_name()),
            "TargetServerVersion" => proxied(format!("{major}.{minor:02}.{build:04}.000")),
            "RoutingType" => proxied("IntraForest".into()),
            "RoutingHint" => proxied(self.routing_hint().into()),
            "RequestBytes" => (200 + taken * 7 % 900).to_string(),
            "ResponseBytes" => proxied((150 + taken * 31 % 9_000).to_string()),
            "ActivityContextLifeTime" | "TotalRequestTime" | "RequestHandlerLatency" => taken.to_string(),
            "BackendProcessingLatency" | "ProxyTime" => proxied((taken - taken / 4).to_string()),
            "TotalGlsLatency" | "TotalSharedCacheLatency" | "KerberosAuthHeaderLatency" => "0".into(),
            "HttpProxyOverhead" | "CoreLatency" => (taken / 4).to_string(),
            "GenericInfo" => self.generic_info(),
            "RoutingStatus" => proxied("CafeV1".into()),
            _ => String::new(),
        }
    }

    fn routing_hint(&self) -> &'static str {
        match self.anchor_mailbox.split('~').next() {
            Some("ServerInfo") => "TargetServer",
            Some("MailboxGuid") => "MailboxGuidWithDomain",
            Some("ServerVersion") => "ExchClientVer",
            _ => "WindowsIdentity",
        }
    }

    fn generic_info(&self) -> String {
        let begin = Timestamp::from_nanos(self.time.nanos() - i64::from(self.millis_taken) * 1_000_000);
        let end = iso_millis(self.time);
        let proxied =
            if self.back_end_status.is_some() { "ProxyState-Complete=ProxyResponseData;" } else { "" };
        let begin = iso_millis(begin);
        format!(
            "BeginRequest={begin};CorrelationID=<empty>;ProxyState-Run=None;{proxied}SharedCacheGuard=0;EndRequest={end};"
        )
    }
}

/// The columns of the host's build.
pub(crate) fn proxy_columns(host: &Host) -> Vec<&'static str> {
    let is_old = host.build.is_2013();
    PROXY_COLUMNS.split(',').filter(|column| !(is_old && NEWER_COLUMNS.contains(column))).collect()
}

/// What stands before the first row.
pub(crate) fn proxy_header(host: &Host, first: Timestamp) -> String {
    let columns = proxy_columns(host).join(",");
    let mut text = String::new();
    if host.build.is_2013() {
        // Seen on Exchange 2013: the names once more before the comments.
        push_line(&mut text, &columns);
    }
    push_header(&mut text, &host.build.padded(), "HttpProxy Logs", first, &columns);
    text
}

/// One row, with the end of its line.
pub(crate) fn proxy_line(host: &Host, columns: &[&str], row: &ProxyRow) -> String {
    let cells: Vec<String> = columns.iter().map(|column| csv_cell(&row.cell(column, host))).collect();
    let mut text = cells.join(",");
    text.push_str("\r\n");
    text
}

/// A file of HttpProxy rows, which all belong to one hour and protocol.
pub(crate) fn proxy_file(host: &Host, rows: &[&ProxyRow]) -> Vec<u8> {
    let Some(first) = rows.first() else { return Vec::new() };
    let columns = proxy_columns(host);
    let lines = rows.iter().map(|row| proxy_line(host, &columns, row));
    std::iter::once(proxy_header(host, first.time)).chain(lines).collect::<String>().into_bytes()
}

/// One line of the ECP server log.
#[derive(Clone, Debug)]
pub(crate) struct EcpRow {
    pub(crate) time: Timestamp,
    pub(crate) session: String,
    pub(crate) activity: String,
    /// `Cmdlet.Param=Value`, as the log writes it.
    pub(crate) command: String,
    pub(crate) url: String,
}

impl EcpRow {
    fn data(&self, host: &Host) -> String {
        let pairs = [
            ("TIME", "13".into()),
            ("SID", self.session.clone()),
            ("CMD", self.command.clone()),
            ("REQID", String::new()),
            ("URL", self.url.clone()),
            ("REFERRER", String::new()),
            ("EX", String::new()),
            ("ACTID", self.activity.clone()),
            ("RS", "0".into()),
            ("BLD", host.build.plain()),
            ("TNAME", "<null>".into()),
            ("TID", String::new()),
            ("USID", self.session.clone()),
            ("EDOID", String::new()),
            ("ACID", String::new()),
        ];
        let parts: Vec<String> = pairs.iter().map(|(key, value)| list_part(key, value)).collect();
        parts.join(";")
    }
}

/// `S:KEY=VALUE`; as a whole in single quotes, inner ones doubled, when the
/// value holds what would end it.
fn list_part(key: &str, value: &str) -> String {
    let part = format!("S:{key}={value}");
    if value.contains([';', '\'', '"']) { format!("'{}'", part.replace('\'', "''")) } else { part }
}

/// A day's ECP server log. It begins with a byte order mark, as Exchange's logs
/// often do; the others here do not.
pub(crate) fn ecp_file(host: &Host, rows: &[&EcpRow]) -> Vec<u8> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut text = String::from("\u{feff}");
    push_header(&mut text, NO_BUILD, "ECP Server Log", first.time, "TimeStamp,ServerName,EventId,EventData");
    for row in rows {
        let data = csv_cell(&row.data(host));
        push_line(&mut text, &format!("{},{},ECP.Request,{data}", iso_millis(row.time), host.name));
    }
    text.into_bytes()
}

/// A day's OAB generator log. Unvalidated, see above.
pub(crate) fn oab_file(host: &Host, lines: &[&(Timestamp, String)]) -> Vec<u8> {
    let Some((first, _)) = lines.first() else { return Vec::new() };
    let mut text = String::new();
    push_header(&mut text, NO_BUILD, "OABGenerator Log", *first, "DateTime,ServerName,Message");
    for (time, message) in lines {
        push_line(&mut text, &format!("{},{},{}", iso_millis(*time), host.name, csv_cell(message)));
    }
    text.into_bytes()
}

fn push_header(text: &mut String, version: &str, log_type: &str, first: Timestamp, columns: &str) {
    push_line(text, "#Software: Microsoft Exchange Server");
    push_line(text, &format!("#Version: {version}"));
    push_line(text, &format!("#Log-type: {log_type}"));
    push_line(text, &format!("#Date: {}", iso_millis(first)));
    push_line(text, REMARK);
    push_line(text, &format!("#Fields: {columns}"));
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

/// RFC 4180: quoted only where it must be.
pub(crate) fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_columns_as_build_15_1_has() {
        // 74 names, of which none is repeated.
        let names: std::collections::BTreeSet<&str> = PROXY_COLUMNS.split(',').collect();
        assert_eq!(names.len(), PROXY_COLUMNS.split(',').count());
    }

    #[test]
    fn values_with_quotes_are_wrapped_twice() {
        let part = list_part("CMD", "Set-X.ExternalUrl='http://f/<s a=\"b\">'");
        assert_eq!(part, "'S:CMD=Set-X.ExternalUrl=''http://f/<s a=\"b\">'''");
        assert_eq!(csv_cell(&part), "\"'S:CMD=Set-X.ExternalUrl=''http://f/<s a=\"\"b\"\">'''\"");
    }
}
