//! The bytes that are signed.
//!
//! RFC 8785 is used to *make* bytes that stay the same; nobody who checks a signature needs it.

use serde::Serialize;

/// JSON after RFC 8785.
pub(crate) fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    // Types of this crate hold strings, small integers, lists and structs, which all have a form in JSON.
    stix::jcs::to_vec(&serde_json::to_value(value).unwrap_or_default())
}
