//! For the fuzzer: files of indicators, and the fast matcher against the naive one.

use crate::{IndicatorSet, Worker, naive};
use model::{LogFamily, Position, Record, Shape, Slot, Value};
use std::sync::Arc;

/// Bytes of a text that the naive matcher is asked about.
const TEXT_BYTES_MAX: usize = 256;

/// Loads `data` as a file of indicators.
pub fn load(data: &[u8]) {
    let mut set = IndicatorSet::default();
    set.load("fuzz.csv", data);
    for id in (0..set.keys.len() as u32).filter(|id| set.is_mentioned(*id)).take(100) {
        let indicator = set.indicator(id);
        assert!(!indicator.value().is_empty() && !indicator.mentions().is_empty());
    }
}

/// Loads the lines of `data` as a list and looks for them in the same lines.
///
/// # Panics
/// When the two matchers do not agree.
pub fn differential(data: &[u8]) {
    let mut set = IndicatorSet::default();
    set.load("fuzz", data);
    let text = String::from_utf8_lossy(data);
    let mut worker = Worker::new(&set);
    for line in text.lines().take(50) {
        let line = &line[..line.floor_char_boundary(TEXT_BYTES_MAX)];
        compare(&set, &mut worker, line);
    }
}

/// Asks both matchers about one text in every kind of slot.
///
/// # Panics
/// When they do not agree.
pub fn compare(set: &IndicatorSet, worker: &mut Worker<'_>, text: &str) {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for name in ["Data", "UrlQuery", "UserAgent", "Imphash", "UtcTime"] {
        let shape = Arc::new(Shape::new(LogFamily::Other, "", vec![Slot::new(name)], true));
        for value in [Value::Utf8(text), Value::Utf16(&wide)] {
            let values = [value];
            let record = Record { shape: &shape, values: &values, position: Position::default(), time: None };
            let mut fast = Vec::new();
            worker.find(&record, &mut |id, _| fast.push(id));
            let naive = naive::find(set, &record);
            let show = |ids: &[u32]| ids.iter().map(|id| set.indicator(*id).value()).collect::<Vec<_>>();
            assert!(fast == naive, "{name}: {text:?}: fast {:?}, naive {:?}", show(&fast), show(&naive));
        }
    }
}
