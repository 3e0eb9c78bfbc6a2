//! The progress bar: bytes, records, rate, what remains. On a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicU64, Ordering};

/// Shows how far the scan is.
pub struct Progress {
    bar: ProgressBar,
    records: AtomicU64,
}

impl Progress {
    /// `bytes_total` is what lies on disk; archives unpack to more, so the bar
    /// grows when it is passed.
    pub fn new(bytes_total: u64, shown: bool) -> Self {
        let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(bytes_total), target);
        let template = " {bar:24} {bytes} of {total_bytes} · {msg} records · {bytes_per_sec} · {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, records: AtomicU64::new(0) }
    }

    /// Adds what was just read.
    pub fn add(&self, bytes: u64, records: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let records = self.records.fetch_add(records, Ordering::Relaxed) + records;
        self.bar.set_message(records.to_string());
        self.bar.inc(bytes);
        if self.bar.length().is_some_and(|length| length < self.bar.position()) {
            self.bar.set_length(self.bar.position());
        }
    }

    /// Takes the bar off the screen.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
