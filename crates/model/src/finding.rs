//! Evidence items, and what was found in them.

use crate::{Details, HostBasis, Timestamp};
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Index of an item in the case's list of evidence, which is sorted by path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EvidenceId(pub u32);

impl EvidenceId {
    /// Of a finding that stands in no item: that of a correlation.
    pub const NONE: EvidenceId = EvidenceId(u32::MAX);
}

/// Index of an intrusion in the case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IntrusionId(pub u32);

/// A host's name as its logs write it, in upper case, without its domain;
/// two names of one computer are joined by the case, not here.
pub type HostName = Arc<str>;

/// One file, or one member of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvidenceItem {
    /// The argument joined with the `/`-relative path; inside archives
    /// `a.zip!b.zip!x`; `!` and bytes that are no UTF-8 are percent-escaped.
    /// Identical files are one item: the first path (in byte order) leads.
    pub paths: Vec<String>,
    /// The collection root: the argument, or the archive, it came from.
    pub root: String,
    /// SHA-256 of the unpacked bytes.
    pub sha256: [u8; 32],
    /// Unpacked size in bytes.
    pub size_bytes: u64,
    /// The format's slug (`evtx`, `w3c`, `exchange-csv`, `windows-jsonl`, …);
    /// `None` when it is not known, and so not read.
    pub format: Option<&'static str>,
    /// The hosts that its records speak of, sorted.
    pub hosts: Vec<HostName>,
    /// How we know them; `None` when none is known.
    pub host_basis: Option<HostBasis>,
    /// What its file system or archive says of it.
    pub facts: FileFacts,
}

/// What a file system, a collector's listing or an archive says of a file.
/// A copy's own times say when it was copied, so they are not here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFacts {
    /// Made (NTFS: `$STANDARD_INFORMATION`).
    pub created: Option<Timestamp>,
    /// Content last written.
    pub modified: Option<Timestamp>,
    /// Entry last changed (NTFS `$MFT` entry, Unix inode).
    pub changed: Option<Timestamp>,
    /// Last read.
    pub accessed: Option<Timestamp>,
    /// Who says so; `None` when nobody does.
    pub basis: Option<FileBasis>,
    /// Deleted; what was read is what is left of it.
    pub deleted: bool,
}

/// Who tells a file's times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileBasis {
    /// The file system's own table.
    Mft,
    /// A collector's listing.
    Listing,
    /// An archive entry that keeps UTC.
    Archive,
}

impl FileBasis {
    /// The word in `case.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            FileBasis::Mft => "mft",
            FileBasis::Listing => "listing",
            FileBasis::Archive => "archive",
        }
    }
}

/// Where a record stands in its unpacked item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Byte offset of the record (EVTX: of its record header; text: of the
    /// line's first byte).
    pub offset: u64,
    /// EVTX: the record's number (EventRecordID), where it is readable.
    pub record: Option<u64>,
    /// Text: the physical line, from 1.
    pub line: Option<u64>,
}

/// How much a rule's finding matters, by its author (Sigma's `level`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Context.
    Informational,
    /// Notable, seldom an incident.
    Low,
    /// Relevant, to be looked at.
    Medium,
    /// An incident if it is not explained.
    High,
    /// An incident.
    Critical,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Level; 5] =
        [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];

    /// Sigma's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Informational => "informational",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }
}

/// First eight bytes of SHA-256 over rule id, evidence SHA-256 and offset (of a
/// correlation: over rule id and the ids of its grounds, sorted); shown as 16
/// hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FindingId(pub [u8; 8]);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a finding says of its rule; shared by all findings of the rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleFacts {
    /// The rule's id.
    pub id: String,
    /// The rule's title.
    pub title: String,
    /// The rule's level.
    pub level: Level,
    /// The rule's tags, as written (`attack.t1505.003`, `assay.shell-request`).
    pub tags: Vec<String>,
    /// ATT&CK techniques among the tags, upper case (`T1505.003`), sorted.
    pub techniques: Vec<String>,
}

/// A record that a rule matched, or what several of them show together.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Its name in the case, stable over runs, machines and reading orders.
    pub id: FindingId,
    /// The rule that matched.
    pub rule: Arc<RuleFacts>,
    /// When the record was written, by its own word.
    pub time: Option<Timestamp>,
    /// The host that the record speaks of.
    pub host: Option<HostName>,
    /// The item it stands in; [`EvidenceId::NONE`] for a correlation.
    pub evidence: EvidenceId,
    /// Where in the item; of a correlation, its id as a number, so that no two stand in one place.
    pub position: Position,
    /// The intrusion it was assigned to.
    pub intrusion: Option<IntrusionId>,
    /// What matched, and the context a reader needs: name and text, in the
    /// order of the record's slots. When `spilled` is set, only those that join
    /// findings are here, and [`crate::Case::fields`] gives them all.
    pub fields: Vec<Field>,
    /// Where the whole fields lie, when they are not kept in memory.
    pub spilled: Option<Spilled>,
    /// Where all fields of its record lie, when they were kept.
    pub record: Option<Spilled>,
    /// Of a correlation: the findings that it rests on, by id; empty for a record.
    pub grounds: Vec<FindingId>,
}

/// A field's name and text; shared, because both repeat.
pub type Field = (Arc<str>, Arc<str>);

/// A place in a [`FieldStore`]: where it begins and how long it is, in one word, because each finding has two.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Spilled(NonZeroU64);

/// Bits of the word that hold the length: up to 64 MiB; the others hold offsets up to 256 GiB.
const LENGTH_BITS: u32 = 26;

impl Spilled {
    /// `bytes` at `offset`; `None` for nothing, and beyond what the word can hold.
    pub fn new(offset: u64, bytes: u64) -> Option<Self> {
        let fits = bytes > 0 && bytes < 1 << LENGTH_BITS && offset < 1 << (u64::BITS - LENGTH_BITS);
        if fits { NonZeroU64::new(offset << LENGTH_BITS | bytes).map(Self) } else { None }
    }

    /// Where it begins.
    pub const fn offset(self) -> u64 {
        self.0.get() >> LENGTH_BITS
    }

    /// How long it is.
    pub const fn bytes(self) -> u64 {
        self.0.get() & ((1 << LENGTH_BITS) - 1)
    }

    /// The word, for keeping it elsewhere; [`Spilled::from_word`] reads it.
    pub const fn word(self) -> u64 {
        self.0.get()
    }

    /// The place of a word; `None` for a word that is none.
    pub fn from_word(word: u64) -> Option<Self> {
        Self::new(word >> LENGTH_BITS, word & ((1 << LENGTH_BITS) - 1))
    }
}

/// Keeps fields outside memory, so that memory does not grow with them.
pub trait FieldStore: fmt::Debug + Send + Sync {
    /// Adds the fields of a finding that were put at `place`, and which of them its rule's own words met.
    ///
    /// # Errors
    /// Why they could not be read back, in one line.
    fn read(&self, place: Spilled, into: &mut Details) -> Result<(), String>;

    /// Adds the fields of a whole record that were put at `place`.
    ///
    /// # Errors
    /// Why they could not be read back, in one line.
    fn read_record(&self, place: Spilled, into: &mut Details) -> Result<(), String>;
}

impl Finding {
    /// The text of the first field `name` (ASCII case folded), when it was kept.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, text)| &**text)
    }

    /// Whether it is a correlation's, and stands in no record.
    pub fn is_correlation(&self) -> bool {
        self.evidence == EvidenceId::NONE
    }

    /// Whether the rule carries `tag`.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.rule.tags.iter().any(|own| own == tag)
    }
}
