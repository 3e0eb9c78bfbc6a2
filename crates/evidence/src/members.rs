//! Reads the members of archives: one after another, small ones side by side.
//!
//! No member is ever written anywhere under its name. What a member may unpack
//! to is taken from its archive's budget before or while it is read, in the
//! order of the archive, so that limits hit the same member on any number of
//! threads.

mod seven_zip;

use crate::archive::tar::{Kind, Tar};
use crate::archive::{self, zip};
use crate::batch::Pace;
use crate::bytes::Bytes;
use crate::format::{Content, sniff};
use crate::input::{self, Head};
use crate::read::{Budget, Node, Reading, SMALL_BYTES, unplaced};
use crate::{Visitor, image, path};
use model::{FileFacts, Problem};
use rayon::prelude::*;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufReader, Cursor, Read};

/// Small members of a zip archive that are opened side by side.
const GATHERED_MAX: usize = 256;
/// Small members of a tar archive are read into memory, up to this many bytes,
/// to be read side by side.
const GATHERED_BYTES_MAX: u64 = 16 << 20;

type Stream<'b> = Box<dyn Read + Send + 'b>;

impl<V: Visitor> Reading<'_, V> {
    /// Reads an archive that begins with `head`, then `rest`; `whole` is the
    /// same at random access, where there is that.
    pub(crate) fn archive(
        &self,
        node: &Node,
        head: Head,
        rest: Stream<'_>,
        whole: Option<Bytes<'_>>,
        budget: &mut Budget,
    ) {
        let content = sniff(&head.bytes, self.limits);
        let is_closed = node.nesting >= self.limits.archive.nesting_max;
        if is_closed || !content.is_archive() || self.wants_content(node, content, &head.bytes) {
            let bytes_max = budget.left.min(self.limits.item_bytes_max);
            let size = self.item(node, head, rest, bytes_max, Pace::Together);
            budget.left = budget.left.saturating_sub(size);
            return;
        }
        let mut stream = head.chain(rest);
        match (content, whole) {
            (Content::Zip | Content::SevenZip | Content::Image(_), Some(bytes)) => {
                self.at_random(content, node, &bytes, budget)
            }
            (Content::Zip | Content::SevenZip | Content::Image(_), None) => {
                // One byte more than allowed tells that there is more.
                let mut bounded = stream.take(budget.left.saturating_add(1));
                match Bytes::spool(&mut bounded, self.limits) {
                    Ok(bytes) => {
                        budget.left = budget.left.saturating_sub(bytes.len());
                        if budget.left == 0 {
                            self.exhausted(&node.path);
                        }
                        self.at_random(content, node, &bytes, budget);
                    }
                    Err(error) => {
                        self.problem(&node.path, unplaced("unreadable", "an archive", error.to_string()))
                    }
                }
            }
            (Content::Gzip | Content::Xz, _) => {
                let packed = BufReader::new(stream);
                let mut unpacked = match content {
                    Content::Xz => archive::unxz(packed, self.limits),
                    _ => archive::gunzip(packed),
                };
                let head = Head::read(&mut unpacked);
                if sniff(&head.bytes, self.limits) == Content::Tar {
                    self.tar(node, head.chain(unpacked), budget);
                } else {
                    let name = archive::packed_member(&node.path);
                    let path = format!("{}{}{name}", node.path, path::MEMBER);
                    // One packed file is no collection: its root is its archive's.
                    let member = Node {
                        path,
                        root: node.root.clone(),
                        nesting: node.nesting + 1,
                        facts: FileFacts::default(),
                        folders: None,
                    };
                    self.archive(&member, head, unpacked, None, budget);
                }
            }
            _ => self.tar(node, Box::new(&mut stream), budget),
        }
    }

    /// Reads an archive whose list stands at its end.
    fn at_random(&self, content: Content, node: &Node, bytes: &Bytes<'_>, budget: &mut Budget) {
        match content {
            Content::SevenZip => self.seven_zip(node, bytes, budget),
            Content::Image(kind) => self.nested_image(node, kind, bytes.clone(), budget),
            _ => self.zip(node, bytes, budget),
        }
    }

    fn zip(&self, node: &Node, bytes: &Bytes<'_>, budget: &mut Budget) {
        let listing = zip::list(bytes, self.limits, budget.left);
        for problem in listing.problems {
            self.problem(&node.path, problem);
        }
        let mut names = Names::default();
        let mut small: Vec<(Node, zip::Member, u64)> = Vec::new();
        for member in listing.members {
            let member_node = self.member(node, &member.name, member.facts.clone(), &mut names);
            if member.is_folder && member.size_bytes == 0 {
                continue;
            }
            if member.is_link {
                self.problem(&member_node.path, unplaced("symlink", "a file", "a link, not followed".into()));
                continue;
            }
            let by_ratio = input::bytes_max(self.limits, member.packed_bytes);
            if budget.left == 0 {
                self.exhausted(&node.path);
                break;
            }
            let bytes_max = by_ratio.min(budget.left);
            if member.size_bytes <= SMALL_BYTES {
                budget.left -= member.size_bytes.min(budget.left);
                small.push((member_node, member, bytes_max));
                if small.len() >= GATHERED_MAX {
                    self.small_members(bytes, std::mem::take(&mut small), budget);
                }
            } else {
                self.small_members(bytes, std::mem::take(&mut small), budget);
                self.big_member(bytes, &member_node, &member, bytes_max, budget);
            }
        }
        self.small_members(bytes, small, budget);
    }

    /// Reads members side by side; those that are archives one by one after.
    fn small_members(&self, bytes: &Bytes<'_>, members: Vec<(Node, zip::Member, u64)>, budget: &mut Budget) {
        let archives: Vec<_> = members
            .into_par_iter()
            .filter_map(|(node, member, bytes_max)| {
                let (head, rest) = self.open_member(bytes, &node, &member)?;
                if sniff(&head.bytes, self.limits).is_archive() {
                    return Some((node, head, rest));
                }
                self.item(&node, head, rest, bytes_max, Pace::Alone);
                None
            })
            .collect();
        for (node, head, rest) in archives {
            self.archive(&node, head, rest, None, budget);
        }
    }

    fn big_member(
        &self,
        bytes: &Bytes<'_>,
        node: &Node,
        member: &zip::Member,
        bytes_max: u64,
        budget: &mut Budget,
    ) {
        let Some((head, rest)) = self.open_member(bytes, node, member) else { return };
        if sniff(&head.bytes, self.limits).is_archive() {
            self.archive(node, head, rest, None, budget);
        } else {
            let size = self.item(node, head, rest, bytes_max, Pace::Together);
            budget.left = budget.left.saturating_sub(size);
        }
    }

    fn open_member<'b>(
        &self,
        bytes: &Bytes<'b>,
        node: &Node,
        member: &zip::Member,
    ) -> Option<(Head, Stream<'b>)> {
        match zip::open(bytes, member) {
            Ok(mut reader) => Some((Head::read(&mut reader), reader)),
            Err(problem) => {
                self.problem(&node.path, problem);
                None
            }
        }
    }

    fn tar(&self, node: &Node, stream: Stream<'_>, budget: &mut Budget) {
        let mut tar = Tar::new(stream);
        let mut names = Names::default();
        let mut gathered: Vec<(Node, Vec<u8>)> = Vec::new();
        let mut gathered_bytes = 0;
        let mut members = 0usize;
        loop {
            let entry = match tar.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    let kind = input::kind(&error);
                    let problem = Problem::new(kind, tar.at(), "a further member", error.to_string());
                    self.problem(&node.path, problem);
                    break;
                }
            };
            members += 1;
            if members > self.limits.items_max {
                let wanted = format!("at most {} members", self.limits.items_max);
                self.problem(
                    &node.path,
                    Problem::new("limit", entry.offset, wanted, "more; they are not read"),
                );
                break;
            }
            let member = self.member(node, &entry.name, entry.facts, &mut names);
            if entry.kind != Kind::File {
                self.not_a_file(&member.path, entry.kind);
                // Its bytes are unpacked all the same.
                budget.left = budget.left.saturating_sub(entry.size_bytes);
            } else if entry.size_bytes <= SMALL_BYTES && entry.size_bytes <= budget.left {
                let mut bytes = Vec::new();
                let mut data = tar.data();
                let read = data.read_to_end(&mut bytes);
                budget.left -= entry.size_bytes;
                gathered_bytes += entry.size_bytes.max(512);
                match read {
                    Ok(_) => gathered.push((member, bytes)),
                    Err(error) => {
                        // What is there is read; that it is not all is told.
                        let at = bytes.len() as u64;
                        let problem =
                            Problem::new(input::kind(&error), at, "a whole member", error.to_string());
                        self.problem(&member.path, problem);
                        gathered.push((member, bytes));
                        break;
                    }
                }
            } else {
                let mut data = tar.data();
                let head = Head::read(&mut data);
                self.archive(&member, head, Box::new(data), None, budget);
            }
            if gathered_bytes >= GATHERED_BYTES_MAX {
                self.gathered(std::mem::take(&mut gathered), budget);
                gathered_bytes = 0;
            }
            if budget.left == 0 {
                self.exhausted(&node.path);
                break;
            }
        }
        self.gathered(gathered, budget);
    }

    fn gathered(&self, members: Vec<(Node, Vec<u8>)>, budget: &mut Budget) {
        let archives: Vec<_> = members
            .into_par_iter()
            .filter_map(|(node, bytes)| {
                let mut reader = Cursor::new(bytes);
                let head = Head::read(&mut reader);
                if sniff(&head.bytes, self.limits).is_archive() {
                    return Some((node, head, reader));
                }
                self.item(&node, head, Box::new(reader), u64::MAX, Pace::Alone);
                None
            })
            .collect();
        for (node, head, reader) in archives {
            self.archive(&node, head, Box::new(reader), None, budget);
        }
    }

    fn not_a_file(&self, path: &str, kind: Kind) {
        let problem = match kind {
            Kind::File | Kind::Folder => return,
            Kind::Link => unplaced("symlink", "a file", "a link, not followed".into()),
            Kind::Device => unplaced("not-a-file", "a file", "a device or pipe".into()),
            Kind::Sparse => {
                unplaced("unsupported-compression", "a file", "a file in pieces (GNU sparse)".into())
            }
            Kind::Other(flag) => unplaced("not-a-file", "a file", format!("a member of type {flag}")),
        };
        self.problem(path, problem);
    }

    /// An image that is a member has a budget of its own size, within that of
    /// what it is in.
    fn nested_image(&self, node: &Node, kind: disk::image::Kind, bytes: Bytes<'_>, budget: &mut Budget) {
        let segments = [bytes];
        let mut own = Budget { left: image::budget(&segments, self.limits).left.min(budget.left) };
        let before = own.left;
        self.image(node, kind, &segments, &mut own);
        budget.left -= before - own.left;
    }

    pub(crate) fn exhausted(&self, path: &str) {
        let wanted = "an archive within the limits of size and ratio";
        self.problem(path, unplaced("limit", wanted, "more; the rest is not read".into()));
    }

    /// The node of a member; a name that leads out of the archive is told.
    fn member(&self, archive: &Node, name: &[u8], facts: FileFacts, names: &mut Names) -> Node {
        let (name, leaves) = path::of_member(name);
        let path = format!("{}{}{}", archive.path, path::MEMBER, names.unique(name));
        if leaves {
            let found = "an absolute path or `..`; read, under this path".into();
            self.problem(&path, unplaced("path-traversal", "a path within the archive", found));
        }
        let nesting = archive.nesting + 1;
        Node { path, root: archive.path.clone(), nesting, facts, folders: None }
    }
}

