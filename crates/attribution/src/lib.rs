//! Which known actor an intrusion is consistent with, how sure, what speaks
//! against it, and what would change that.
//!
//! A [`History`] is ATT&CK's relations with their dates; a [`Snapshot`] the
//! knowledge of one day. [`assess`] weighs what was observed against every actor
//! known on that day, with numbers ([`Model`]) that were fitted on cases before
//! it, and names somebody only when such a name was right often enough.
//!
//! ```
//! use attribution::{History, Model, Snapshot, Sourcing, assess};
//! let history = History::new(knowledge::attack());
//! let day = knowledge::Day::parse("2021-02-28").unwrap();
//! let snapshot = Snapshot::new(&history, day);
//! let assessment = assess(&Model::built_in().unwrap(), &snapshot, ["T1190", "S0020"], Sourcing::default());
//! assert_eq!(assessment.named, None);
//! assert!(assessment.hypotheses.iter().all(|hypothesis| hypothesis.actor != "G0125"));
//! ```
//!
//! # Not here
//! Who stands behind an actor: that never follows from technical evidence, it is
//! cited. Where evidence comes from, and files.

mod assess;
mod calibrate;
mod circumstance;
mod fit;
mod history;
mod matrix;
mod model;
mod score;
mod snapshot;
mod strength;
mod tools;
pub mod training;
mod weighing;
mod words;

pub use assess::{Assessment, Hypothesis, NAMED_FROM, Sourcing, assess};
pub use calibrate::{SIGN_NAMES, SIGNS, Signs};
pub use circumstance::{Circumstance, CircumstanceKind, Seen, added, circumstances, weigh_in};
pub use history::History;
pub use matrix::{Forgeability, Row, grounds, matrix, reports_on};
pub use model::{Bin, Model, Vintage};
pub use score::{MEASURE_NAMES, MEASURES, Measures};
pub use snapshot::Snapshot;
pub use strength::{Loss, Strength, Support};
pub use words::{Likelihood, Scale};
