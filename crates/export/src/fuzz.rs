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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ATTRIBUTION: &[u8] = include_bytes!("../../../fuzz/corpus/export-files/attribution");
    const SUMMARY: &[u8] = include_bytes!("../../../fuzz/corpus/export-files/summary");

    /// Seeds that are refused at once would try nothing.
    #[test]
    fn the_corpus_is_read() {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(Attribution::parse(&text(ATTRIBUTION)).unwrap().intrusions.len(), 1);
        assert_eq!(Summary::parse(&text(SUMMARY)).unwrap().verdict, "BREACHED");
    }

    proptest! {
        #[test]
        fn damage_comes_back(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            for seed in [ATTRIBUTION, SUMMARY] {
                let mut data = seed.to_vec();
                data[at.index(seed.len())] = byte;
                files(&data);
                files(&data[..at.index(seed.len())]);
            }
        }
    }
}
