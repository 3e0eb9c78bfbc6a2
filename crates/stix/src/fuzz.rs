//! For the fuzzer: bundles.

use crate::{Bundle, Marking, jcs, parse};
use serde_json::Value;

/// Reads `data` as a bundle. What is read is written and read again: it must say the same.
///
/// # Panics
/// When something is lost on the way, or the canonical form is not stable.
pub fn bundle(data: &[u8]) {
    if let Ok(value) = parse(data) {
        let canonical = jcs::to_vec(&value);
        let again = parse(&canonical).map(|value| jcs::to_vec(&value));
        assert_eq!(again.as_deref(), Ok(&canonical[..]), "the canonical form is not stable");
    }
    let Ok(bundle) = Bundle::parse(data) else { return };
    let mut written = Vec::new();
    let done = bundle.write(&mut written);
    assert!(done.is_ok(), "memory takes everything");
    let again = Bundle::parse(&written);
    assert!(again.is_ok(), "what was written is not read: {:?}", again.err());
    for (before, after) in bundle.objects.iter().zip(again.iter().flat_map(|bundle| &bundle.objects)) {
        let canonical = |object: &crate::Object| jcs::to_vec(&Value::Object(object.as_map().clone()));
        assert_eq!(canonical(before), canonical(after));
        let _ = (Marking::of(after), after.all_refs().len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: &[u8] = include_bytes!("../../../fuzz/corpus/stix-bundle/markings");

    /// Seeds that are refused at once would try nothing.
    #[test]
    fn the_corpus_is_read() {
        let read = Bundle::parse(SEED).unwrap();
        assert_eq!(Marking::of(&read.objects[0]), crate::Tlp::Red.into());
        bundle(SEED);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn damage_comes_back(at in 0..SEED.len(), byte in any::<u8>(), cut in 0..SEED.len()) {
            let mut data = SEED.to_vec();
            data[at] = byte;
            bundle(&data);
            bundle(&data[..cut]);
        }
    }
}
