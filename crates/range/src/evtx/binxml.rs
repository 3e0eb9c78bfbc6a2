//! Template definitions as element trees, and their BinXML.

use super::{Body, Field};

/// What stands inside an element or an attribute.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Element(Element),
    Text(String),
    /// Substitution: the slot, its type, and whether a null removes the element.
    Slot {
        slot: u16,
        kind: u8,
        optional: bool,
    },
}

/// An element of a definition.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(&'static str, Content)>,
    pub(super) children: Vec<Content>,
}

impl Element {
    fn new(name: &str, attributes: Vec<(&'static str, Content)>, children: Vec<Content>) -> Self {
        Self { name: name.into(), attributes, children }
    }

    /// Which slot takes the element away when it is null: its only content.
    fn dependency(&self) -> u16 {
        match self.children.as_slice() {
            [Content::Slot { slot, optional: true, .. }] => *slot,
            _ => u16::MAX,
        }
    }
}

/// Where a chunk keeps names; a name stands where it is first used.
pub(super) trait Names {
    /// Writes a name's offset, and the name itself when it is new.
    fn write_name(&mut self, out: &mut Vec<u8>, name: &str);
}

/// The most bytes that a definition of `root` can take.
pub(super) fn size_max(element: &Element) -> usize {
    let name = |name: &str| 4 + 8 + 2 * name.encode_utf16().count() + 2;
    let content = |content: &Content| match content {
        Content::Element(child) => size_max(child),
        Content::Text(text) => 4 + 2 * text.encode_utf16().count(),
        Content::Slot { .. } => 4,
    };
    let attributes: usize =
        element.attributes.iter().map(|(key, value)| 1 + name(key) + content(value)).sum();
    13 + name(&element.name) + attributes + element.children.iter().map(content).sum::<usize>()
}

/// Writes `element`, to the tokens of [MS-EVEN6] 2.2.12.
pub(super) fn write_element(out: &mut Vec<u8>, names: &mut dyn Names, element: &Element) {
    let attributes = &element.attributes;
    out.push(if attributes.is_empty() { 0x01 } else { 0x41 });
    out.extend_from_slice(&element.dependency().to_le_bytes());
    let size_at = reserve_size(out);
    names.write_name(out, &element.name);
    if !attributes.is_empty() {
        let list_at = reserve_size(out);
        for (index, (name, value)) in attributes.iter().enumerate() {
            out.push(if index + 1 < attributes.len() { 0x46 } else { 0x06 });
            names.write_name(out, name);
            write_content(out, names, value);
        }
        fill_size(out, list_at);
    }
    if element.children.is_empty() {
        out.push(0x03);
    } else {
        out.push(0x02);
        element.children.iter().for_each(|child| write_content(out, names, child));
        out.push(0x04);
    }
    fill_size(out, size_at);
}

fn write_content(out: &mut Vec<u8>, names: &mut dyn Names, content: &Content) {
    match content {
        Content::Element(child) => write_element(out, names, child),
        Content::Text(text) => {
            out.extend_from_slice(&[0x05, 0x01]);
            out.extend_from_slice(&(text.encode_utf16().count() as u16).to_le_bytes());
            super::value::write_utf16(out, text);
        }
        Content::Slot { slot, kind, optional } => {
            out.push(if *optional { 0x0e } else { 0x0d });
            out.extend_from_slice(&slot.to_le_bytes());
            out.push(*kind);
        }
    }
}

fn reserve_size(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; 4]);
    out.len()
}

fn fill_size(out: &mut [u8], after: usize) {
    let size = (out.len() - after) as u32;
    out[after - 4..after].copy_from_slice(&size.to_le_bytes());
}

const fn optional(slot: u16, kind: u8) -> Content {
    Content::Slot { slot, kind, optional: true }
}

/// `<Event>` with `<System>` and the slots in the order that Windows uses; the
/// computer is part of the definition, as in logs of the machine itself.
pub(super) fn outer(computer: &str) -> Element {
    let leaf =
        |name: &str, slot, kind| Content::Element(Element::new(name, vec![], vec![optional(slot, kind)]));
    let empty = |name: &str, attributes| Content::Element(Element::new(name, attributes, vec![]));
    let event_id = Element::new("EventID", vec![("Qualifiers", optional(4, 0x06))], vec![optional(3, 0x06)]);
    let computer = Element::new("Computer", vec![], vec![Content::Text(computer.into())]);
    let system = Element::new(
        "System",
        vec![],
        vec![
            empty("Provider", vec![("Name", optional(14, 0x01)), ("Guid", optional(15, 0x0f))]),
            Content::Element(event_id),
            leaf("Version", 11, 0x04),
            leaf("Level", 0, 0x04),
            leaf("Task", 2, 0x06),
            leaf("Opcode", 1, 0x04),
            leaf("Keywords", 5, 0x15),
            empty("TimeCreated", vec![("SystemTime", optional(6, 0x11))]),
            leaf("EventRecordID", 10, 0x0a),
            empty(
                "Correlation",
                vec![("ActivityID", optional(7, 0x0f)), ("RelatedActivityID", optional(13, 0x0f))],
            ),
            empty("Execution", vec![("ProcessID", optional(8, 0x08)), ("ThreadID", optional(9, 0x08))]),
            leaf("Channel", 16, 0x01),
            Content::Element(computer),
            empty("Security", vec![("UserID", optional(12, 0x13))]),
        ],
    );
    let namespace = Content::Text("http://schemas.microsoft.com/win/2004/08/events/event".into());
    Element::new("Event", vec![("xmlns", namespace)], vec![Content::Element(system), optional(17, 0x21)])
}

/// The provider's own part of the event.
pub(super) fn inner(body: &Body) -> Element {
    let slot = |index: usize, field: &Field, optional: bool| Content::Slot {
        slot: index as u16,
        kind: if matches!(field, Field::Null) { 0x01 } else { field.kind() },
        optional,
    };
    match body {
        Body::Named(fields) => {
            let data = fields.iter().enumerate().map(|(index, (name, field))| {
                let name = Content::Text((*name).into());
                Content::Element(Element::new("Data", vec![("Name", name)], vec![slot(index, field, false)]))
            });
            Element::new("EventData", vec![], data.collect())
        }
        Body::Unnamed(_) => {
            let data = Element::new("Data", vec![], vec![optional(0, 0x81)]);
            let binary = Element::new("Binary", vec![], vec![optional(1, 0x0e)]);
            Element::new("EventData", vec![], vec![Content::Element(data), Content::Element(binary)])
        }
        Body::UserData(name, fields) => {
            let children = fields.iter().enumerate().map(|(index, (name, field))| {
                Content::Element(Element::new(name, vec![], vec![slot(index, field, true)]))
            });
            let namespace =
                Content::Text("http://manifests.microsoft.com/win/2004/08/windows/eventlog".into());
            let only = Element::new(name, vec![("xmlns", namespace)], children.collect());
            Element::new("UserData", vec![], vec![Content::Element(only)])
        }
    }
}
