//! Lines of `findings.jsonl` and `records.jsonl`, read one by one, and again where something asks for their fields.

use super::{OpenSource, ReadError, Source};
use model::{Details, Field, FieldStore, Spilled};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const FINDINGS: &str = "findings.jsonl";
pub(super) const RECORDS: &str = "records.jsonl";

/// Bytes of one line: a record of 4 MiB, escaped, with room.
const LINE_BYTES_MAX: u64 = (64 << 20) - 1;
/// Lines of one file.
const LINES_MAX: u64 = 20_000_000;
/// Lines are read ahead by so many bytes.
const BUFFER_BYTES: usize = 1 << 16;

/// A line's number, from 1, its text and its place.
type Line<'a> = (u64, &'a [u8], Spilled);

/// A file of lines.
pub(super) struct Lines {
    file: &'static str,
    source: Option<BufReader<Box<dyn Source>>>,
    line: u64,
    offset: u64,
    text: Vec<u8>,
}

impl Lines {
    pub(super) fn of_findings(open: &mut OpenSource<'_>) -> Result<Self, ReadError> {
        let source = open(FINDINGS).map_err(|error| ReadError::of_io(FINDINGS, &error))?;
        Ok(Self::new(FINDINGS, Some(source)))
    }

    /// None where an older version wrote no such file.
    pub(super) fn of_records(open: &mut OpenSource<'_>) -> Result<Self, ReadError> {
        match open(RECORDS) {
            Ok(source) => Ok(Self::new(RECORDS, Some(source))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::new(RECORDS, None)),
            Err(error) => Err(ReadError::of_io(RECORDS, &error)),
        }
    }

    fn new(file: &'static str, source: Option<Box<dyn Source>>) -> Self {
        let source = source.map(|source| BufReader::with_capacity(BUFFER_BYTES, source));
        Self { file, source, line: 0, offset: 0, text: Vec::new() }
    }

    /// The next line; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        let Some(source) = &mut self.source else { return Ok(None) };
        self.text.clear();
        // A long line leaves no room behind that the next ones do not need.
        self.text.shrink_to(BUFFER_BYTES);
        let read = source.take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut self.text);
        let read = read.map_err(|error| ReadError::of_io(self.file, &error))? as u64;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if read > LINE_BYTES_MAX || self.line > LINES_MAX {
            let reason = format!("wanted {LINES_MAX} lines of {LINE_BYTES_MAX} bytes at most, found more");
            return Err(ReadError::new(self.file, Some(self.line), &reason));
        }
        let place = Spilled::new(self.offset, read).ok_or_else(|| {
            ReadError::new(self.file, Some(self.line), "wanted a file of 256 GiB at most, found a longer one")
        })?;
        self.offset += read;
        Ok(Some((self.line, &self.text, place)))
    }

    /// The places of all lines.
    pub(super) fn places(&mut self) -> Result<Vec<Spilled>, ReadError> {
        let mut places = Vec::new();
        while let Some((_, _, place)) = self.next()? {
            places.push(place);
        }
        Ok(places)
    }

    fn into_file(self) -> OpenFile {
        OpenFile { name: self.file, source: Mutex::new(self.source.map(BufReader::into_inner)) }
    }
}

struct OpenFile {
    name: &'static str,
    source: Mutex<Option<Box<dyn Source>>>,
}

impl OpenFile {
    fn read(&self, place: Spilled) -> io::Result<Vec<u8>> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let source = source.as_mut().ok_or(io::ErrorKind::NotFound)?;
        source.seek(SeekFrom::Start(place.offset()))?;
        let mut text = Vec::with_capacity(place.bytes() as usize);
        source.take(place.bytes()).read_to_end(&mut text)?;
        Ok(text)
    }

    /// One line's parts.
    fn parse<T: for<'de> Deserialize<'de>>(&self, place: Spilled) -> Result<T, String> {
        let told = |error: &dyn fmt::Display| format!("{} at byte {}: {error}", self.name, place.offset());
        let text = self.read(place).map_err(|error| told(&error))?;
        serde_json::from_slice(&text).map_err(|error| told(&ReadError::of_json(self.name, &error).reason))
    }
}

/// Gives fields and records from the files themselves.
pub(super) struct FileStore {
    findings: OpenFile,
    records: OpenFile,
}

impl FileStore {
    pub(super) fn new(findings: Lines, records: Lines) -> Self {
        Self { findings: findings.into_file(), records: records.into_file() }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct FieldsPart {
    fields: Fields,
    #[serde(default)]
    matched: Vec<String>,
}

#[derive(Deserialize)]
struct RecordPart {
    fields: Fields,
}

impl FieldStore for FileStore {
    fn read(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        let FieldsPart { fields: Fields(fields), matched } = self.findings.parse(place)?;
        let is_matched = |name: &str| matched.iter().any(|own| own == name);
        fields.iter().for_each(|(name, text)| into.push(name, text, is_matched(name)));
        Ok(())
    }

    fn read_record(&self, place: Spilled, into: &mut Details) -> Result<(), String> {
        let RecordPart { fields: Fields(fields) } = self.records.parse(place)?;
        fields.iter().for_each(|(name, text)| into.push(name, text, false));
        Ok(())
    }
}

/// An object of names and texts in its own order; a name with a list stands once for each text.
struct Fields(Vec<Field>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum Texts {
    One(Arc<str>),
    Many(Vec<Arc<str>>),
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose values are texts or lists of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, texts)) = map.next_entry::<Arc<str>, Texts>()? {
            match texts {
                Texts::One(text) => fields.push((name, text)),
                Texts::Many(texts) => fields.extend(texts.into_iter().map(|text| (Arc::clone(&name), text))),
            }
        }
        Ok(Fields(fields))
    }
}
