//! Fields of findings, kept on disk: memory must not grow with what they say.
//!
//! One nameless temporary file holds them one behind the other: for each field
//! a byte (1: the rule's own words met it), the length of its name, the name,
//! the length of its text, the text (lengths little endian, four bytes each).
//! Findings remember offset and length, of their fields and of their record.

use model::{Details, FieldStore, Spilled};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::sync::{Mutex, PoisonError};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;
/// Bytes read at once: findings are mostly asked for in the order in which they were put.
const WINDOW_BYTES: u64 = 64 * 1024;
/// Places at which it is read in order at one time: findings and records, by each thread.
const WINDOWS_MAX: usize = 8;

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
        let place = Spilled::new(*end, block.len() as u64);
        *end += block.len() as u64;
        place.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
    }

    /// Ends writing.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub fn into_store(self) -> io::Result<SpillStore> {
        let open = self.file.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file =
            open.map(|(file, _)| file.into_inner().map_err(io::IntoInnerError::into_error)).transpose()?;
        Ok(SpillStore { file, windows: Mutex::default() })
    }
}

/// Gives fields back, to several threads at once.
#[derive(Debug)]
pub struct SpillStore {
    file: Option<File>,
    /// What was read, the latest last.
    windows: Mutex<Vec<Window>>,
}

/// What of the file was read at once.
#[derive(Debug, Default)]
struct Window {
    begin: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn end(&self) -> u64 {
        self.begin + self.bytes.len() as u64
    }

    /// Whether a block at `from` is in it, or a little behind: then it is being read in order.
    fn is_near(&self, from: u64) -> bool {
        self.begin <= from && from <= self.end() + WINDOW_BYTES / 4
    }

    /// The bytes of `place`; read ahead where they are asked for in order.
    fn block(&mut self, file: &File, place: Spilled) -> io::Result<&[u8]> {
        let (from, bytes) = (place.offset(), place.bytes());
        if from < self.begin || from + bytes > self.end() {
            let wanted = if self.is_near(from) { bytes.max(WINDOW_BYTES) } else { bytes };
            self.begin = from;
            self.bytes.resize(wanted as usize, 0);
            let read = read_at(file, &mut self.bytes, from)?;
            self.bytes.truncate(read);
        }
        let from = (from - self.begin) as usize;
        Ok(self.bytes.get(from..from + bytes as usize).ok_or(io::ErrorKind::UnexpectedEof)?)
    }
}

/// Fills `into` with what stands at `at`, as far as the file goes; gives how much that was.
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match read_some_at(file, &mut into[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(unix)]
fn read_some_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_some_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

/// Adds the fields of a block; what is no whole field ends them.
fn parse(mut rest: &[u8], into: &mut Details) {
    let mut field = || {
        let (matched, behind) = rest.split_first()?;
        rest = behind;
        let mut text = || {
            let (length, behind) = rest.split_first_chunk()?;
            let (text, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = behind;
            Some(String::from_utf8_lossy(text))
        };
        into.push(&text()?, &text()?, *matched == 1);
        Some(())
    };
    while field().is_some() {}
}

impl SpillStore {
    fn read_block(&self, place: Spilled, into: &mut Details) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let windows = || self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it is read, so that nobody waits for the disk of another.
        let mut window = {
            let mut windows = windows();
            let near = windows.iter().position(|window| window.is_near(place.offset()));
            let oldest = (windows.len() >= WINDOWS_MAX).then_some(0);
            near.or(oldest).map(|index| windows.remove(index)).unwrap_or_default()
        };
        window.block(file, place).map(|block| parse(block, into))?;
        if window.bytes.len() as u64 <= 2 * WINDOW_BYTES {
            windows().push(window);
        }
        Ok(())
    }
}

impl FieldStore for SpillStore {
    fn read(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        self.read_block(place, into).map_err(|error| format!("fields put aside cannot be read back: {error}"))
    }

    fn read_record(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        self.read(place, into)
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
        let read = |place| {
            let mut details = Details::default();
            store.read(place, &mut details).unwrap();
            let field =
                |field: model::Detail<'_>| (field.name.to_owned(), field.text.to_owned(), field.matched);
            details.iter().map(field).collect::<Vec<_>>()
        };
        let own = |name: &str, text: &str, matched| (name.to_owned(), text.to_owned(), matched);
        // In any order, and again.
        for _ in 0..2 {
            assert_eq!(read(two), [own("c-ip", "192.0.2.1", false)]);
            assert_eq!(read(one), [own("Image", "C:\\x.exe", true), own("Data", "", false)]);
        }
    }

    #[test]
    fn threads_read_at_once() {
        let writer = SpillWriter::new();
        let put = |number: u32| {
            let mut block = Vec::new();
            SpillWriter::add(&mut block, "n", &number.to_string().repeat(number as usize % 50 + 1), false);
            writer.put(&block).unwrap()
        };
        let places: Vec<Spilled> = (0..20_000).map(put).collect();
        let store = writer.into_store().unwrap();
        let check = |order: &mut dyn Iterator<Item = u32>| {
            let mut details = Details::default();
            for number in order {
                details.clear();
                store.read_record(places[number as usize], &mut details).unwrap();
                let text = number.to_string().repeat(number as usize % 50 + 1);
                assert!(details.iter().map(|field| field.text).eq([text]));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| check(&mut (0..20_000)));
            scope.spawn(|| check(&mut (0..20_000).rev()));
            scope.spawn(|| check(&mut (0..20_000).map(|number| number * 7_919 % 20_000)));
        });
    }

    #[test]
    fn nothing_put_is_no_file() {
        let store = SpillWriter::new().into_store().unwrap();
        assert!(store.read(Spilled::new(0, 4).unwrap(), &mut Details::default()).is_err());
    }
}
