//! The nouns of assay: what every other room speaks in.
//!
//! A reader (rooms `winevt`, `evidence`) shows [`Record`]s: a [`Shape`] (named
//! slots, known once for a whole template, `#Fields` line or header) and its
//! [`Value`]s, borrowed from the bytes they were read from. Detectors turn
//! records into [`Finding`]s; what could not be read becomes a [`Problem`];
//! what was there and over which time becomes [`Coverage`]; the casebook turns
//! both into [`Answer`]s.
//!
//! # Not here
//! IO, clocks, formats, serialisation. Types here are not serialisable: each
//! exit (JSON, CSV, HTML) has its own counterparts in `report`.

mod answer;
mod attribution;
mod case;
mod character;
mod coverage;
mod details;
mod finding;
mod per_shape;
mod rule;
mod session;
mod shape;
mod time;
mod value;

pub use answer::{Answer, AnswerWord, BookAnswer, HostBasis, Intrusion, Verdict};
pub use attribution::{ActorClaim, ActorHypothesis, AttributedIntrusion, Attribution, AttributionItem};
pub use case::{Case, Host, IndicatorFile, LookedFor, RuleNote, Run, Sessions, Spill};
pub use character::{is_dangerous, is_plain, push_visible, visible};
pub use coverage::{Coverage, Gap, GapKind, ItemCoverage, LogCoverage, LogKey, Problem, Span};
pub use details::{Detail, Details};
pub use finding::{
    EvidenceId, EvidenceItem, Field, FieldStore, FileBasis, FileFacts, Finding, FindingId, HostName,
    IntrusionId, Level, Position, RuleFacts, Spilled,
};
pub use per_shape::PerShape;
pub use rule::{ATTACK_VERSION, RuleUse, TechniqueCoverage};
pub use session::{Logon, Process, SessionsLeftOut};
pub use shape::{LogFamily, Record, RecordSink, Role, Shape, Slot};
pub use time::Timestamp;
pub use value::Value;
