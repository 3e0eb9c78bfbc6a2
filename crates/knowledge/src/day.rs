//! Days, and dates as they are printed: to the day, the month or the year.

use std::fmt;

/// A day: days since 1970-01-01 in the proleptic Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i32);

impl Day {
    /// Reads `YYYY-MM-DD`; `None` for anything else and for days that do not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i32>().ok())?
        };
        Self::from_civil(next(4)?, next(2)?, next(2)?)
    }

    /// From year, month and day of the month; `None` when there is no such day.
    pub fn from_civil(year: i32, month: i32, day: i32) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=last).contains(&day) || !(1..=9999).contains(&year) {
            return None;
        }
        // Years begin in March, so that the leap day is their last.
        let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * month + 2) / 5 + day - 1;
        Some(Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// Year, month, day of the month.
    pub fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (era * 400 + year + i32::from(month <= 2), month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A date as it is printed: `2021-03-02`, `2021-03` or `2021`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Date {
    /// Only the year is known.
    Year(i32),
    /// Year and month.
    Month(i32, i32),
    /// To the day.
    Day(Day),
}

impl Date {
    /// Reads the printed form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.len() {
            4 if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let year = text.parse().ok()?;
                (year > 0).then_some(Self::Year(year))
            }
            7 => {
                let day = Day::parse(&format!("{text}-01"))?;
                let (year, month, _) = day.civil();
                Some(Self::Month(year, month))
            }
            _ => Day::parse(text).map(Self::Day),
        }
    }

    /// The day on which it counts: a month as its 15th, a year as its 1 July.
    pub fn day(self) -> Day {
        let (year, month, day) = match self {
            Self::Year(year) => (year, 7, 1),
            Self::Month(year, month) => (year, month, 15),
            Self::Day(day) => return day,
        };
        Day::from_civil(year, month, day).unwrap_or(Day(0))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => day.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_shown() {
        for (text, days) in
            [("1970-01-01", 0), ("2000-02-29", 11_016), ("2021-03-02", 18_688), ("1969-12-31", -1)]
        {
            assert_eq!(Day::parse(text), Some(Day(days)), "{text}");
            assert_eq!(Day(days).to_string(), text);
        }
        for text in ["2021-02-29", "2021-13-01", "2021-3-02", "2021-03-02T", "", "2021", "-021-03-02"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_count_on_a_day() {
        for (text, day) in [("2021", "2021-07-01"), ("2021-03", "2021-03-15"), ("2021-03-02", "2021-03-02")] {
            let date = Date::parse(text).unwrap();
            assert_eq!((date.to_string(), date.day().to_string()), (text.to_owned(), day.to_owned()));
        }
        assert_eq!(Date::parse("03-2021"), None);
    }
}
