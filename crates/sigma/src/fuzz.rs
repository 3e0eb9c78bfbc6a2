//! Entrances for fuzzing.

/// Loads any bytes as a rule file.
pub fn rule(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = crate::load([crate::RuleText { file: "fuzz", text: &text }], &crate::LoadOptions::default());
}
