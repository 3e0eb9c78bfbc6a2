//! STIX 2.1 (OASIS, errata 01 of April 2025) as it is on the wire.
//!
//! An [`Object`] is a JSON object kept as it was read: properties that nobody here knows survive, in their order. What we
//! make ourselves gets its id from its content ([`Object::seal`]), so one id never names two contents, and whatever is
//! left out of a copy gives the copy another id. Cyber-observable objects have the ids that the specification wants
//! ([`Object::seal_observable`]). [`jcs`] is the form in which JSON is hashed and signed (RFC 8785).
//!
//! Who may see what is said by [`Tlp`], [`Marking`] and [`strictest`], and decided by [`visibility`] alone: every exit asks it.
//!
//! ```
//! use stix::{Namespace, Object};
//! let mut address = Object::new("ipv4-addr");
//! address.set("value", "203.0.113.7");
//! address.seal_observable(&Namespace::ASSAY);
//! assert!(address.id().starts_with("ipv4-addr--"));
//! ```
//!
//! # Not here
//! Findings and cases: who makes objects of them knows both. Validation of every property of every type: that is what
//! the validators in the tests are for.

mod bundle;
mod claim;
mod confidence;
pub mod fuzz;
mod id;
pub mod jcs;
mod json;
mod object;
mod observable;
mod pattern;
mod position;
mod time;
mod tlp;
mod visibility;

pub use bundle::{Bundle, OBJECTS_MAX, WriteMap};
pub use claim::{Claim, INCIDENT_CORE, Likelihood, claim_definition, producer};
pub use confidence::AppendixA;
pub use id::{Namespace, Uuid, is_id};
pub use json::{BYTES_MAX, ParseError, parse};
pub use object::Object;
pub use pattern::{Comparison, pattern};
pub use position::{Position, Stance};
pub use time::timestamp;
pub use tlp::{Aggregate, Marking, NoAudience, TLP_2_EXTENSION, Tlp, strictest, synthetic_marking};
pub use visibility::{Audience, Owner, Refusal, Visibility, visibility};
