//! How a report is to look.

/// What the user chooses of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whether names of people and of web shells stand in the report.
    pub reveal: bool,
    /// The marking in its banner.
    pub tlp: Tlp,
}

/// The Traffic Light Protocol, version 2.0 (FIRST, 2022).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tlp {
    /// No limit.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients.
    Amber,
    /// The organisation only.
    #[default]
    AmberStrict,
    /// Named recipients only.
    Red,
}

impl Tlp {
    /// The label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Tlp::Clear => "TLP:CLEAR",
            Tlp::Green => "TLP:GREEN",
            Tlp::Amber => "TLP:AMBER",
            Tlp::AmberStrict => "TLP:AMBER+STRICT",
            Tlp::Red => "TLP:RED",
        }
    }

    /// Who may have it.
    pub(crate) const fn audience(self) -> &'static str {
        match self {
            Tlp::Clear => "May be shared without limit.",
            Tlp::Green => "Only within the community.",
            Tlp::Amber => "Only for the organisation and its clients who need to know.",
            Tlp::AmberStrict => "Only for the organisation itself.",
            Tlp::Red => "Only for those it was given to.",
        }
    }
}
