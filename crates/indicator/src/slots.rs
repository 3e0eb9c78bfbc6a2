//! What the slots of a shape may hold, by their names; remembered by shape.

use crate::kind::plain_name;
use model::{Shape, Slot};
use std::collections::HashMap;
use std::sync::Arc;

const SHAPES_MAX: usize = 1_024;

/// What is looked for in a slot besides what is looked for everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum Use {
    /// Nothing more.
    #[default]
    Plain,
    /// The whole value is a user agent.
    Agent,
    /// The value is the query of a request.
    Query,
    /// 32 hex digits are an imphash, not an MD5.
    Imphash,
}

impl Use {
    pub(crate) fn of(slot: &Slot) -> Use {
        let mut names = std::iter::once(&slot.name).chain(&slot.aliases).map(|name| plain_name(name));
        names
            .find_map(|name| match name.as_str() {
                "imphash" => Some(Use::Imphash),
                "csuriquery" | "urlquery" | "query" | "querystring" | "uriquery" => Some(Use::Query),
                "clientinfostring" | "useragent" => Some(Use::Agent),
                name if name.contains("useragent") => Some(Use::Agent),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// The uses of the slots of the shapes that a worker met.
#[derive(Default)]
pub(crate) struct Uses {
    // The shape is held, so that its address cannot come to mean another one.
    known: HashMap<usize, (Arc<Shape>, Vec<Use>)>,
}

impl Uses {
    pub(crate) fn of(&mut self, shape: &Arc<Shape>) -> &[Use] {
        let address = Arc::as_ptr(shape) as usize;
        if self.known.len() >= SHAPES_MAX && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let (_, uses) = self
            .known
            .entry(address)
            .or_insert_with(|| (Arc::clone(shape), shape.slots.iter().map(Use::of).collect()));
        uses
    }
}
