//! Template definitions, found by their offset in the chunk and kept by their
//! canonical form across chunks and files.

use crate::canon::{CanonWriter, DefinitionEncoder};
use crate::tokens::walk;
use crate::wire::{Broken, Cursor};
use std::collections::HashMap;
use std::sync::Arc;

/// Templates kept. A whole Windows installation has some thousands.
const TEMPLATES_MAX: usize = 16_384;
/// Bytes of templates kept, in canonical form.
const TEMPLATES_BYTES_MAX: usize = 8 << 20;
/// Bytes of definitions read in one chunk, on the wire and in canonical form.
/// A whole chunk has 64 KiB; hostile definitions overlap one another.
const CHUNK_BYTES_MAX: usize = 2 << 20;
/// Next definition's offset, GUID, size of the data.
const HEADER_BYTES: usize = 24;

/// The definition that an id stands for.
struct Named {
    guid: [u8; 16],
    form: Arc<[u8]>,
    /// Whether two definitions go by this id: then it tells nothing.
    is_ambiguous: bool,
}

/// All templates that a reader has met.
#[derive(Default)]
pub(crate) struct Templates {
    ids: HashMap<Arc<[u8]>, u32>,
    forms: Vec<Arc<[u8]>>,
    bytes: usize,
    /// This chunk's definitions by offset; a broken one stays broken.
    by_offset: HashMap<u32, Result<u32, Broken>>,
    /// The same of definitions that carved records refer to.
    left_by_offset: HashMap<u32, Result<u32, Broken>>,
    /// Definitions of this run of chunks by their id; see [`Templates::left_at`].
    named: HashMap<u32, Named>,
    chunk_bytes: usize,
    scratch: CanonWriter,
}

impl Templates {
    /// Forgets the offsets of the last chunk.
    pub(crate) fn begin_chunk(&mut self) {
        self.by_offset.clear();
        self.left_by_offset.clear();
        self.chunk_bytes = 0;
    }

    /// Forgets what ids stand for: another run of chunks begins.
    pub(crate) fn begin_run(&mut self) {
        self.named.clear();
    }

    /// No template, but what ids stand for is kept: what a carved record gives
    /// must not depend on what was read before its run of chunks.
    pub(crate) fn emptied(&mut self) -> Self {
        Self { named: std::mem::take(&mut self.named), ..Self::default() }
    }

    /// Whether so many are kept that all should be forgotten.
    pub(crate) fn is_full(&self) -> bool {
        self.forms.len() >= TEMPLATES_MAX || self.bytes >= TEMPLATES_BYTES_MAX
    }

    /// The canonical form of template `id`.
    pub(crate) fn form(&self, id: u32) -> &[u8] {
        self.forms.get(id as usize).map_or(&[], |form| form)
    }

    /// The id of the template defined at `offset` of `chunk`.
    ///
    /// # Errors
    /// When what stands there is no definition, or more than our limits allow.
    pub(crate) fn at(&mut self, chunk: &[u8], offset: u32) -> Result<u32, Broken> {
        if let Some(known) = self.by_offset.get(&offset) {
            return *known;
        }
        let found = self.read(chunk, offset, false);
        self.by_offset.insert(offset, found);
        found
    }

    /// The same for a record that is older than the chunk around it, made of
    /// template `id`: the first four bytes of the definition's GUID. What the
    /// record points to may be written over, so the definition there must bear
    /// the id, and its names must have their hashes. Else the one definition of
    /// this id in the same run of chunks serves.
    ///
    /// # Errors
    /// As [`Templates::at`], and when there is no such definition.
    pub(crate) fn left_at(&mut self, chunk: &[u8], offset: u32, id: u32) -> Result<u32, Broken> {
        let found = self.left_where_it_points(chunk, offset, id);
        let named = || self.named.get(&id).filter(|named| !named.is_ambiguous);
        match (found, found.is_err().then(named).flatten()) {
            (Err(_), Some(named)) => {
                let form = Arc::clone(&named.form);
                Ok(self.id_of(&form))
            }
            (found, _) => found,
        }
    }

    fn left_where_it_points(&mut self, chunk: &[u8], offset: u32, id: u32) -> Result<u32, Broken> {
        let start = offset as usize;
        let guid = Cursor::new(chunk, start.saturating_add(4), chunk.len()).u32("a definition's GUID")?;
        if guid != id {
            return Err(Broken::new(start, "the definition that the record was made of", u64::from(guid)));
        }
        if let Some(known) = self.left_by_offset.get(&offset) {
            return *known;
        }
        let found = self.read(chunk, offset, true);
        self.left_by_offset.insert(offset, found);
        found
    }

    /// Reads the definition at `offset`; `must_hold`: only when its names do.
    fn read(&mut self, chunk: &[u8], offset: u32, must_hold: bool) -> Result<u32, Broken> {
        let start = offset as usize;
        if self.chunk_bytes > CHUNK_BYTES_MAX {
            return Err(Broken::limit(start, "at most 2 MiB of definitions in a chunk", self.chunk_bytes));
        }
        let mut cursor = Cursor::new(chunk, start, chunk.len());
        cursor.take(4, "a template definition")?;
        let guid = cursor.take(16, "a definition's GUID")?.first_chunk().copied().unwrap_or_default();
        let size = cursor.u32("a definition's size")? as usize;
        if size > cursor.left() {
            return Err(Broken::new(cursor.at() - 4, "a definition that ends in its chunk", size as u64));
        }
        let body = Cursor::new(chunk, cursor.at(), cursor.at() + size);
        let (mut walked, mut end) = self.encode(chunk, body, true);
        let names_hold = walked.is_ok();
        if !names_hold && !must_hold {
            (walked, end) = self.encode(chunk, body, false);
        }
        self.chunk_bytes += self.scratch.len() + HEADER_BYTES + end - cursor.at();
        // The encoder does not know where it stands; the cursor does.
        walked.map_err(|broken| Broken { at: broken.at.max(start), ..broken })?;
        let form = match self.ids.get_key_value(self.scratch.bytes()) {
            Some((form, _)) => Arc::clone(form),
            None => self.scratch.bytes().into(),
        };
        if names_hold {
            self.name(guid, &form);
        }
        Ok(self.id_of(&form))
    }

    /// The canonical form of a definition's `body`, and where it ended.
    fn encode<'a>(
        &mut self,
        chunk: &'a [u8],
        mut body: Cursor<'a>,
        checks_names: bool,
    ) -> (Result<(), Broken>, usize) {
        self.scratch.clear();
        let walked = walk(chunk, &mut body, &mut DefinitionEncoder { out: &mut self.scratch, checks_names });
        (walked, body.at())
    }

    /// Notes what the id in `guid` stands for.
    fn name(&mut self, guid: [u8; 16], form: &Arc<[u8]>) {
        let id = u32::from_le_bytes([guid[0], guid[1], guid[2], guid[3]]);
        let new = || Named { guid, form: Arc::clone(form), is_ambiguous: false };
        let named = self.named.entry(id).or_insert_with(new);
        named.is_ambiguous |= named.guid != guid || named.form != *form;
    }

    fn id_of(&mut self, form: &Arc<[u8]>) -> u32 {
        if let Some(id) = self.ids.get(form) {
            return *id;
        }
        let id = self.forms.len() as u32;
        self.bytes += form.len();
        self.forms.push(Arc::clone(form));
        self.ids.insert(Arc::clone(form), id);
        id
    }
}
