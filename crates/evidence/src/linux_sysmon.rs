//! Events of Sysmon for Linux, which writes them as XML into messages of the
//! system's log: their fields, by the names that Sysmon has on Windows.
//!
//! # Not here
//! The frame around a message; XML beyond what Sysmon writes.

use model::Timestamp;
use std::borrow::Cow;

/// Elements of `System` that are told.
const ELEMENTS: [&str; 4] = ["EventID", "EventRecordID", "Channel", "Computer"];

/// A field's name and its text.
pub(crate) type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The fields of the event in `message`; none where `program` is another one
/// or the message holds no event.
pub(crate) fn read<'a>(program: &str, message: &'a str, fields_max: usize) -> Vec<Field<'a>> {
    let mut fields = Vec::new();
    if program != "sysmon" || !message.starts_with("<Event>") {
        return fields;
    }
    let mut rest = message;
    while let Some((tag, after)) = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        rest = after;
        if fields.len() >= fields_max {
            break;
        }
        let text = || after.split('<').next().unwrap_or("");
        if let Some(name) = attribute(tag, "Data", "Name") {
            fields.push((unescape(name), unescape(text())));
        } else if let Some(time) = attribute(tag, "TimeCreated", "SystemTime") {
            fields.push(("TimeCreated".into(), time.into()));
        } else if ELEMENTS.contains(&tag) {
            fields.push((tag.into(), unescape(text())));
        }
    }
    fields
}

/// When the event was written, by its own word, which has year and zone.
pub(crate) fn time(fields: &[Field<'_>]) -> Option<Timestamp> {
    let text = fields.iter().find(|(name, _)| name == "TimeCreated").map(|(_, text)| text)?;
    Timestamp::parse(text).filter(|_| text.ends_with('Z'))
}

/// The value of the only attribute of a tag.
fn attribute<'a>(tag: &'a str, element: &str, name: &str) -> Option<&'a str> {
    let rest = tag.strip_prefix(element)?.strip_prefix(' ')?.strip_prefix(name)?.strip_prefix("=\"")?;
    rest.trim_end_matches('/').strip_suffix('"')
}

fn unescape(text: &str) -> Cow<'_, str> {
    const ENTITIES: [(&str, &str); 5] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let (own, plain) = ENTITIES.iter().find(|(own, _)| entity.starts_with(own)).unwrap_or(&("&", "&"));
        out.push_str(plain);
        rest = &entity[own.len()..];
    }
    Cow::Owned(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expect: &str) {
        let fields = read("sysmon", message, 100);
        let shown: Vec<_> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(shown.join(" | "), expect);
    }

    #[test]
    fn events_have_fields() {
        check(
            "<Event><System><EventID>1</EventID><TimeCreated SystemTime=\"2021-03-04T11:20:05.1Z\"/></System>\
             <EventData><Data Name=\"Image\">/bin/sh</Data><Data Name=\"CommandLine\">a &lt; b &amp;lt; &x</Data>\
             <Data Name=\"User\"></Data></EventData></Event>",
            "EventID=1 | TimeCreated=2021-03-04T11:20:05.1Z | Image=/bin/sh | CommandLine=a < b &lt; &x | User=",
        );
        check("<Event><Data Name=\"open", "");
        check("Sysmon stopped", "");
        assert!(read("other", "<Event><EventID>1</EventID>", 100).is_empty());
        assert_eq!(read("sysmon", "<Event><EventID>1</EventID><Computer>x</Computer>", 1).len(), 1);
    }
}
