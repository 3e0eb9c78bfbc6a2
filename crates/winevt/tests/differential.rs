//! Every value of every record of the real files against the `evtx` library's
//! XML of the same record, in document order.
//!
//! The names are worked out here a second time, from the XML, by the contract
//! and not by the code under test.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

use evtx::{EvtxParser, ParserSettings};
use model::{Problem, Record, RecordSink, Timestamp, Value};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use winevt::{CHUNK_BYTES, ChunkReader, FILE_HEADER_BYTES, is_chunk};

/// A field: its name and its text; the text is `None` when it is absent.
type Fields = Vec<(String, Option<String>)>;

/// Our records of a file by the number in their header.
struct Ours<'f> {
    file: &'f [u8],
    records: BTreeMap<u64, VecDeque<Fields>>,
    last: u64,
    /// Records that are shown with a problem: torn ones, of which the library
    /// makes something else.
    torn: Vec<u64>,
}

impl RecordSink for Ours<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let at = record.position.offset as usize + 8;
        let number = u64::from_le_bytes(self.file[at..at + 8].try_into().unwrap());
        let mut fields = Fields::new();
        for (index, slot) in record.shape.slots.iter().enumerate() {
            match record.value(index) {
                Value::Absent => fields.push((slot.name.to_string(), None)),
                // The library repeats the element for each item.
                Value::List(items) => {
                    fields.extend(items.iter().map(|item| (slot.name.to_string(), Some(item.to_text()))));
                }
                value => fields.push((slot.name.to_string(), Some(value.to_text()))),
            }
        }
        let own = record.field("EventRecordID").to_integer();
        assert_eq!(record.position.record.map(|number| number as i64), own.or(Some(number as i64)));
        if let Some(created) = Timestamp::parse(&record.field("TimeCreated").to_text()) {
            assert_eq!(record.time, Some(created));
        }
        self.last = number;
        self.records.entry(number).or_default().push_back(fields);
    }

    fn problem(&mut self, problem: Problem) {
        if problem.kind == "bad-record" && problem.records_lost == Some(0) {
            self.torn.push(self.last);
        }
    }
}

/// An element of the library's XML.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    has_children: bool,
}

/// The fields that the contract wants for `xml`, in document order.
fn fields_of(xml: &str) -> Fields {
    let mut fields = Fields::new();
    let mut open: Vec<Element> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        if let Some(element) = open.last_mut() {
            element.text.push_str(&rest[..start]);
        }
        let end = start + tag_end(&rest[start..]);
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') {
            continue;
        }
        if tag.starts_with('/') {
            close(&mut open, &mut fields);
            continue;
        }
        if let Some(parent) = open.last_mut() {
            parent.has_children = true;
        }
        let element = element(tag.trim_end_matches('/'));
        attributes(&element, &open, &mut fields);
        open.push(element);
        if tag.ends_with('/') {
            close(&mut open, &mut fields);
        }
    }
    fields
}

/// Where the tag at the start of `text` ends; `>` may stand in an attribute.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return index,
            _ => {}
        }
    }
    text.len() - 1
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    while let Some((attribute, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        attributes.push((attribute.trim().to_owned(), unescape(value)));
        rest = after;
    }
    Element { name: name.to_owned(), attributes, text: String::new(), has_children: false }
}

fn in_system(open: &[Element]) -> bool {
    open.get(1).is_some_and(|element| element.name == "System")
}

fn in_rendering(open: &[Element]) -> bool {
    open.get(1).is_some_and(|element| element.name == "RenderingInfo")
}

fn attributes(element: &Element, open: &[Element], fields: &mut Fields) {
    for (name, value) in &element.attributes {
        let is_field_name = matches!(element.name.as_str(), "Data" | "ComplexData") && name == "Name";
        if name.starts_with("xmlns") || is_field_name {
            continue;
        }
        let slot = match (in_system(open), element.name.as_str(), name.as_str()) {
            (true, "EventID", "Qualifiers") | (true, "Provider", "EventSourceName") => name.clone(),
            (true, "TimeCreated", "SystemTime") => "TimeCreated".to_owned(),
            _ => format!("{}_{name}", element.name),
        };
        fields.push((slot, Some(value.clone())));
    }
}

fn close(open: &mut Vec<Element>, fields: &mut Fields) {
    let element = open.pop().unwrap();
    let is_field = matches!(element.name.as_str(), "Data" | "ComplexData") && !in_system(open);
    let name = element.attributes.iter().find(|(name, _)| name == "Name").map(|(_, value)| value.clone());
    let slot = match name {
        Some(name) if is_field => name,
        _ if in_rendering(open) && element.name != "Message" => format!("RenderingInfo_{}", element.name),
        _ => element.name.clone(),
    };
    let text = unescape(&element.text);
    if !(element.has_children && text.trim().is_empty()) {
        fields.push((slot, Some(text)));
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';').unwrap();
        out.push_str(before);
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#').unwrap();
                let number = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
                    None => number.parse().unwrap(),
                };
                char::from_u32(number).unwrap()
            }
        });
        rest = after;
    }
    out + rest
}

