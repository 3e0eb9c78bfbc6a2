//! EVTX chunks to [`model::Record`]s, template by template.
//!
//! [`ChunkReader::read`] takes one chunk (64 KiB, or what is left of it) and
//! shows each of its records to a [`model::RecordSink`]: a shape, shared by all
//! records of one template combination, and values borrowed from the chunk. No
//! XML and no JSON is made.
//!
//! # How a record is read
//! A record is a token stream of binary XML ([MS-EVEN6] 2.2.12): as a rule one
//! instance of a template (`System` and all), with one value that is a stream
//! of its own, an instance of the event's own template. `stream` turns it
//! into a *key*, which tells the tree and no values, and a flat list of
//! values. The key finds the `plan`, which says which value stands in which
//! slot; only a new key needs the definitions' trees (`canon`, `template`).
//! Records and fragments written out as plain elements take the same way: their
//! tree is the key.
//!
//! # Values
//! An element whose optional substitution is null, or which depends on a null
//! value, is absent; a normal substitution that is null leaves it empty. An
//! array is one value, a list. Text ends at its first NUL, as Windows has it.
//!
//! # Carved records
//! [`ChunkReader::carve`] shows what an earlier use of a chunk left whole in
//! its free space, by [`model::RecordSink::carved`]. Such a record has one more
//! slot, `Carved`, which holds `true`.
//!
//! # The `evtx` library
//! Parses the headers and computes the checksums here, and is the oracle in the
//! tests. Its own reading of records stands in our way: see `chunk`.
//!
//! # Not here
//! Files, archives, hashes (room `evidence`), and what events mean (rules).

mod canon;
mod chunk;
mod fuzz;
mod header;
mod name;
mod plan;
mod record;
mod stream;
mod template;
mod tokens;
mod value;
mod wire;

pub use chunk::{ChunkReader, ChunkSummary};
#[doc(hidden)]
pub use fuzz::fuzz;
pub use header::{CHUNK_BYTES, FILE_HEADER_BYTES, FileHeader, is_chunk};
