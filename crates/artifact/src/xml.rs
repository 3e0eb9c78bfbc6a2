//! XML as a run of elements, for artifacts that are XML.
//!
//! [`walk`] shows each element with the names of those around it, and each
//! text. It goes on after damage: an end that fits no start is
//! told and skipped, markup that cannot be read is told and skipped up to the
//! next `<`.
//!
//! # What it does not do
//! Entities are not expanded but the five of XML and numbers; a reference to
//! another one stays as it is written. Documents it names are not looked at.

use crate::bytes;
use model::{Position, Problem, RecordSink};
use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Elements within each other; what is deeper is not shown.
const DEPTH_MAX: usize = 64;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 64;
/// Places that are no XML, after each of which reading begins anew: one that
/// opens a comment is looked through to the end.
const FAULTS_MAX: usize = 100;
/// Names kept of an element, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// What stands in a document, in order.
pub(crate) enum Part<'a> {
    /// An element begins; it is the last of the names around.
    Start(&'a [(String, String)]),
    /// The last of the names around ends.
    End,
    /// Text, CDATA; in pieces.
    Text(&'a str),
}

/// How the item writes a character.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16,
    /// What is no UTF-8: one byte a character, so that places stay exact.
    Bytes,
}

/// Called with each part: where records go, the names around, the place.
pub(crate) type Visit<'v> = dyn FnMut(&mut dyn RecordSink, &[String], Position, Part<'_>) + 'v;

/// Text in UTF-8, and where its bytes stand in the item.
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    /// Bytes before the text.
    mark: usize,
    encoding: Encoding,
}

impl<'a> Document<'a> {
    /// Reads the bytes as UTF-16LE where they say so, else as UTF-8.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        if let Some(wide) = bytes.strip_prefix(b"\xff\xfe") {
            return Self { text: Cow::Owned(bytes::utf16(wide)), mark: 2, encoding: Encoding::Utf16 };
        }
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        match std::str::from_utf8(&bytes[mark..]) {
            Ok(text) => Self { text: Cow::Borrowed(text), mark, encoding: Encoding::Utf8 },
            Err(_) => {
                let text = Cow::Owned(bytes::latin1(&bytes[mark..]));
                Self { text, mark, encoding: Encoding::Bytes }
            }
        }
    }

    /// The beginning of an item, which may end within a character; `None` when
    /// it cannot be XML.
    pub(crate) fn beginning(head: &'a [u8]) -> Option<Self> {
        let narrow = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if !head.starts_with(b"\xff\xfe<\0") && narrow.first() != Some(&b'<') {
            return None;
        }
        let valid = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), str::len);
        let is_cut = valid > 0 && head.len() - valid < 4;
        Some(Self::new(if is_cut { &head[..valid] } else { head }))
    }

    /// Where `needle` first stands, and the text from there on.
    pub(crate) fn find(&self, needle: &str) -> Option<(Position, &str)> {
        let at = self.text.find(needle)?;
        Some((Places::new(self).of(at), &self.text[at..]))
    }

    /// The first element's start tag, without what stands around it; `None`
    /// when something else than a prolog stands before it.
    pub(crate) fn root(&self) -> Option<&str> {
        let mut rest = self.text.trim_start();
        loop {
            let skip = match rest {
                _ if rest.starts_with("<?") => rest.find("?>")? + 2,
                _ if rest.starts_with("<!--") => rest.find("-->")? + 3,
                // A document type may hold declarations of its own.
                _ if rest.starts_with("<!") => {
                    let end = rest.find(['>', '['])?;
                    if rest[end..].starts_with('[') { rest.find("]>")? + 2 } else { end + 1 }
                }
                _ => break,
            };
            rest = rest.get(skip..)?.trim_start();
        }
        let tag = rest.strip_prefix('<')?;
        Some(tag.split_once('>').map_or(tag, |(tag, _)| tag))
    }
}

/// Whether `tag`, as [`Document::root`] gives it, begins an element `name`.
pub(crate) fn is_element(tag: &str, name: &str) -> bool {
    let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
    tag[..end].rsplit(':').next() == Some(name)
}

/// Offset and line in the item, followed along the text.
struct Places<'a> {
    document: &'a Document<'a>,
    /// Up to here the text was looked at.
    at: usize,
    offset: u64,
    line: u64,
}

impl<'a> Places<'a> {
    fn new(document: &'a Document<'a>) -> Self {
        Self { document, at: 0, offset: document.mark as u64, line: 1 }
    }

    /// The place of byte `at` of the text; asked for in ascending order.
    fn of(&mut self, at: usize) -> Position {
        let passed = self.document.text.get(self.at..at).unwrap_or_default();
        self.offset += match self.document.encoding {
            Encoding::Utf8 => passed.len() as u64,
            Encoding::Utf16 => 2 * passed.encode_utf16().count() as u64,
            Encoding::Bytes => passed.chars().count() as u64,
        };
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.at = self.at.max(at);
        Position { offset: self.offset, line: Some(self.line), ..Position::default() }
    }
}

