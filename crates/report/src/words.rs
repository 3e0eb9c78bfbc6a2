//! Figures and ids in the words people read.

use model::{Finding, IntrusionId, Span, Timestamp};

/// The name of an intrusion in every file: `intrusion-1` is the first.
pub(crate) fn intrusion_label(id: IntrusionId) -> String {
    format!("intrusion-{}", u64::from(id.0) + 1)
}

/// A question's id in plain words: `web-shell-written` is `web shell written`; a hole keeps its name,
/// `CVE-2020-0688`.
pub(crate) fn question_label(question_id: &str) -> String {
    if question_id.starts_with("cve-") { question_id.to_uppercase() } else { question_id.replace('-', " ") }
}

/// How many rules look at a log.
pub(crate) fn rules_of_log(rules: Option<u64>) -> String {
    match rules {
        Some(0) => "none".to_owned(),
        Some(count) => thousands(count),
        None => String::new(),
    }
}

/// `31,204,551`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 item`, `412 items`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// `18.3 GiB`; whole bytes below one KiB.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = size as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1_023.95 {
            break;
        }
        value /= 1_024.0;
        unit = next;
    }
    if unit == "B" { format!("{size} B") } else { format!("{value:.1} {unit}") }
}

/// `0.4 s`, `41 s`, `2 min 05 s`, `3 h 12 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return String::new();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// `2021-03-04 11:20:05Z … 2021-03-07 19:05:12Z`; one time where both are the same second, empty without any.
pub(crate) fn span(span: Span) -> String {
    match (span.first, span.last) {
        (Some(first), Some(last)) if first.seconds() != last.seconds() => {
            format!("{} … {}", first.to_short(), last.to_short())
        }
        (first, last) => time(first.or(last)),
    }
}

/// `2021-03-04 … 2021-03-07`; one day where both are the same, empty without any.
pub(crate) fn days(span: Span) -> String {
    let day = |time: Timestamp| time.to_short().chars().take(10).collect::<String>();
    match (span.first.map(day), span.last.map(day)) {
        (Some(first), Some(last)) if first != last => format!("{first} … {last}"),
        (first, last) => first.or(last).unwrap_or_default(),
    }
}

/// `2021-03-04 11:20:05Z`, or empty.
pub(crate) fn time(time: Option<Timestamp>) -> String {
    time.map(Timestamp::to_short).unwrap_or_default()
}

/// Lower case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(bytes, &mut out);
    out
}

/// Appends bytes as lower case hex.
pub(crate) fn push_hex(bytes: &[u8], out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Where in its file a finding's record stands; of a correlation, on how much it rests.
pub(crate) fn position(finding: &Finding) -> String {
    if finding.is_correlation() {
        return format!("rests on {}", count(finding.grounds.len() as u64, "finding"));
    }
    let position = finding.position;
    let numbered = [("record", position.record), ("line", position.line), ("byte", Some(position.offset))];
    let part = |(name, number): (&str, Option<u64>)| Some(format!("{name} {}", number?));
    numbered.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(31_204_551), "31,204,551");
        assert_eq!(count(1, "item"), "1 item");
        assert_eq!(count(0, "item"), "0 items");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_048_575), "1.0 MiB");
        assert_eq!(bytes(19_649_474_560), "18.3 GiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(duration(0.42), "0.4 s");
        assert_eq!(duration(41.2), "41 s");
        assert_eq!(duration(125.0), "2 min 05 s");
        assert_eq!(duration(11_520.0), "3 h 12 min");
        assert_eq!(duration(f64::NAN), "");
    }

    #[test]
    fn questions() {
        assert_eq!(question_label("web-shell-written"), "web shell written");
        assert_eq!(question_label("cve-2020-0688"), "CVE-2020-0688");
    }

    #[test]
    fn spans() {
        let time = |text| Timestamp::parse(text);
        let (early, late) = (time("2021-03-04T11:20:05.1Z"), time("2021-03-07T19:05:12Z"));
        let both = Span { first: early, last: late };
        assert_eq!(span(both), "2021-03-04 11:20:05Z … 2021-03-07 19:05:12Z");
        assert_eq!(days(both), "2021-03-04 … 2021-03-07");
        assert_eq!(span(Span { first: early, last: early }), "2021-03-04 11:20:05Z");
        assert_eq!(span(Span::default()), "");
        assert_eq!(days(Span::default()), "");
    }
}
