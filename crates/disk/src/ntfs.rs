//! NTFS, read from its `$MFT` and not from its folders: deleted entries and
//! orphans are there, too.
//!
//! [`Volume::open`] finds the table, [`Volume::walk`] goes through its records,
//! [`Volume::entry`] makes one file of a record and those it spills over to.
//! [`Folders`] gives entries their paths. [`Stream::open`] reads content.
//! [`record`] parses single records, for a `$MFT` that is a file.

mod bitmap;
mod entry;
mod folders;
mod lznt1;
pub mod record;
mod runs;
mod stream;
mod volume;

pub use bitmap::Bitmap;
pub use entry::{Entry, Stream};
pub use folders::{Folders, Place};
pub use record::{Name, Reference, Times};
pub use volume::Volume;

/// The record of the `$MFT` itself.
pub const MFT: u64 = 0;
/// The record of the root folder.
pub const ROOT: u64 = 5;
/// The record that stands for damaged clusters: a stream as large as the
/// volume, of which nothing is allocated.
pub const BAD_CLUSTERS: u64 = 8;