/// Shows all parts to `visit`, with the names around them (outermost first,
/// without prefix) and their place; problems go to `sink`.
pub(crate) fn walk(document: &Document<'_>, sink: &mut dyn RecordSink, visit: &mut Visit<'_>) {
    let places = Places::new(document);
    let mut walker = Walker { names: Vec::new(), deeper: 0, faults: 0, places, sink, visit };
    let mut from = 0;
    while let Some(rest) = document.text.get(from..).filter(|rest| !rest.is_empty()) {
        if walker.faults >= FAULTS_MAX {
            let place = walker.places.of(from);
            let wanted = format!("at most {FAULTS_MAX} places that are no XML");
            walker.sink.problem(Problem::new("limit", place.offset, wanted, "more; the rest is not read"));
            break;
        }
        from += walker.run(rest, from);
    }
    if let Some(name) = walker.names.last() {
        let place = walker.places.of(document.text.len());
        let wanted = format!("the end of <{name}>");
        walker.sink.problem(Problem::new("truncated", place.offset, wanted, "the end of the file"));
    }
}

struct Walker<'a> {
    names: Vec<String>,
    /// Open elements below [`DEPTH_MAX`].
    deeper: usize,
    /// Places that were no XML.
    faults: usize,
    places: Places<'a>,
    sink: &'a mut dyn RecordSink,
    visit: &'a mut Visit<'a>,
}

impl Walker<'_> {
    /// Walks `rest`, which stands at `from`, to its end or to the first thing
    /// that is no XML; gives how far it came.
    fn run(&mut self, rest: &str, from: usize) -> usize {
        let mut reader = Reader::from_str(rest);
        let config = reader.config_mut();
        // We keep the names ourselves, so as to go on where they do not fit.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        loop {
            let begin = position(&reader);
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let place = self.places.of(from + begin);
                    let found = error.to_string();
                    self.sink.problem(Problem::new("bad-record", place.offset, "XML", found));
                    self.faults += 1;
                    let after = rest.as_bytes().get(begin + 1..).unwrap_or_default();
                    let next = after.iter().position(|byte| *byte == b'<');
                    return next.map_or(rest.len(), |next| begin + 1 + next);
                }
            };
            let place = self.places.of(from + begin);
            match event {
                Event::Eof => return rest.len(),
                Event::Start(start) => self.start(&start, place),
                Event::Empty(start) => {
                    self.start(&start, place);
                    self.end_last(place);
                }
                Event::End(end) => self.end(end.local_name().as_ref(), place),
                Event::Text(text) => self.show(place, Part::Text(&text)),
                Event::CData(text) => self.show(place, Part::Text(&text)),
                Event::GeneralRef(reference) => {
                    let mut buffer = [0; 4];
                    let known = match reference.resolve_char_ref() {
                        Ok(Some(letter)) => Some(&*letter.encode_utf8(&mut buffer)),
                        _ => resolve_predefined_entity(&reference),
                    };
                    let unknown = format!("&{};", &*reference);
                    self.show(place, Part::Text(known.unwrap_or(&unknown)));
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn show(&mut self, place: Position, part: Part<'_>) {
        if self.deeper == 0 {
            (self.visit)(self.sink, &self.names, place, part);
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, place: Position) {
        if self.names.len() >= DEPTH_MAX {
            if self.deeper == 0 {
                let wanted = format!("at most {DEPTH_MAX} elements within each other");
                self.sink.problem(Problem::new("limit", place.offset, wanted, "more"));
            }
            self.deeper += 1;
            return;
        }
        let name = start.local_name();
        let name = name.as_ref();
        self.names.push(name[..name.floor_char_boundary(NAME_BYTES_MAX)].to_owned());
        let mut attributes = Vec::new();
        // Without the check for doubles, which is quadratic; the first one counts.
        for attribute in start.attributes().with_checks(false).take(ATTRIBUTES_MAX) {
            match attribute {
                Ok(attribute) => {
                    let value = unescape(&attribute.value)
                        .map_or_else(|_| attribute.value.to_string(), Cow::into_owned);
                    attributes.push((attribute.key.local_name().as_ref().to_owned(), value));
                }
                Err(error) => {
                    let problem = Problem::new("bad-record", place.offset, "attributes", error.to_string());
                    self.sink.problem(problem);
                    break;
                }
            }
        }
        self.show(place, Part::Start(&attributes));
    }

    fn end_last(&mut self, place: Position) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if !self.names.is_empty() {
            self.show(place, Part::End);
            self.names.pop();
        }
    }

    /// Closes the innermost element of this name and all within it.
    fn end(&mut self, name: &str, place: Position) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
        let Some(depth) = self.names.iter().rposition(|open| open == name) else {
            let problem =
                Problem::new("bad-record", place.offset, "the end of an open element", format!("</{name}>"));
            return self.sink.problem(problem);
        };
        if depth + 1 < self.names.len() {
            let wanted = format!("</{}>", self.names.last().map_or("", String::as_str));
            self.sink.problem(Problem::new("bad-record", place.offset, wanted, format!("</{name}>")));
        }
        while self.names.len() > depth {
            self.end_last(place);
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}
