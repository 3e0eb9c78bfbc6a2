//! Points in time, as evidence gives them.

use std::fmt;

/// Nanoseconds since 1970-01-01T00:00:00Z, in UTC; negative before.
///
/// Covers 1678 … 2261. A time outside (a zero FILETIME is 1601) is not a
/// time for us: constructors give `None`, and the record has no time, because
/// a defaulted time is an invented one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

/// Seconds between 1601-01-01 and 1970-01-01.
const FILETIME_EPOCH_SECONDS: i64 = 11_644_473_600;
const NANOS: i64 = 1_000_000_000;

impl Timestamp {
    /// From nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since 1970-01-01T00:00:00Z; `None` when out of range.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        seconds.checked_mul(NANOS).map(Self)
    }

    /// From a Windows FILETIME: 100 ns ticks since 1601-01-01T00:00:00Z
    /// ([MS-DTYP] 2.3.3). `None` for zero and for what is out of range.
    pub fn from_filetime(ticks: u64) -> Option<Self> {
        if ticks == 0 {
            return None;
        }
        let ticks = i64::try_from(ticks).ok()?;
        let since_1970 = ticks.checked_sub(FILETIME_EPOCH_SECONDS * 10_000_000)?;
        since_1970.checked_mul(100).map(Self)
    }

    /// From a date and a time of day in UTC (proleptic Gregorian calendar);
    /// `None` when a part is out of its range (month 1–12, day by month,
    /// hour 0–23, minute 0–59, second 0–60: a leap second counts as the next).
    pub fn from_civil(
        year: i32,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        nanos: u32,
    ) -> Option<Self> {
        if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 60 || nanos >= NANOS as u32 {
            return None;
        }
        let seconds = days_from_civil(i64::from(year), month, day) * 86_400
            + i64::from(hour * 3_600 + minute * 60 + second);
        seconds.checked_mul(NANOS)?.checked_add(i64::from(nanos)).map(Self)
    }

    /// Reads `YYYY-MM-DD`, then `T` or a blank, then `HH:MM:SS`, an optional
    /// fraction of 1–9 digits, and an optional zone: `Z`, `+HH:MM`, `-HH:MM`,
    /// `+HHMM` (RFC 3339, and the forms that Exchange, IIS and Sysmon write).
    /// Without a zone the time is taken as UTC, which those logs document.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.trim().as_bytes();
        let digits = |range: std::ops::Range<usize>| -> Option<u32> {
            bytes
                .get(range)?
                .iter()
                .try_fold(0u32, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))
        };
        let mark = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|b| wanted.contains(b));
        if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"T t") && mark(13, b":") && mark(16, b":")) {
            return None;
        }
        let mut at = 19;
        let mut nanos = 0u32;
        if mark(19, b".,") {
            at = 20;
            let mut scale = 100_000_000u32;
            while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
                nanos += u32::from(digit - b'0') * scale;
                scale /= 10;
                at += 1;
            }
            if at == 20 {
                return None;
            }
        }
        let offset_seconds = match bytes.get(at..)? {
            [] | [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let start = at + 1;
                let minutes_at = start + if rest.get(2) == Some(&b':') { 3 } else { 2 };
                if bytes.len() != minutes_at + 2 {
                    return None;
                }
                let (hours, minutes) = (digits(start..start + 2)?, digits(minutes_at..minutes_at + 2)?);
                let seconds = i64::from(hours * 3_600 + minutes * 60);
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return None,
        };
        let local = Self::from_civil(
            i32::try_from(digits(0..4)?).ok()?,
            digits(5..7)?,
            digits(8..10)?,
            digits(11..13)?,
            digits(14..16)?,
            digits(17..19)?,
            nanos,
        )?;
        local.0.checked_sub(offset_seconds * NANOS).map(Self)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS)
    }

    /// Whole hours since 1970-01-01T00:00:00Z, rounded down.
    pub const fn hour_index(self) -> i64 {
        self.seconds().div_euclid(3_600)
    }

    /// Year, month, day, hour, minute, second, nanosecond in UTC.
    pub fn civil(self) -> (i32, u32, u32, u32, u32, u32, u32) {
        let seconds = self.seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400) as u32;
        let nanos = self.0.rem_euclid(NANOS) as u32;
        (year, month, day, of_day / 3_600, of_day / 60 % 60, of_day % 60, nanos)
    }

    /// ISO 8601 week number, 1–53.
    pub fn iso_week(self) -> u32 {
        let days = self.seconds().div_euclid(86_400);
        // The week belongs to the year that holds its Thursday (ISO 8601, 2.2.10).
        let thursday = days + 3 - (days + 3).rem_euclid(7);
        let (year, _, _) = civil_from_days(thursday);
        ((thursday - days_from_civil(i64::from(year), 1, 1)) / 7 + 1) as u32
    }

    /// `YYYY-MM-DD HH:MM:SSZ`: for people; RFC 3339 is [`fmt::Display`].
    pub fn to_short(self) -> String {
        let (year, month, day, hour, minute, second, _) = self.civil();
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
    }
}

/// RFC 3339 in UTC with as many digits of the second (0, 3, 6, 7, 9) as needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour, minute, second, nanos) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanos {
            0 => {}
            n if n % 1_000_000 == 0 => write!(f, ".{:03}", n / 1_000_000)?,
            n if n % 1_000 == 0 => write!(f, ".{:06}", n / 1_000)?,
            n if n % 100 == 0 => write!(f, ".{:07}", n / 100)?,
            n => write!(f, ".{n:09}")?,
        }
        f.write_str("Z")
    }
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01, by eras of 400 years that begin on 1 March.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(Timestamp::parse(text).map_or("none".into(), |t| t.to_string()), expect, "{text}");
    }

    #[test]
    fn parses_and_prints() {
        check("2021-03-04T11:20:05Z", "2021-03-04T11:20:05Z");
        check("2021-03-04 11:20:05.123", "2021-03-04T11:20:05.123Z");
        check("2021-03-04T11:20:05.1234567Z", "2021-03-04T11:20:05.1234567Z");
        check("2021-03-04T11:20:05+02:00", "2021-03-04T09:20:05Z");
        check("2021-03-04T11:20:05-0130", "2021-03-04T12:50:05Z");
        check("2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z");
        check("2021-02-29T00:00:00Z", "none");
        check("2021-03-04T25:20:05Z", "none");
        check("2021-03-04T11:20:05x", "none");
        check("", "none");
    }

    #[test]
    fn zero_filetime_is_no_time() {
        assert_eq!(Timestamp::from_filetime(0), None);
        assert_eq!(
            Timestamp::from_filetime(132592332051234567).map(|t| t.to_string()).as_deref(),
            Some("2021-03-03T08:20:05.1234567Z")
        );
    }

    #[test]
    fn weeks_follow_iso_8601() {
        let week = |text| Timestamp::parse(text).unwrap().iso_week();
        assert_eq!(week("2021-01-03T00:00:00Z"), 53);
        assert_eq!(week("2021-01-04T00:00:00Z"), 1);
        assert_eq!(week("2019-12-30T00:00:00Z"), 1);
    }
}
