//! How a report is to look.

use stix::Tlp;

/// What the user chooses of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whether names of people and of web shells stand in the report.
    pub reveal: bool,
    /// The marking in its banner.
    pub tlp: Tlp,
}
