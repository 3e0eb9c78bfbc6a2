//! JSON, read into leaves: one for each value that is no object, with the path
//! of keys that leads to it. Nothing is copied but text with escapes.
//!
//! # Not here
//! What the keys mean. Numbers are not rounded: what is no 64-bit integer
//! stays the text that it is.

use crate::Limits;
use memchr::memchr2;
use model::Value;
use std::ops::Range;

/// Stands between the keys of a path.
pub(crate) const KEY_END: u8 = 0;
/// Stands after each path in [`Object::paths`].
pub(crate) const PATH_END: u8 = 1;

/// Where a leaf's value is.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    /// As it stands in the line.
    Line(Range<usize>),
    /// In [`Object::text`], because escapes had to be undone.
    Text(Range<usize>),
    /// Several values without names: a range of [`Object::members`].
    List(Range<usize>),
}

/// One object as leaves. Kept from record to record for its buffers.
#[derive(Default)]
pub(crate) struct Object {
    /// The paths of all leaves, each ended by [`PATH_END`]: the record's
    /// shape, as bytes.
    pub(crate) paths: Vec<u8>,
    /// One leaf for each path.
    pub(crate) leaves: Vec<Leaf>,
    /// Members of lists.
    pub(crate) members: Vec<Leaf>,
    /// Text whose escapes are undone.
    pub(crate) text: String,
}

impl Object {
    /// The values of the lists' members; [`Object::value`] borrows from them.
    pub(crate) fn members<'a>(&'a self, line: &'a str) -> Vec<Value<'a>> {
        self.members.iter().map(|leaf| self.value(leaf, line, &[])).collect()
    }

    /// A leaf's value.
    pub(crate) fn value<'a>(&'a self, leaf: &Leaf, line: &'a str, members: &'a [Value<'a>]) -> Value<'a> {
        match leaf {
            Leaf::Null => Value::Empty,
            Leaf::Bool(truth) => Value::Bool(*truth),
            Leaf::Int(number) => Value::Int(*number),
            Leaf::UInt(number) => Value::UInt(*number),
            Leaf::Line(range) => Value::Utf8(&line[range.clone()]),
            Leaf::Text(range) => Value::Utf8(&self.text[range.clone()]),
            Leaf::List(range) => members.get(range.clone()).map_or(Value::Empty, Value::List),
        }
    }
}

/// What stands where it should not, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) kind: &'static str,
    pub(crate) wanted: &'static str,
}

/// Reads the object that begins at `at` into `object` and gives where it ends.
pub(crate) fn read(line: &str, at: usize, limits: &Limits, object: &mut Object) -> Result<usize, Fault> {
    object.paths.clear();
    object.leaves.clear();
    object.members.clear();
    object.text.clear();
    let mut parser = Parser { line, at, path: Vec::new(), keys_left: limits.json_keys_max, limits, object };
    parser.object(0)?;
    Ok(parser.at)
}

struct Parser<'a> {
    line: &'a str,
    at: usize,
    /// Keys on the way to here.
    path: Vec<u8>,
    keys_left: usize,
    limits: &'a Limits,
    object: &'a mut Object,
}

