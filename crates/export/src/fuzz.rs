//! For the fuzzer: what comes from outside beside the case itself.

use crate::{Attribution, Key, Summary, merge};

/// Reads `data` as `attribution.json`, as a line of a summary and as a key file; what is read is used.
///
/// # Panics
/// When what was read cannot be told again.
pub fn files(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(attribution) = Attribution::parse(&text) {
        for assessed in &attribution.intrusions {
            let table = crate::stix_bundle::ach_table(&attribution, assessed);
            assert!(!table.is_empty());
        }
    }
    if let Ok(summary) = Summary::parse(&text) {
        assert_eq!(merge([summary.clone(), summary]).hosts, 1);
    }
    if let Some(key) = Key::parse(&text) {
        assert_eq!(Key::parse(&key.render()), Some(key));
    }
}
