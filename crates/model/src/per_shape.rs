//! What is known once for each shape of record.

use crate::Shape;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Something worked out once for each shape, found by the shape's address.
///
/// Each shape that is known is held, so that its address cannot come to mean
/// another one. Evidence may hold as many shapes as it likes: at `max` all are
/// forgotten.
#[derive(Debug)]
pub struct PerShape<T> {
    max: usize,
    known: HashMap<usize, (Arc<Shape>, T), BuildHasherDefault<AddressHasher>>,
}

impl<T> PerShape<T> {
    /// Knows nothing yet, and never more than `max` shapes.
    pub fn new(max: usize) -> Self {
        Self { max, known: HashMap::default() }
    }

    /// What is known of `shape`; `make` works it out.
    pub fn get(&mut self, shape: &Arc<Shape>, make: impl FnOnce(&Shape) -> T) -> &mut T {
        let address = Arc::as_ptr(shape) as usize;
        if self.known.len() >= self.max && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let (_, own) = self.known.entry(address).or_insert_with(|| (Arc::clone(shape), make(shape)));
        own
    }
}

/// Addresses are spread by one multiplication: they are ours, nobody chooses them.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, number: usize) {
        // Addresses are multiples of eight; the table asks the upper bits and the lower ones.
        self.0 = (self.0 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(20);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogFamily;

    #[test]
    fn each_shape_is_worked_out_once_until_there_are_too_many() {
        let shape = |log: &str| Arc::new(Shape::new(LogFamily::Other, log, Vec::new(), false));
        let (one, two, three) = (shape("1"), shape("2"), shape("3"));
        let mut made = Vec::new();
        let mut known: PerShape<String> = PerShape::new(2);
        for shape in [&one, &two, &one, &three, &one] {
            let log = known.get(shape, |shape| {
                made.push(shape.log.to_string());
                shape.log.to_string()
            });
            assert_eq!(**log, *shape.log);
        }
        assert_eq!(made, ["1", "2", "3", "1"]);
        assert_eq!(Arc::strong_count(&two), 1);
    }
}