impl Parser<'_> {
    fn fault<T>(&self, wanted: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, kind: "bad-record", wanted })
    }

    fn limit<T>(&self, wanted: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, kind: "limit", wanted })
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.line.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8, words: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(wanted) {
            return self.fault(words);
        }
        self.at += 1;
        Ok(())
    }

    fn count(&mut self) -> Result<(), Fault> {
        match self.keys_left.checked_sub(1) {
            Some(left) => {
                self.keys_left = left;
                Ok(())
            }
            None => self.limit("fewer keys in one record"),
        }
    }

    fn object(&mut self, depth: u32) -> Result<(), Fault> {
        if depth >= self.limits.json_depth_max {
            return self.limit("fewer objects within each other");
        }
        self.take(b'{', "{")?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            if depth > 0 {
                self.leaf(Leaf::Null);
            }
            return Ok(());
        }
        loop {
            self.count()?;
            self.peek();
            let key = self.string()?;
            self.take(b':', ":")?;
            let before = self.path.len();
            self.push_key(&key);
            self.value(depth + 1)?;
            self.path.truncate(before);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fault(", or }"),
            }
        }
    }

    fn push_key(&mut self, key: &Leaf) {
        if !self.path.is_empty() {
            self.path.push(KEY_END);
        }
        let text = match key {
            Leaf::Line(range) => &self.line[range.clone()],
            Leaf::Text(range) => &self.object.text[range.clone()],
            _ => "",
        };
        // The two marks cannot be part of a key: they would make two paths one.
        self.path.extend(text.bytes().map(|byte| if byte <= PATH_END { b'?' } else { byte }));
    }

    /// A value under the present path.
    fn value(&mut self, depth: u32) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            _ => {
                let leaf = self.scalar()?;
                self.leaf(leaf);
                Ok(())
            }
        }
    }

    fn leaf(&mut self, leaf: Leaf) {
        self.object.paths.extend_from_slice(&self.path);
        self.object.paths.push(PATH_END);
        self.object.leaves.push(leaf);
    }

    /// Members without names are one list; what members hold with names are
    /// leaves under the array's own path.
    fn array(&mut self, depth: u32) -> Result<(), Fault> {
        if depth >= self.limits.json_depth_max {
            return self.limit("fewer arrays within each other");
        }
        self.take(b'[', "[")?;
        let mut list: Vec<Leaf> = Vec::new();
        let mut named = false;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.count()?;
                match self.peek() {
                    Some(b'{' | b'[') => {
                        named = true;
                        self.value(depth + 1)?;
                    }
                    _ => list.push(self.scalar()?),
                }
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        break;
                    }
                    _ => return self.fault(", or ]"),
                }
            }
        }
        if list.len() == 1 {
            list.drain(..).for_each(|leaf| self.leaf(leaf));
        } else if !list.is_empty() {
            let start = self.object.members.len();
            self.object.members.append(&mut list);
            self.leaf(Leaf::List(start..self.object.members.len()));
        } else if !named {
            self.leaf(Leaf::Null);
        }
        Ok(())
    }

    fn scalar(&mut self) -> Result<Leaf, Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => Ok(self.number()),
            _ => {
                const WORDS: [(&str, Leaf); 3] =
                    [("true", Leaf::Bool(true)), ("false", Leaf::Bool(false)), ("null", Leaf::Null)];
                let rest = &self.line[self.at..];
                match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
                    Some((word, leaf)) => {
                        self.at += word.len();
                        Ok(leaf.clone())
                    }
                    None => self.fault("a value"),
                }
            }
        }
    }

    fn number(&mut self) -> Leaf {
        let start = self.at;
        let rest = self.line.as_bytes()[start..].iter();
        let part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        self.at += rest.take_while(part).count();
        let text = &self.line[start..self.at];
        if let Ok(number) = text.parse() {
            Leaf::UInt(number)
        } else if let Ok(number) = text.parse() {
            Leaf::Int(number)
        } else {
            Leaf::Line(start..self.at)
        }
    }

    /// The string that begins here.
    fn string(&mut self) -> Result<Leaf, Fault> {
        let bytes = self.line.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            return self.fault("\"");
        }
        let start = self.at + 1;
        let begin = self.object.text.len();
        let mut from = start;
        loop {
            let Some(at) = memchr2(b'"', b'\\', &bytes[from..]).map(|at| from + at) else {
                self.at = bytes.len();
                return self.fault("the end of a string");
            };
            if bytes[at] == b'"' {
                self.at = at + 1;
                if begin == self.object.text.len() && from == start {
                    return Ok(Leaf::Line(start..at));
                }
                self.object.text.push_str(&self.line[from..at]);
                return Ok(Leaf::Text(begin..self.object.text.len()));
            }
            self.object.text.push_str(&self.line[from..at]);
            self.at = at;
            from = self.escape()?;
        }
    }

    /// Undoes the escape that begins here; gives where the text goes on.
    fn escape(&mut self) -> Result<usize, Fault> {
        let bytes = self.line.as_bytes();
        let plain = match bytes.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.fault("an escape"),
        };
        self.object.text.push(plain);
        Ok(self.at + 2)
    }

    /// A half of a pair without its other half becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<usize, Fault> {
        let Some(first) = self.unit(self.at) else {
            return self.fault("four hex digits");
        };
        let mut next = self.at + 6;
        let mut units = [first, 0];
        let mut count = 1;
        if (0xd800..0xdc00).contains(&first)
            && let Some(second) = self.unit(next).filter(|unit| (0xdc00..0xe000).contains(unit))
        {
            units[1] = second;
            count = 2;
            next += 6;
        }
        for character in char::decode_utf16(units[..count].iter().copied()) {
            self.object.text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(next)
    }

    /// The value of the `\uXXXX` at `at`.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.line.as_bytes().get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digit = |sum: u32, byte: &u8| Some(sum * 16 + char::from(*byte).to_digit(16)?);
        digits.iter().try_fold(0, digit).and_then(|unit| u16::try_from(unit).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        let mut object = Object::default();
        match read(line, 0, &Limits::default(), &mut object) {
            Err(fault) => format!("{} at {}: {}", fault.kind, fault.at, fault.wanted),
            Ok(_) => {
                let members = object.members(line);
                let paths = object.paths.split(|byte| *byte == PATH_END);
                let leaves = object.leaves.iter().zip(paths).map(|(leaf, path)| {
                    let path = String::from_utf8_lossy(path).replace('\0', ".");
                    format!("{path}={:?}", object.value(leaf, line, &members))
                });
                leaves.collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[track_caller]
    fn check(line: &str, expect: &str) {
        assert_eq!(show(line), expect, "{line}");
    }

    #[test]
    fn values_keep_what_they_are() {
        check(r#"{"a":1,"b":-2,"c":"x"}"#, r#"a=UInt(1) b=Int(-2) c=Utf8("x")"#);
        check(r#"{"a":18446744073709551616,"b":1.50}"#, r#"a=Utf8("18446744073709551616") b=Utf8("1.50")"#);
        check(r#"{ "a" : null , "b" : true }"#, "a=Empty b=Bool(true)");
        check(r#"{"a":{"b":{"c":1}},"d":{}}"#, "a.b.c=UInt(1) d=Empty");
        check(r#"{"a":[1,"x"],"b":[],"c":["y"]}"#, r#"a=List([UInt(1), Utf8("x")]) b=Empty c=Utf8("y")"#);
        check(r#"{"a":[{"b":1},{"b":2},3]}"#, "a.b=UInt(1) a.b=UInt(2) a=UInt(3)");
    }

    #[test]
    fn escapes_are_undone() {
        check(r#"{"a":"x\"\\\/\n\u0041\ud83d\ude00\ud800"}"#, "a=Utf8(\"x\\\"\\\\/\\nA😀\u{fffd}\")");
        check(r#"{"a\u0000b":1}"#, "a?b=UInt(1)");
    }

    #[test]
    fn faults_say_where() {
        check(r#"{"a":1"#, "bad-record at 6: , or }");
        check(r#"{"a"}"#, "bad-record at 4: :");
        check(r#"{"a":"x"#, "bad-record at 7: the end of a string");
        check(r#"{"a":"\q"}"#, "bad-record at 6: an escape");
        check(&r#"{"a":"#.repeat(100), "limit at 160: fewer objects within each other");
        check(&format!("{{\"a\":{}", "[".repeat(100)), "limit at 36: fewer arrays within each other");
    }
}
