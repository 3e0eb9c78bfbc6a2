//! Indicators of compromise: loaded, and found in records at any number.
//!
//! An [`IndicatorSet`] takes files (plain lists, CSV, STIX 2.1 bundles, MISP
//! events) and keeps every value once, with everything that any file says of
//! it. A [`Worker`] cuts the values of a [`model::Record`] into words and looks
//! them up, so that a million indicators cost a record no more than a thousand.
//!
//! Values are compared whole: an address is never found within a longer one, a
//! domain only as itself or above its subdomains, a hash only as all of its
//! digits, a path only at the borders of its parts.
//!
//! ```
//! let mut set = indicator::IndicatorSet::default();
//! set.load("list.txt", b"198.51.100.7\nevil.example # seen in March\nan odd line\n");
//! assert_eq!(set.len(), 2);
//! assert_eq!(set.files()[0].not_loaded[0].line, Some(3));
//! ```
//!
//! # Not here
//! What a hit means, and how much it weighs: `scan` makes findings of hits.
//! Free text and regular expressions: they are Sigma's and YARA's.

#[doc(hidden)]
pub mod fuzz;
mod gates;
mod glance;
mod json;
mod keys;
mod kind;
mod list;
mod load;
mod misp;
#[doc(hidden)]
pub mod naive;
mod pattern;
mod set;
mod slots;
mod stix;
mod table;
mod text;
mod value;
mod words;
mod worker;

pub use kind::Kind;
pub use set::{About, Indicator, IndicatorFile, IndicatorSet, Note, actors};
pub use worker::Worker;
