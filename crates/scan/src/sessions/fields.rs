//! Fields of records by their names, looked up once for each shape.

use model::{PerShape, Record, Shape, Value};

/// Shapes remembered in one part.
const SHAPES_MAX: usize = 512;

/// Where the fields of one list of names stand in the shapes that were met.
pub struct Fields {
    names: &'static [&'static str],
    slots: PerShape<Vec<Vec<u32>>>,
}

impl Fields {
    /// Knows no shape yet.
    pub fn new(names: &'static [&'static str]) -> Self {
        Self { names, slots: PerShape::new(SHAPES_MAX) }
    }

    /// The fields of one record.
    pub fn of<'f, 'r>(&'f mut self, record: &'f Record<'r>) -> FieldsOf<'f, 'r> {
        let answering = |shape: &Shape, name: &&str| {
            let slots = (0..).zip(&shape.slots).filter(|(_, slot)| slot.answers(name, shape.fold_case));
            slots.map(|(index, _)| index).collect()
        };
        let names = self.names;
        let slots =
            self.slots.get(record.shape, |shape| names.iter().map(|name| answering(shape, name)).collect());
        FieldsOf { names, slots, record }
    }
}

/// The fields of one record.
pub struct FieldsOf<'f, 'r> {
    names: &'static [&'static str],
    slots: &'f [Vec<u32>],
    record: &'f Record<'r>,
}

impl<'r> FieldsOf<'_, 'r> {
    /// As [`Record::field`]; a name that is not of the list is absent.
    pub fn value(&self, name: &str) -> Value<'r> {
        let Some(index) = self.names.iter().position(|own| *own == name) else { return Value::Absent };
        let values = self.slots[index].iter().map(|slot| self.record.value(*slot as usize));
        values.into_iter().find(Value::is_present).unwrap_or(Value::Absent)
    }
}
