//! Shapes that many records, batches and items share.
//!
//! Whoever compiles rules per shape keys its cache by the shape's address: one
//! header in forty files must be one shape, not forty.

use model::Shape;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A name for a shape's content, unambiguous: two equal keys mean two equal
/// shapes.
pub(crate) type ShapeKey = Box<[u8]>;

/// Shapes by their key, up to a bound: evidence chooses what keys there are.
pub(crate) struct Shapes {
    known: Mutex<HashMap<ShapeKey, Arc<Shape>>>,
    max: usize,
}

impl Shapes {
    /// Keeps at most `max` shapes.
    pub(crate) fn new(max: usize) -> Self {
        Self { known: Mutex::new(HashMap::new()), max }
    }

    /// The shape of `key`, made by `make` when it is not known. Beyond the
    /// bound it is made and not kept.
    pub(crate) fn get(&self, key: &[u8], make: impl FnOnce() -> Shape) -> Arc<Shape> {
        // A panic elsewhere cannot leave the map half changed.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = known.get(key) {
            return Arc::clone(shape);
        }
        let shape = Arc::new(make());
        if known.len() < self.max {
            known.insert(key.into(), Arc::clone(&shape));
        }
        shape
    }
}

/// The shapes that one batch meets: the shared table is asked once for each.
pub(crate) struct MetShapes<'a> {
    shapes: &'a Shapes,
    met: HashMap<ShapeKey, Arc<Shape>>,
}

impl<'a> MetShapes<'a> {
    /// None met yet.
    pub(crate) fn new(shapes: &'a Shapes) -> Self {
        Self { shapes, met: HashMap::new() }
    }

    /// The shape of `key`, made by `make` when nobody knows it.
    pub(crate) fn get(&mut self, key: &[u8], make: impl FnOnce() -> Shape) -> &Arc<Shape> {
        if !self.met.contains_key(key) {
            self.met.insert(key.into(), self.shapes.get(key, make));
        }
        &self.met[key]
    }
}
