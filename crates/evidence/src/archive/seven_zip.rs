//! 7z archives: their list of members, and the blocks that these are packed in.
//!
//! In a solid archive many members share one block and can only be unpacked one
//! after another; so members are shown as they come. What is wrong in one block
//! ends that block.
//!
//! # Not here
//! Passwords; bzip2, deflate and the methods that 7-Zip itself does not write.

use crate::Limits;
use crate::bytes::{Bytes, RangeReader};
use crate::input;
use model::{FileBasis, FileFacts, Problem, Timestamp};
use sevenz_rust2::{ArchiveEntry, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{self, BufReader, Read, Seek as _};

/// A list of members may have this many bytes, unpacked: some 80,000 members.
/// Not less, because lists are packed with dictionaries of 8 MiB; not more,
/// because a lying list makes the library ask for 150 bytes of memory for each.
const LIST_BYTES_MAX: usize = 9 << 20;
/// Coders of one block that have a dictionary of their own; BCJ2 has three.
const DICTIONARIES_MAX: usize = 4;

/// An archive whose list of members was read.
pub(crate) struct SevenZip<'a> {
    archive: sevenz_rust2::Archive,
    source: BufReader<RangeReader<'a>>,
}

/// A member, as the list has it.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_folder: bool,
    pub(crate) is_link: bool,
    /// How many bytes it unpacks to.
    pub(crate) size_bytes: u64,
    pub(crate) facts: FileFacts,
}

/// What to do after a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Member,
    Block,
    End,
}

impl<'a> SevenZip<'a> {
    /// Reads the list of members.
    ///
    /// # Errors
    /// A [`Problem`] when there is none that could be read.
    pub(crate) fn list(bytes: &Bytes<'a>) -> Result<Self, Problem> {
        let mut source = BufReader::new(bytes.range(0, bytes.len()));
        let limit_kb = LIST_BYTES_MAX / 1024;
        match sevenz_rust2::Archive::read_with_memory_limit(&mut source, &Password::empty(), limit_kb) {
            Ok(archive) => Ok(Self { archive, source }),
            Err(error) => {
                // Where reading had come to; the library does not say more.
                let offset = source.stream_position().ok();
                Err(Problem { offset, ..problem(&error, "the list of a 7z archive's members") })
            }
        }
    }

    /// How many members are listed.
    pub(crate) fn len(&self) -> usize {
        self.archive.files.len()
    }

    /// Shows all members, block by block, then those that are empty.
    pub(crate) fn each(
        &mut self,
        limits: &Limits,
        show: &mut dyn FnMut(Member<'_>, &mut dyn Read) -> Next,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for block in 0..self.archive.blocks.len() {
            if problems.len() >= limits.problems_max {
                let wanted = format!("at most {} damaged blocks", limits.problems_max);
                problems.push(unplaced("limit", &wanted, "more; the rest is not read".into()));
                return problems;
            }
            if self.block(block, limits, show, &mut problems) == Next::End {
                return problems;
            }
        }
        let of_blocks = &self.archive.stream_map.file_block_index;
        for (file, block) in self.archive.files.iter().zip(of_blocks) {
            if block.is_none() && show(member(file), &mut std::io::empty()) == Next::End {
                break;
            }
        }
        problems
    }

    fn block(
        &mut self,
        index: usize,
        limits: &Limits,
        show: &mut dyn FnMut(Member<'_>, &mut dyn Read) -> Next,
        problems: &mut Vec<Problem>,
    ) -> Next {
        let limit_kb = limits.archive.dictionary_bytes_max / 1024;
        let coders = self.archive.blocks[index].coders.iter().map(|coder| coder.encoder_method_id());
        let has_dictionary = |id: &&[u8]| {
            [EncoderMethod::ID_LZMA, EncoderMethod::ID_LZMA2, EncoderMethod::ID_PPMD].contains(id)
        };
        if coders.filter(has_dictionary).count() > DICTIONARIES_MAX {
            let wanted = format!("at most {DICTIONARIES_MAX} dictionaries for one block");
            problems.push(unplaced("limit", &wanted, "more".into()));
            return Next::Block;
        }
        let password = Password::empty();
        let decoder = BlockDecoder::new_with_memory_limit(
            1,
            limit_kb,
            index,
            &self.archive,
            &password,
            &mut self.source,
        );
        let all = decoder.entry_count();
        let (mut seen, mut next) = (0, Next::Member);
        let read = decoder.for_each_entries(&mut |file, reader| {
            seen += 1;
            next = show(member(file), reader);
            Ok(next == Next::Member)
        });
        let fault = read.err().map(|error| problem(&error, "a block of packed members"));
        let left = all - seen.min(all);
        if left > 0 && next != Next::End {
            let fault = fault
                .unwrap_or_else(|| unplaced("bad-archive", "a block of packed members", "damage".into()));
            problems.push(Problem {
                found: format!("{}; members of it that are not read: {left}", fault.found),
                ..fault
            });
        } else {
            problems.extend(fault);
        }
        next
    }
}

fn member(file: &ArchiveEntry) -> Member<'_> {
    const REPARSE_POINT: u32 = 0x400;
    const HAS_UNIX_MODE: u32 = 0x8000;
    let attributes = if file.has_windows_attributes { file.windows_attributes } else { 0 };
    let mode = if attributes & HAS_UNIX_MODE != 0 { attributes >> 16 } else { 0 };
    let time = |is_there: bool, time: sevenz_rust2::NtTime| {
        Timestamp::from_filetime(u64::from(time)).filter(|_| is_there)
    };
    let facts = FileFacts {
        created: time(file.has_creation_date, file.creation_date),
        modified: time(file.has_last_modified_date, file.last_modified_date),
        accessed: time(file.has_access_date, file.access_date),
        ..FileFacts::default()
    };
    let is_told = facts.created.or(facts.modified).or(facts.accessed).is_some();
    Member {
        name: file.name(),
        is_folder: file.is_directory(),
        is_link: attributes & REPARSE_POINT != 0 || mode & 0o170_000 == 0o120_000,
        size_bytes: file.size(),
        facts: FileFacts { basis: is_told.then_some(FileBasis::Archive), ..facts },
    }
}

fn problem(error: &Error, wanted: &str) -> Problem {
    match error {
        Error::PasswordRequired => {
            unplaced("encrypted", "an archive without password", "an encrypted one".into())
        }
        Error::UnsupportedCompressionMethod(name) if name.starts_with("AES") => {
            unplaced("encrypted", "an archive without password", format!("an encrypted one ({name})"))
        }
        Error::UnsupportedCompressionMethod(name) => {
            unplaced("unsupported-compression", "LZMA, LZMA2, PPMd or stored", name.clone())
        }
        Error::MaxMemLimited { max_kb, actaul_kb } => {
            let limit = format!("at most {max_kb} KiB of memory for {wanted}");
            unplaced("limit", &limit, format!("{actaul_kb} KiB"))
        }
        Error::Io(error, _) => unplaced(kind(error), wanted, error.to_string()),
        other => unplaced("bad-archive", wanted, other.to_string()),
    }
}

/// What an error while unpacking is in reports; decoders give damage no kind.
pub(crate) fn kind(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::Other { "bad-archive" } else { input::kind(error) }
}

fn unplaced(kind: &'static str, wanted: &str, found: String) -> Problem {
    crate::read::unplaced(kind, wanted, found)
}