/// Names given so far in one archive: two members of one name are both kept.
#[derive(Default)]
pub(crate) struct Names {
    /// Hashes only: an archive may have a million long names.
    given: HashMap<u64, u32>,
}

impl Names {
    /// The name, with `#2` and so on behind it when it was given before.
    pub(crate) fn unique(&mut self, name: String) -> String {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let times = self.given.entry(hasher.finish()).or_insert(0);
        *times += 1;
        match *times {
            1 => name,
            times => self.unique(format!("{name}#{times}")),
        }
    }

    /// The same, with `#2` before the ending: what kind of file it was is worth
    /// more than an unbroken name.
    pub(crate) fn unique_before_ending(&mut self, name: String) -> String {
        let given = self.unique(name.clone());
        let Some(mark) = given.strip_prefix(name.as_str()).filter(|mark| !mark.is_empty()) else {
            return given;
        };
        let start = name.rfind('/').map_or(0, |slash| slash + 1);
        match name[start..].find(['.', ':']).filter(|at| *at > 0) {
            Some(_) => {
                let file = &name[start..];
                let end = file.find(':').unwrap_or(file.len());
                let at = start + file[..end].rfind('.').filter(|at| *at > 0).unwrap_or(end);
                self.unique(format!("{}{mark}{}", &name[..at], &name[at..]))
            }
            None => given,
        }
    }
}
