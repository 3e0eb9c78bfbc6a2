//! Sigma rules: parsed, compiled per shape of record, matched; and the naive
//! matcher beside it as the oracle.
//!
//! [`load`] turns rule texts into [`Rule`]s and [`Diagnostic`]s; a rule that
//! cannot be loaded never stops the others. [`Engine`] holds the rules; each
//! thread asks it for a [`Worker`], shows it records and gets the indexes of
//! the rules that match. [`naive::matches`] answers the same question for one
//! rule and one record, straight from the specification and slowly; both agree
//! always, and tests hold them to it.
//!
//! The way of a rule: YAML document ([`document`]) → named trees of items
//! ([`draft`]), changed by pipelines ([`pipeline`]) → modifiers applied to
//! values ([`modifier`]) → leaves and condition ([`detection`]) → log sources
//! ([`logsource`]) → a plan inside each group of rules that share a log
//! ([`engine`]).
//!
//! # Matching, where the specification leaves a choice
//! - Text is compared without regard to case: each character is replaced by
//!   its simple lower-case mapping (Unicode; a character whose lower case is
//!   more than one character stays). `cased` and `re` compare as written.
//! - A field that several slots answer to, or a list, matches when any of its
//!   values does. Slots that are absent are not values.
//! - `null` matches a field without any value, or with an empty one; `''` only
//!   an empty one.
//! - A number matches a value that is the same number, written as number,
//!   decimal text or `0x` text.
//! - Keywords are looked for anywhere in the text of each string slot; with
//!   `|all` each keyword may stand in another slot.
//! - An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is that IPv4 address.
//!
//! # Not here
//! Files, formats, findings.

mod condition;
mod correlation;
mod detection;
mod diagnostic;
mod document;
mod draft;
mod engine;
mod explain;
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod golden;
mod lint;
mod load;
mod logsource;
mod modifier;
pub mod naive;
mod pipeline;
mod placeholder;
#[cfg(test)]
mod random;
mod rule;
mod text;

pub use correlation::{Correlation, Event, FieldNames, Hit, Input, InputSource, Mark, Runner, Seen, Window};
pub use diagnostic::{DIAGNOSTIC_IDS, Diagnostic, Severity};
pub use engine::{Cost, Costs, Engine, Worker};
pub use explain::{Explanation, Step, explain};
pub use load::{LoadOptions, Loaded, RuleText, check, load};
pub use logsource::LogSource;
pub use pipeline::{Pipelines, builtin_pipeline, builtin_pipelines, load_pipelines};
pub use rule::Rule;
