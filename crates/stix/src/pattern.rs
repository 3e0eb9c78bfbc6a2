//! Patterns of indicators (STIX 2.1, section 9): comparisons joined by OR.

use std::fmt::Write as _;

/// One comparison: an object path (`ipv4-addr:value`) and the value it equals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Comparison<'a> {
    /// The object path, in words of the specification: never from evidence.
    pub path: &'a str,
    /// The value, whatever it holds.
    pub value: &'a str,
}

/// One observation expression that any of `comparisons` meets; empty for none.
pub fn pattern(comparisons: &[Comparison<'_>]) -> String {
    let mut out = String::new();
    for (index, comparison) in comparisons.iter().enumerate() {
        out.push_str(if index > 0 { " OR " } else { "[" });
        let _ = write!(out, "{} = {}", comparison.path, quoted(comparison.value));
    }
    if !out.is_empty() {
        out.push(']');
    }
    out
}

/// A string constant: a quote and a backslash are escaped, everything else stands for itself (section 9.2).
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_values() {
        let hostile = Comparison { path: "file:name", value: r"a' OR file:name = 'C:\x" };
        assert_eq!(pattern(&[hostile]), r"[file:name = 'a\' OR file:name = \'C:\\x']");
        let (a, b) = (Comparison { path: "a:b", value: "1" }, Comparison { path: "c:d", value: "2" });
        assert_eq!(pattern(&[a, b]), "[a:b = '1' OR c:d = '2']");
        assert_eq!(pattern(&[]), "");
    }
}
