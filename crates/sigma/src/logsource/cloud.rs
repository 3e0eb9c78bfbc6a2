//! Log sources of Microsoft's cloud, as SigmaHQ names them.
//!
//! `product: m365` is the unified audit log, whatever the service: its records
//! say by themselves (`Workload`) which one they are of. `product: azure` has
//! `signinlogs`, `auditlogs` (of Entra ID) and `activitylogs`. Its services
//! `riskdetection` and `pim` name reports that are not read.
//!
//! # Not here
//! What fields are called: a record answers to the words of such rules itself.

use super::{LogSource, Source, any};
use model::LogFamily;

const M365: &[&str] = &["audit", "exchange", "threat_detection", "threat_management"];
const AZURE: &[(&str, &str)] =
    &[("signinlogs", "entra-sign-ins"), ("auditlogs", "entra-audit"), ("activitylogs", "azure-activity")];

/// The logs of the cloud that a rule applies to.
pub(super) fn sources(logsource: &LogSource) -> Vec<Source> {
    let service = logsource.service.as_deref();
    let logs: Vec<&str> = match (logsource.product.as_deref(), service) {
        _ if logsource.category.is_some() => Vec::new(),
        (Some("m365"), service) if service.is_none_or(|name| M365.contains(&name)) => vec!["m365-audit"],
        (Some("azure"), service) => {
            let own = AZURE.iter().filter(|(name, _)| service.is_none_or(|wanted| wanted == *name));
            own.map(|(_, log)| *log).collect()
        }
        _ => Vec::new(),
    };
    logs.into_iter().map(|log| Source { log: log.into(), ..any(LogFamily::Cloud) }).collect()
}
