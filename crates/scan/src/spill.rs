//! Fields of findings, kept on disk: memory must not grow with what they say.
//!
//! One nameless temporary file holds them one behind the other: for each field
//! a byte (1: the rule's own words met it), the length of its name, the name,
//! the length of its text, the text (lengths little endian, four bytes each).
//! Findings remember offset and length, of their fields and of their record.

use model::{Field, FieldStore, Spilled};
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
/// Bytes read at once: findings are mostly asked for in the order in which they were put.
const WINDOW_BYTES: u64 = 64 * 1024;

/// Takes fields from all threads.
pub struct SpillWriter {
    file: Mutex<Option<(BufWriter<File>, u64)>>,
}

impl SpillWriter {
    /// The file is made with the first fields: most cases need none.
    pub fn new() -> Self {
        Self { file: Mutex::new(None) }
    }

    /// Appends a field to a block that is to be put away.
    pub fn add(block: &mut Vec<u8>, name: &str, text: &str, matched: bool) {
        block.push(u8::from(matched));
        for text in [name, text] {
            block.extend((text.len() as u32).to_le_bytes());
            block.extend(text.as_bytes());
        }
    }

    /// Puts the fields of `block` away.
    ///
    /// # Errors
    /// When the disk is full, say; the fields are better kept in memory then.
    pub fn put(&self, block: &[u8]) -> io::Result<Spilled> {
        let mut open = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, end) = match &mut *open {
            Some(file) => file,
            None => open.insert((BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?), 0)),
        };
        file.write_all(block)?;
        let place = Spilled { offset: *end, bytes: block.len() as u32 };
        *end += block.len() as u64;
        Ok(place)
    }

    /// Ends writing.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub fn into_store(self) -> io::Result<SpillStore> {
        let open = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file =
            open.map(|(file, _)| file.into_inner().map_err(io::IntoInnerError::into_error)).transpose()?;
        Ok(SpillStore { open: Mutex::new(Window { file, begin: 0, bytes: Vec::new() }) })
    }
}

/// Gives fields back.
#[derive(Debug)]
pub struct SpillStore {
    open: Mutex<Window>,
}

/// What of the file was read last.
#[derive(Debug)]
struct Window {
    file: Option<File>,
    begin: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn block(&mut self, place: Spilled) -> io::Result<&[u8]> {
        let (from, to) = (place.offset, place.offset + u64::from(place.bytes));
        if from < self.begin || to > self.begin + self.bytes.len() as u64 {
            let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            self.bytes.clear();
            self.begin = from;
            file.seek(SeekFrom::Start(from))?;
            file.take(WINDOW_BYTES.max(to - from)).read_to_end(&mut self.bytes)?;
        }
        let within = (from - self.begin) as usize..(to - self.begin) as usize;
        Ok(self.bytes.get(within).ok_or(io::ErrorKind::UnexpectedEof)?)
    }
}

impl SpillStore {
    fn read(&self, place: Spilled) -> io::Result<Vec<(Field, bool)>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = open.block(place)?;
        let mut field = || {
            let (matched, behind) = rest.split_first()?;
            rest = behind;
            let mut text = || {
                let (length, behind) = rest.split_first_chunk()?;
                let (text, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                rest = behind;
                Some(Arc::from(String::from_utf8_lossy(text)))
            };
            Some(((text()?, text()?), *matched == 1))
        };
        Ok(std::iter::from_fn(&mut field).collect())
    }
}

impl FieldStore for SpillStore {
    fn load(&self, place: Spilled) -> Result<Vec<(Field, bool)>, String> {
        self.read(place).map_err(|error| format!("fields put aside cannot be read back: {error}"))
    }

    fn load_record(&self, place: Spilled) -> Result<Vec<Field>, String> {
        Ok(self.load(place)?.into_iter().map(|(field, _)| field).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_comes_back() {
        let writer = SpillWriter::new();
        let put = |fields: &[(&str, &str)]| {
            let mut block = Vec::new();
            fields.iter().for_each(|(name, text)| SpillWriter::add(&mut block, name, text, *name == "Image"));
            writer.put(&block).unwrap()
        };
        let one = put(&[("Image", "C:\\x.exe"), ("Data", "")]);
        let two = put(&[("c-ip", "192.0.2.1")]);
        let store = writer.into_store().unwrap();
        assert_eq!(store.load_record(two).unwrap(), [("c-ip".into(), "192.0.2.1".into())]);
        let fields = [(("Image".into(), "C:\\x.exe".into()), true), (("Data".into(), "".into()), false)];
        assert_eq!(store.load(one).unwrap(), fields);
    }

    #[test]
    fn nothing_put_is_no_file() {
        let store = SpillWriter::new().into_store().unwrap();
        assert!(store.load(Spilled { offset: 0, bytes: 4 }).is_err());
    }
}
