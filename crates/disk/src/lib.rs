//! Disk images, and the NTFS volumes in them.
//!
//! [`image::open`] makes one disk of an image's segments (raw, E01, VHD,
//! VHDX); [`partition::volumes`] finds NTFS in it; [`ntfs::Volume`] walks the
//! `$MFT`: names, times, streams and runs of clusters, deleted entries
//! included. [`ntfs::Stream`] opens the content at random access. [`usn`]
//! reads the records of the change journal.
//!
//! All of it reads through [`ReadAt`] and holds on hostile input: whatever a
//! disk says of itself is bounded by [`Limits`], and what could not be read is
//! a [`model::Problem`].
//!
//! # Why no library
//! `ntfs` 0.4 walks the folders' indexes and so never meets a deleted entry or
//! an orphan. `vhdx-core` 0.4 panics on a log entry that lies about its
//! descriptors, allocates what a zero descriptor asks for, and replays the log
//! to the wrong places. `ewf` 0.4 drops the whole image when one table is cut,
//! keeps a hundred chunks of any size, and follows sections without a bound.
//!
//! # Not here
//! Opening files, hashing, recognising what a file is: room `evidence`.

mod blocks;
mod crc;
mod ewf;
mod faults;
pub mod image;
mod joined;
mod limits;
pub mod ntfs;
mod number;
pub mod partition;
mod read_at;
#[doc(hidden)]
pub mod sample;
pub mod usn;
mod vhd;
mod vhdx;

pub use faults::Faults;
pub use limits::Limits;
pub use read_at::{ReadAt, Slice};
