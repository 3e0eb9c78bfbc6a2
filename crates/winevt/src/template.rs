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

/// All templates that a reader has met.
#[derive(Default)]
pub(crate) struct Templates {
    ids: HashMap<Arc<[u8]>, u32>,
    forms: Vec<Arc<[u8]>>,
    bytes: usize,
    /// This chunk's definitions by offset; a broken one stays broken.
    by_offset: HashMap<u32, Result<u32, Broken>>,
    chunk_bytes: usize,
    scratch: CanonWriter,
}

impl Templates {
    /// Forgets the offsets of the last chunk.
    pub(crate) fn begin_chunk(&mut self) {
        self.by_offset.clear();
        self.chunk_bytes = 0;
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
        let found = self.read(chunk, offset);
        self.by_offset.insert(offset, found);
        found
    }

    fn read(&mut self, chunk: &[u8], offset: u32) -> Result<u32, Broken> {
        let start = offset as usize;
        if self.chunk_bytes > CHUNK_BYTES_MAX {
            return Err(Broken::limit(start, "at most 2 MiB of definitions in a chunk", self.chunk_bytes));
        }
        let mut cursor = Cursor::new(chunk, start, chunk.len());
        cursor.take(HEADER_BYTES - 4, "a template definition")?;
        let size = cursor.u32("a definition's size")? as usize;
        if size > cursor.left() {
            return Err(Broken::new(cursor.at() - 4, "a definition that ends in its chunk", size as u64));
        }
        self.scratch.clear();
        let mut window = Cursor::new(chunk, cursor.at(), cursor.at() + size);
        let walked = walk(chunk, &mut window, &mut DefinitionEncoder { out: &mut self.scratch });
        self.chunk_bytes += self.scratch.len() + HEADER_BYTES + window.at() - cursor.at();
        // The encoder does not know where it stands; the cursor does.
        walked.map_err(|broken| Broken { at: broken.at.max(start), ..broken })?;
        Ok(self.id())
    }

    fn id(&mut self) -> u32 {
        let form = self.scratch.bytes();
        if let Some(id) = self.ids.get(form) {
            return *id;
        }
        let id = self.forms.len() as u32;
        let form: Arc<[u8]> = form.into();
        self.bytes += form.len();
        self.forms.push(Arc::clone(&form));
        self.ids.insert(form, id);
        id
    }
}
