//! The shape of a record, and the record itself.

use crate::{Position, Problem, Timestamp, Value};
use std::sync::Arc;

/// The family of logs a shape belongs to; log sources of rules are told apart
/// by family first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LogFamily {
    /// Windows events, from EVTX or JSON; told apart by channel and EventID.
    WindowsEvents,
    /// Web server access logs (IIS W3C).
    WebServer,
    /// Exchange's own text logs; told apart by [`Shape::log`].
    Exchange,
    /// What Linux hosts write (syslog, auditd, the journal); told apart by
    /// [`Shape::log`].
    Linux,
    /// What stands on a disk and is no log (files, $MFT entries, registry
    /// values, prefetch, tasks, IIS configuration); told apart by
    /// [`Shape::log`].
    Artifacts,
    /// What tenants of Microsoft's cloud log; told apart by [`Shape::log`].
    Cloud,
    /// Records of another kind, with names but no known log.
    Other,
}

/// What a slot is for readers that must know (time line, dispatch), whatever
/// the format calls it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Windows: the event's own channel.
    Channel,
    /// Windows: the event's provider name.
    Provider,
    /// Windows: the event's number.
    EventId,
    /// The host that wrote the record, by its own word.
    Host,
}

const ROLES: usize = 4;

/// Where readers push what they read (see ripgrep's `Sink` for why push, not
/// pull: the record may borrow from the reader's buffers).
pub trait RecordSink {
    /// Called for each record, in the order in which it stands in the item.
    fn record(&mut self, record: &Record<'_>);
    /// Called for each record that its log no longer holds and that was found
    /// in the log's free space. It may be one that is shown live elsewhere.
    fn carved(&mut self, _record: &Record<'_>) {}
    /// Asked before records of `shape` are split. `text` is whole lines; of those
    /// that are plain ASCII, and records, the values stand in them as they are.
    /// Adds to `marks`, in no order, a place in each line that must be shown
    /// whole, and returns the slots that are wanted of the others
    /// ([`RecordSink::count`]); `None` when all are to be shown whole.
    fn mark(&mut self, _shape: &Arc<Shape>, _text: &[u8], _marks: &mut Vec<u32>) -> Option<Arc<[u32]>> {
        None
    }
    /// Called instead of [`RecordSink::record`] for a record of a line without a
    /// mark: slots that are not wanted are absent.
    fn count(&mut self, record: &Record<'_>) {
        self.record(record);
    }
    /// Called for each thing that could not be read.
    fn problem(&mut self, problem: Problem);
}

/// One named place in a shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The field's name as the format writes it; unnamed EVTX `<Data>` is
    /// `Data`. Several slots may have one name: a rule's item on that name
    /// holds when any of them matches.
    pub name: Box<str>,
    /// Other names that this slot answers to (a name without its blanks, the
    /// EVTX name of a field that a JSON log calls otherwise).
    pub aliases: Vec<Box<str>>,
    /// The text of a slot whose value is written into the template itself.
    pub literal: Option<Box<str>>,
}

impl Slot {
    /// A slot with a name only; a name with blanks also answers without them.
    pub fn new(name: &str) -> Self {
        let aliases = if name.contains(' ') { vec![name.replace(' ', "").into()] } else { Vec::new() };
        Self { name: name.into(), aliases, literal: None }
    }

    /// Whether the slot answers to `field`; text logs fold ASCII case.
    pub fn answers(&self, field: &str, fold_case: bool) -> bool {
        let same = |name: &str| if fold_case { name.eq_ignore_ascii_case(field) } else { name == field };
        same(&self.name) || self.aliases.iter().any(|alias| same(alias))
    }
}

/// A list of named slots, shared by all records of one template, one `#Fields`
/// line, one header or one set of JSON keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The family that log sources are told apart by.
    pub family: LogFamily,
    /// For text logs the log's slug (`httpproxy`, `ecp-server`, `iis`, …);
    /// empty for Windows events, which name their channel themselves.
    pub log: Box<str>,
    /// The slots, in the order of [`Record::values`].
    pub slots: Vec<Slot>,
    /// Whether names are compared without regard to ASCII case (text logs:
    /// `ClientIpAddress` and `ClientIPAddress` are one).
    pub fold_case: bool,
    roles: [Option<u16>; ROLES],
}

impl Shape {
    /// A shape over `slots`.
    pub fn new(family: LogFamily, log: &str, slots: Vec<Slot>, fold_case: bool) -> Self {
        Self { family, log: log.into(), slots, fold_case, roles: [None; ROLES] }
    }

    /// Says which slot plays `role`. Slots beyond 65,535 cannot.
    #[must_use]
    pub fn with_role(mut self, role: Role, slot: usize) -> Self {
        self.roles[role as usize] = u16::try_from(slot).ok();
        self
    }

    /// The slot that plays `role`.
    pub fn role(&self, role: Role) -> Option<usize> {
        self.roles[role as usize].map(usize::from)
    }

    /// The first slot that answers to `field`.
    pub fn slot(&self, field: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.answers(field, self.fold_case))
    }
}

/// One record, borrowed from the batch it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its shape; the same `Arc` for all records of one shape of one batch, so
    /// that its address can key a cache.
    pub shape: &'a Arc<Shape>,
    /// One value for each slot of the shape.
    pub values: &'a [Value<'a>],
    /// Where it stands in its item.
    pub position: Position,
    /// When it was written, by its own word; absent when it does not say.
    pub time: Option<Timestamp>,
}

impl<'a> Record<'a> {
    /// The value of slot `index`; literals are resolved; a slot that is not
    /// there is absent.
    pub fn value(&self, index: usize) -> Value<'a> {
        match self.values.get(index) {
            Some(Value::Literal) => {
                self.shape.slots[index].literal.as_deref().map_or(Value::Empty, Value::Utf8)
            }
            Some(value) => *value,
            None => Value::Absent,
        }
    }

    /// The value of the slot that plays `role`.
    pub fn role(&self, role: Role) -> Value<'a> {
        self.shape.role(role).map_or(Value::Absent, |index| self.value(index))
    }

    /// The value of the first slot that answers to `field` and is present.
    /// For single look-ups; detectors resolve names once per shape.
    pub fn field(&self, field: &str) -> Value<'a> {
        let slots = self.shape.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.answers(field, self.shape.fold_case))
            .map(|(index, _)| self.value(index))
            .find(Value::is_present)
            .unwrap_or(Value::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_case() {
        let slot = Slot::new("Threat Name");
        assert!(slot.answers("ThreatName", false));
        assert!(slot.answers("Threat Name", false));
        assert!(!slot.answers("threatname", false));
        assert!(slot.answers("threatname", true));
    }

    #[test]
    fn literals_come_from_the_shape() {
        let mut provider = Slot::new("Provider_Name");
        provider.literal = Some("Example-Provider".into());
        let shape = Arc::new(
            Shape::new(LogFamily::WindowsEvents, "", vec![provider], false).with_role(Role::Provider, 0),
        );
        let record =
            Record { shape: &shape, values: &[Value::Literal], position: Position::default(), time: None };
        assert_eq!(record.role(Role::Provider).to_text(), "Example-Provider");
        assert_eq!(record.field("Nothing"), Value::Absent);
    }
}
