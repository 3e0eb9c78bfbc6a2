//! What a disk may ask of us at most.

/// Bounds on what images and volumes say of themselves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of all files of an image, per byte of the image: it may be packed,
    /// and files may have several names.
    pub files_ratio_max: u64,
    /// Entries of one `$MFT` that are looked at.
    pub entries_max: u64,
    /// Folders of one volume whose names are kept, to give entries a path.
    pub folders_max: usize,
    /// Folders within each other.
    pub folder_depth_max: usize,
    /// Runs of clusters of one stream.
    pub runs_max: usize,
    /// Entries that one file's attributes may spill over to.
    pub spilled_entries_max: usize,
    /// Bytes of the paths of one volume together: each may be as deep as folders
    /// go, at no cost to whoever made them.
    pub path_bytes_max: usize,
    /// Partitions of one disk.
    pub partitions_max: usize,
    /// Sections and chunks of one E01 image, blocks of one VHD or VHDX.
    pub blocks_max: usize,
    /// Problems noted for one volume or image; the last says that there are more.
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files_ratio_max: 32,
            entries_max: 32 << 20,
            folders_max: 2_000_000,
            folder_depth_max: 256,
            runs_max: 1 << 20,
            spilled_entries_max: 4_096,
            path_bytes_max: 512 << 20,
            partitions_max: 256,
            blocks_max: 64 << 20,
            problems_max: 1_000,
        }
    }
}
