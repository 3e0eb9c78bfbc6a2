//! The made-up organisation: its hosts, people and addresses.
//!
//! Names are below `example.test` and `example.com` (RFC 2606), addresses from
//! the documentation blocks (RFC 5737) outside and from RFC 1918 inside.

use crate::dice::Dice;
use crate::truth::Question::{self, *};
use model::Timestamp;

/// A build of Exchange, in the three ways in which its logs write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Build {
    pub(crate) parts: [u16; 4],
    /// Whether it is older than the updates of March 2021.
    pub(crate) vulnerable: bool,
    /// Holes that it cannot have: fixed in it, or never in the product.
    pub(crate) closed: &'static [Question],
}

impl Build {
    /// Exchange 2016 CU 18 as released.
    pub(crate) const E2016_CU18: Self =
        Self { parts: [15, 1, 2106, 2], vulnerable: true, closed: &[Cve20200688] };
    /// The same with the update of 2 March 2021.
    pub(crate) const E2016_CU18_UPDATED: Self =
        Self { parts: [15, 1, 2106, 13], vulnerable: false, closed: &[Cve20200688] };
    /// Exchange 2016 CU 19 with the update of 2 March 2021.
    pub(crate) const E2016_CU19_UPDATED: Self =
        Self { parts: [15, 1, 2176, 9], vulnerable: false, closed: &[Cve20200688] };
    /// Exchange 2013 CU 23 as released.
    pub(crate) const E2013_CU23: Self =
        Self { parts: [15, 0, 1497, 2], vulnerable: true, closed: &[Cve202142321] };
    /// Exchange 2016 CU 15 as released, in December 2019.
    pub(crate) const E2016_CU15: Self = Self { parts: [15, 1, 1913, 5], vulnerable: true, closed: &[] };
    /// Exchange 2016 CU 22 with the update of October 2021.
    pub(crate) const E2016_CU22_OCTOBER: Self =
        Self { parts: [15, 1, 2375, 12], vulnerable: false, closed: &[ProxyShell, ProxyToken, Cve20200688] };
    /// Exchange 2016 CU 23 with the update of August 2022.
    pub(crate) const E2016_CU23_AUGUST: Self = Self {
        parts: [15, 1, 2507, 12],
        vulnerable: false,
        closed: &[ProxyShell, ProxyToken, Cve20200688, Cve202142321],
    };
    /// The same with the update of November 2022.
    pub(crate) const E2016_CU23_NOVEMBER: Self = Self {
        parts: [15, 1, 2507, 16],
        vulnerable: false,
        closed: &[ProxyShell, ProxyToken, ProxyNotShell, Owassrf, Cve20200688, Cve202142321],
    };

    /// `15.01.2106.002`, as in `#Version`.
    pub(crate) fn padded(self) -> String {
        let [major, minor, build, revision] = self.parts;
        format!("{major}.{minor:02}.{build:04}.{revision:03}")
    }

    /// `15.1.2106.2`, as in `BLD`.
    pub(crate) fn plain(self) -> String {
        let [major, minor, build, revision] = self.parts;
        format!("{major}.{minor}.{build}.{revision}")
    }

    /// Whether the columns are those of Exchange 2013, which has two fewer.
    pub(crate) fn is_2013(self) -> bool {
        self.parts[1] == 0
    }
}

/// A server, before anything is logged on it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// `MXS01`.
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) build: Build,
    /// Whether the tree has a top folder of the host's name.
    pub(crate) in_own_folder: bool,
}

impl Host {
    /// `MXS01.example.test`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.example.test", self.name)
    }
}

/// Accounts of ordinary people.
pub(crate) const PEOPLE: [&str; 8] =
    ["a.meyer", "b.okafor", "c.lind", "d.rossi", "e.tanaka", "f.silva", "g.novak", "h.haddad"];

/// Monitoring mailboxes.
pub(crate) const HEALTH_MAILBOXES: [&str; 3] =
    ["HealthMailbox1f0b2c4", "HealthMailbox7d93a60", "HealthMailboxc4e8815"];

/// Where people work from outside.
pub(crate) const HOME_ADDRESSES: [&str; 5] =
    ["192.0.2.31", "192.0.2.87", "192.0.2.140", "192.0.2.162", "192.0.2.201"];

/// Where they work from inside.
pub(crate) const OFFICE_ADDRESSES: [&str; 4] = ["10.20.4.17", "10.20.4.23", "10.20.4.58", "10.20.5.101"];

/// A month in which something happens: when it begins, in seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Month(i64);

impl Month {
    pub(crate) const MARCH_2020: Self = Self(1_583_020_800);
    pub(crate) const MARCH_2021: Self = Self(1_614_556_800);
    pub(crate) const AUGUST_2021: Self = Self(1_627_776_000);
    pub(crate) const NOVEMBER_2021: Self = Self(1_635_724_800);
    pub(crate) const SEPTEMBER_2022: Self = Self(1_661_990_400);
    pub(crate) const DECEMBER_2022: Self = Self(1_669_852_800);

    /// A time in it, UTC; the day counts from 1.
    pub(crate) fn at(self, day: u32, hour: u32, minute: u32, second: u32) -> Timestamp {
        let of_day = i64::from(hour * 3_600 + minute * 60 + second);
        let seconds = self.0 + i64::from(day.saturating_sub(1)) * 86_400 + of_day;
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }
}

/// A time in March 2021.
pub(crate) fn march(day: u32, hour: u32, minute: u32, second: u32) -> Timestamp {
    Month::MARCH_2021.at(day, hour, minute, second)
}

/// `time` and so many milliseconds more.
pub(crate) fn later(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_nanos(time.nanos() + millis * 1_000_000)
}

/// `time` at the beginning of its second.
pub(crate) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.seconds() * 1_000_000_000)
}

/// `time` at some tenth of its second that leaves room for what follows at
/// once: planted records of one act stay within one second.
pub(crate) fn within_second(time: Timestamp, dice: &mut Dice) -> Timestamp {
    later(whole_second(time), dice.between(120, 480) as i64)
}

/// `2021-03-03T05:11:02.123Z`.
pub(crate) fn iso_millis(time: Timestamp) -> String {
    let (year, month, day, hour, minute, second, nanos) = time.civil();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", nanos / 1_000_000)
}
