//! YARA rules over the bytes of files: a thin adapter over `boreal`, which
//! reads YARA 4.5 with all its modules but `magic` (it needs a C library).
//!
//! [`load`] compiles rule texts once into a [`RuleSet`], which threads share;
//! [`RuleSet::scan`] looks at one file. What a rule says of itself (its id,
//! level, tags, techniques) is read from its `meta`: see [`facts`].
//!
//! # What the format does not say
//! YARA has no id, level or ATT&CK technique: authors write them into `meta`
//! under names of their own. A rule may ask for the clock (module `time`), and
//! then the same evidence gives other findings on another day.
//!
//! # Not here
//! Reading files, and what a finding means.

pub mod facts;
#[doc(hidden)]
pub mod fuzz;
mod load;
mod scan;
#[cfg(test)]
mod tests;

pub use load::{Diagnostic, Loaded, RuleText, load};
pub use scan::{FileName, Match, MatchedString, RuleSet, SetRule, Stopped};
