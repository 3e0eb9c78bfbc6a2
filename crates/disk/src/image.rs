//! Disk images: what they are by their beginning, and the disk in them.

use crate::faults::Faults;
use crate::joined::Joined;
use crate::{Limits, ReadAt, ewf, partition, vhd, vhdx};
use model::Problem;
use std::sync::Arc;

/// What an image is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The disk's own bytes, or those of one volume; also a VHD of fixed size,
    /// which differs by a footer only.
    Raw,
    /// Expert Witness Format, version 1 (E01).
    Ewf,
    /// Virtual PC's disk that grows.
    Vhd,
    /// Hyper-V's disk.
    Vhdx,
}

/// What begins with `head`. A raw disk is told by its partition table or by
/// the boot sector of a volume; at least 64 KiB of it are wanted.
pub fn sniff(head: &[u8]) -> Option<Kind> {
    if head.starts_with(ewf::MAGIC) {
        Some(Kind::Ewf)
    } else if head.starts_with(vhd::MAGIC) {
        Some(Kind::Vhd)
    } else if head.starts_with(vhdx::MAGIC) {
        Some(Kind::Vhdx)
    } else if partition::is_disk(head) {
        Some(Kind::Raw)
    } else {
        None
    }
}

/// The number of the E01 segment that begins with `head`, from 1.
pub fn segment_number(head: &[u8]) -> Option<u16> {
    ewf::segment_number(head)
}

/// The disk in an image. `segments` are its files in their order; only E01
/// and a raw disk that was cut have more than one.
///
/// # Errors
/// When not even the beginning of a disk can be made of it. Lesser damage goes
/// to `faults`, and the disk is what is left.
pub fn open<'a>(
    kind: Kind,
    mut segments: Vec<Arc<dyn ReadAt + 'a>>,
    limits: &Limits,
    faults: &Faults,
) -> Result<Arc<dyn ReadAt + 'a>, Problem> {
    let first = segments.first().cloned();
    let first = first.ok_or_else(|| Problem::new("truncated", 0, "an image", "no bytes"))?;
    match kind {
        Kind::Raw if segments.len() == 1 => Ok(first),
        Kind::Raw => Ok(Arc::new(Joined::new(segments))),
        Kind::Vhd => Ok(Arc::new(vhd::Vhd::open(first, faults)?)),
        Kind::Vhdx => Ok(Arc::new(vhdx::Vhdx::open(first, faults)?)),
        Kind::Ewf => Ok(Arc::new(ewf::Ewf::open(std::mem::take(&mut segments), limits, faults.clone())?)),
    }
}