/// The same value, however it is written: times by their instant, GUIDs
/// without regard to case. Control characters cannot stand in XML; the library
/// writes `_` for them, we keep them.
fn same(ours: &str, theirs: &str) -> bool {
    let is_time = |text: &str| text.len() > 18 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let as_xml = |unit: char| if unit < ' ' && !"\t\r\n".contains(unit) { '_' } else { unit };
    ours == theirs
        || (theirs.contains('_') && ours.chars().map(as_xml).eq(theirs.chars()))
        || (ours.starts_with('{') && ours.eq_ignore_ascii_case(theirs))
        || (is_time(ours) && is_time(theirs) && Timestamp::parse(ours) == Timestamp::parse(theirs))
}

fn filled(fields: &Fields) -> Vec<(&str, &str)> {
    let filled = fields.iter().filter_map(|(name, text)| Some((name.as_str(), text.as_deref()?)));
    filled.filter(|(_, text)| !text.is_empty()).collect()
}

/// What differs between our fields and theirs.
fn difference(ours: &Fields, theirs: &Fields) -> Option<String> {
    let (ours_filled, theirs_filled) = (filled(ours), filled(theirs));
    for index in 0..ours_filled.len().max(theirs_filled.len()) {
        let (ours, theirs) = (ours_filled.get(index), theirs_filled.get(index));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours.0 == theirs.0 && same(ours.1, theirs.1) => {}
            _ => return Some(format!("ours {ours:?}, theirs {theirs:?}")),
        }
    }
    // What we call empty is an element of theirs without text.
    let count = |fields: &Fields, wanted: &str| {
        fields.iter().filter(|(name, text)| name == wanted && text.is_some()).count()
    };
    let more = ours.iter().find(|(name, text)| text.is_some() && count(ours, name) > count(theirs, name));
    more.map(|field| format!("ours is there, theirs is not: {field:?}"))
}

fn evtx_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            evtx_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "evtx") {
            files.push(path);
        }
    }
    files.sort();
}

/// Compares all files below `folder`: records compared, and the differences.
fn compare(folder: &Path) -> (u64, Vec<String>) {
    let (mut files, mut differences, mut compared, mut torn) = (Vec::new(), Vec::new(), 0, 0);
    evtx_files(folder, &mut files);
    let mut reader = ChunkReader::new();
    for path in files {
        let file = std::fs::read(&path).unwrap();
        let mut ours = Ours { file: &file, records: BTreeMap::new(), last: 0, torn: Vec::new() };
        for (index, chunk) in
            file.get(FILE_HEADER_BYTES..).unwrap_or_default().chunks(CHUNK_BYTES).enumerate()
        {
            if is_chunk(chunk) {
                reader.read(chunk, (FILE_HEADER_BYTES + index * CHUNK_BYTES) as u64, &mut ours);
            }
        }
        let settings = ParserSettings::default().num_threads(1).indent(false);
        let mut theirs = EvtxParser::from_buffer(file.clone()).unwrap().with_configuration(settings);
        for record in theirs.records() {
            // What the library cannot read, `samples.rs` counts.
            let Ok(record) = record else { continue };
            compared += 1;
            let number = record.event_record_id;
            let name = path.file_name().unwrap().to_string_lossy();
            let Some(mine) = ours.records.get_mut(&number).and_then(VecDeque::pop_front) else {
                differences.push(format!("{name} {number}: not ours"));
                continue;
            };
            if ours.torn.contains(&number) {
                torn += 1;
                continue;
            }
            if let Some(difference) = difference(&mine, &fields_of(&record.data)) {
                differences.push(format!("{name} {number}: {difference}"));
            }
        }
    }
    assert!(torn <= compared / 1_000, "{torn} torn records of {compared}");
    (compared, differences)
}

fn check(folder: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if !path.is_dir() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "../shared/data is missing");
        eprintln!("skipped: ../shared/data is missing");
        return;
    }
    let (compared, differences) = compare(&path);
    assert!(compared > 0);
    let some: Vec<_> = differences.iter().take(20).collect();
    assert!(differences.is_empty(), "{} of {compared} records differ: {some:#?}", differences.len());
}

#[test]
fn attack_samples_as_the_library_reads_them() {
    check("evtx-attack-samples");
}

#[test]
fn parser_samples_as_the_library_reads_them() {
    check("evtx-parser-samples");
}
