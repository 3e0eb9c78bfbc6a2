//! Times as STIX writes them.

use model::Timestamp;

/// RFC 3339 in UTC with three digits of the second, or six where those say more (STIX 2.1, section 3.2: three at least).
/// Digits beyond the sixth are cut: libraries that read STIX keep microseconds.
pub fn timestamp(time: Timestamp) -> String {
    let (year, month, day, hour, minute, second, nanos) = time.civil();
    let micros = nanos / 1_000;
    let fraction =
        if micros % 1_000 == 0 { format!("{:03}", micros / 1_000) } else { format!("{micros:06}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_or_six() {
        for (text, wanted) in [
            ("2021-03-02T08:00:00Z", "2021-03-02T08:00:00.000Z"),
            ("2021-03-02T08:00:00.5Z", "2021-03-02T08:00:00.500Z"),
            ("2021-03-02T08:00:00.1234567Z", "2021-03-02T08:00:00.123456Z"),
        ] {
            let time = Timestamp::parse(text).unwrap();
            assert_eq!(timestamp(time), wanted);
        }
    }
}
