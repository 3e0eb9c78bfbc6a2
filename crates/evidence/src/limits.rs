//! The limits at the entrance: everything that evidence can ask of us has an
//! end, and all ends stand here.
//!
//! What hits a limit becomes a [`model::Problem`] of kind `limit`; the rest
//! goes on.

/// How much of what is read at most. The defaults let real collections pass
/// (a 4 GB event log, a 20 GB archive of text logs) and stop bombs early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// What archives may ask for.
    pub archive: ArchiveLimits,
    /// Folders within each other below an argument.
    pub folder_depth_max: u32,
    /// Files of all arguments together; also members of one archive.
    pub items_max: usize,
    /// Unpacked bytes of one item.
    pub item_bytes_max: u64,
    /// Bytes of one line, and of one record of several lines.
    pub line_bytes_max: usize,
    /// Physical lines of one CSV record (line ends within quotes).
    pub record_lines_max: usize,
    /// Columns of one line.
    pub columns_max: usize,
    /// Objects and arrays within each other in JSON.
    pub json_depth_max: u32,
    /// Keys and array members of one JSON record, over all depths.
    pub json_keys_max: usize,
    /// Bytes of an item that is read all at once (a registry hive).
    pub whole_bytes_max: usize,
    /// Bytes of an item of unknown format whose content is looked at whole
    /// (scripts, small programs).
    pub content_bytes_max: usize,
    /// What a disk image and its volumes may ask for.
    pub disk: disk::Limits,
    /// Shapes kept for reuse; further ones are made anew for each batch.
    pub shapes_max: usize,
    /// Problems listed for one item; the rest is counted.
    pub problems_max: usize,
    /// Bytes of a nested archive that are kept in memory; a larger one goes
    /// to a temporary file.
    pub spool_bytes_max: usize,
}

/// How much of an archive is unpacked at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveLimits {
    /// Archives within each other: 2 reads `a.zip!b.zip!x`, not a third one.
    pub nesting_max: u32,
    /// Unpacked bytes of one archive with all that is nested in it.
    pub bytes_max: u64,
    /// Unpacked bytes per packed byte, of one member and of one archive,
    /// beyond [`ArchiveLimits::ratio_free_bytes`].
    pub ratio_max: u64,
    /// Unpacked bytes that one archive may have whatever their ratio: sparse
    /// event logs, which are mostly zeros, pack a thousand to one.
    pub ratio_free_bytes: u64,
    /// Bytes of the dictionary that a packed stream (7z, xz) may ask for; a lying
    /// header can ask for 4 GiB.
    pub dictionary_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: ArchiveLimits::default(),
            folder_depth_max: 128,
            items_max: 1_000_000,
            item_bytes_max: 1 << 40,
            line_bytes_max: 4 << 20,
            record_lines_max: 1_000,
            columns_max: 1_024,
            json_depth_max: 32,
            json_keys_max: 4_096,
            whole_bytes_max: 256 << 20,
            content_bytes_max: 8 << 20,
            disk: disk::Limits::default(),
            shapes_max: 20_000,
            problems_max: 1_000,
            spool_bytes_max: 16 << 20,
        }
    }
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            nesting_max: 2,
            bytes_max: 4 << 40,
            ratio_max: 200,
            ratio_free_bytes: 1 << 30,
            dictionary_bytes_max: 256 << 20,
        }
    }
}
