//! Disks that are stored block by block, wherever each lies: what VHD and VHDX have in common.

use crate::read_at::ended;
use std::io;

/// A disk whose blocks are found one by one.
pub(crate) trait Blocks {
    /// Of the disk.
    fn size_bytes(&self) -> u64;

    /// Of each block; never 0.
    fn block_bytes(&self) -> u64;

    /// Where the content of a block begins in the container; `None` where it was never written, which reads as zeros.
    ///
    /// # Errors
    /// When the table of blocks cannot be read, or makes no sense.
    fn start(&self, block: u64) -> io::Result<Option<u64>>;

    /// Reads from the container.
    ///
    /// # Errors
    /// That of the container.
    fn read_container(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Of the container.
    fn container_bytes(&self) -> u64;
}

/// [`crate::ReadAt::read_at`] of such a disk: as much as lies in one block.
pub(crate) fn read_at(disk: &impl Blocks, at: u64, into: &mut [u8]) -> io::Result<usize> {
    if at >= disk.size_bytes() || into.is_empty() {
        return Ok(0);
    }
    let (block, within) = (at / disk.block_bytes(), at % disk.block_bytes());
    let left = (disk.block_bytes() - within).min(disk.size_bytes() - at);
    let wanted = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    let Some(start) = disk.start(block)? else {
        into[..wanted].fill(0);
        return Ok(wanted);
    };
    let at = start.checked_add(within).ok_or(io::ErrorKind::InvalidData)?;
    match disk.read_container(at, &mut into[..wanted])? {
        0 => Err(ended(disk.container_bytes())),
        read => Ok(read),
    }
}
