//! Members of 7z archives, which come one after another: small ones are
//! gathered and read side by side, big ones spooled and read at once.

use super::{GATHERED_BYTES_MAX, Names};
use crate::Visitor;
use crate::archive::seven_zip::{self, Member, Next, SevenZip};
use crate::bytes::Bytes;
use crate::input::Head;
use crate::read::{Budget, Node, Reading, SMALL_BYTES, unplaced};
use std::io::{self, Cursor, Read};

impl<V: Visitor> Reading<'_, V> {
    /// Reads all members of the archive at `node`.
    pub(super) fn seven_zip(&self, node: &Node, bytes: &Bytes<'_>, budget: &mut Budget) {
        let mut archive = match SevenZip::list(bytes) {
            Ok(archive) => archive,
            Err(problem) => return self.problem(&node.path, problem),
        };
        if archive.len() > self.limits.items_max {
            let wanted = format!("at most {} members", self.limits.items_max);
            self.problem(&node.path, unplaced("limit", &wanted, "more; they are not read".into()));
        }
        let mut members = Members {
            reading: self,
            archive: node,
            budget,
            names: Names::default(),
            gathered: Vec::new(),
            gathered_bytes: 0,
            left: self.limits.items_max,
        };
        let problems = archive.each(self.limits, &mut |member, reader| members.take(&member, reader));
        members.read_gathered();
        problems.into_iter().for_each(|problem| self.problem(&node.path, problem));
    }
}

/// Takes members as they are unpacked.
struct Members<'a, 'r, V> {
    reading: &'a Reading<'r, V>,
    archive: &'a Node,
    budget: &'a mut Budget,
    names: Names,
    gathered: Vec<(Node, Vec<u8>)>,
    gathered_bytes: u64,
    /// How many members may still come.
    left: usize,
}

impl<V: Visitor> Members<'_, '_, V> {
    fn take(&mut self, member: &Member<'_>, reader: &mut dyn Read) -> Next {
        if self.left == 0 {
            return Next::End;
        }
        self.left -= 1;
        let (name, facts) = (member.name.as_bytes(), member.facts.clone());
        let node = self.reading.member(self.archive, name, facts, &mut self.names);
        if member.is_link {
            let problem = unplaced("symlink", "a file", "a link, not followed".into());
            self.reading.problem(&node.path, problem);
        }
        if member.is_link || member.is_folder {
            // Its bytes are unpacked all the same.
            let left = self.budget.left.checked_sub(member.size_bytes);
            self.budget.left = left.unwrap_or(0);
            return if left.is_some() { Next::Member } else { self.exhausted() };
        }
        if self.budget.left == 0 {
            return self.exhausted();
        }
        // What is there is read; that it is not all is told. One byte more than
        // allowed tells that there is more.
        let mut reader = UntilError { inner: reader, error: None };
        let bytes_max = self.budget.left.min(self.reading.limits.item_bytes_max);
        let mut bounded = reader.by_ref().take(bytes_max.saturating_add(1));
        self.read(node.clone(), &mut bounded);
        if bounded.limit() == 0 {
            // What is left of it is not even unpacked.
            return self.exhausted();
        }
        let Some(error) = reader.error else { return Next::Member };
        let problem = unplaced(seven_zip::kind(&error), "a whole member", error.to_string());
        self.reading.problem(&node.path, problem);
        Next::Block
    }

    fn read(&mut self, node: Node, reader: &mut dyn Read) {
        let mut begin = Vec::new();
        let read = (&mut *reader).take(SMALL_BYTES + 1).read_to_end(&mut begin);
        let size = begin.len() as u64;
        if read.is_ok() && size <= SMALL_BYTES && size <= self.budget.left {
            self.budget.left -= size;
            self.gathered_bytes += size.max(512);
            self.gathered.push((node, begin));
            if self.gathered_bytes >= GATHERED_BYTES_MAX {
                self.read_gathered();
            }
            return;
        }
        match Bytes::spool(&mut Cursor::new(begin).chain(reader), self.reading.limits) {
            Ok(bytes) => {
                let mut whole = bytes.range(0, bytes.len());
                let head = Head::read(&mut whole);
                self.reading.archive(&node, head, Box::new(whole), Some(bytes), self.budget);
            }
            Err(error) => {
                let problem = unplaced("unreadable", "a place for a big member", error.to_string());
                self.reading.problem(&node.path, problem);
            }
        }
    }

    fn exhausted(&self) -> Next {
        self.reading.exhausted(&self.archive.path);
        Next::End
    }

    fn read_gathered(&mut self) {
        self.gathered_bytes = 0;
        self.reading.gathered(std::mem::take(&mut self.gathered), self.budget);
    }
}

/// Ends where its reader fails, and keeps the error.
struct UntilError<R> {
    inner: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for UntilError<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.error.is_some() {
            return Ok(0);
        }
        match self.inner.read(into) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Ok(0)
            }
            other => other,
        }
    }
}
