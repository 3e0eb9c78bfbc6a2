//! Processing pipelines: rules that were written for other names of fields,
//! logs or values are changed on load into what they mean here.
//!
//! The format is pySigma's YAML: `transformations`, each with the conditions
//! under which it is made (on the rule, on a detection item, on the name of a
//! field). [`load_pipelines`] reads files, [`Pipelines::apply`] changes one [`Target`].
//! Pipelines are applied by `priority`, those of one priority in the order in
//! which they were given.
//!
//! # Not here
//! What concerns written queries (`postprocessing`, `finalizers`,
//! `allowed_backends`): nothing is written here, so it is read over.

mod builtin;
mod conditions;
mod read;
mod transform;
mod values;

pub(crate) use conditions::evaluate;
pub(crate) use read::check_names;

use crate::diagnostic::{Diagnostic, Fault, Place};
use crate::document::{FILE_BYTES_MAX, documents};
use crate::draft::Draft;
use crate::load::RuleText;
use crate::logsource::LogSource;
use conditions::{FieldCondition, ItemCondition, Joined, RuleCondition};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use transform::Transformation;

/// Pipelines, ready to be applied, in their order.
#[derive(Clone, Debug, Default)]
pub struct Pipelines {
    list: Vec<Pipeline>,
    /// SHA-256 over the files that they came from.
    hashes: Vec<[u8; 32]>,
}

/// One pipeline.
#[derive(Clone, Debug)]
struct Pipeline {
    priority: i64,
    vars: BTreeMap<String, Vec<String>>,
    items: Vec<ProcessingItem>,
}

/// One transformation and when it is made.
#[derive(Clone, Debug)]
struct ProcessingItem {
    id: Option<String>,
    transformation: Transformation,
    on_rule: Joined<RuleCondition>,
    on_item: Joined<ItemCondition>,
    on_field: Joined<FieldCondition>,
}

/// A rule on its way through the pipelines.
pub(crate) struct Target {
    pub(crate) logsource: LogSource,
    pub(crate) draft: Draft,
    pub(crate) tags: Vec<String>,
    /// Scalars at the top of the document, as text.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The rule's `fields`.
    pub(crate) fields: Vec<String>,
    /// Names that correlations use, and what they became.
    pub(crate) correlated: BTreeMap<String, Vec<String>>,
    /// Ids of the processing items that were applied.
    applied: BTreeSet<String>,
    state: BTreeMap<String, String>,
}

impl Target {
    pub(crate) fn new(logsource: LogSource, draft: Draft) -> Self {
        Self {
            logsource,
            draft,
            tags: Vec::new(),
            attributes: BTreeMap::new(),
            fields: Vec::new(),
            correlated: BTreeMap::new(),
            applied: BTreeSet::new(),
            state: BTreeMap::new(),
        }
    }
}

/// Reads pipeline files; the name of a built-in one stands for it. One with a
/// fault is left out as a whole, since half of it would change what rules mean.
pub fn load_pipelines<'a>(texts: impl IntoIterator<Item = RuleText<'a>>) -> (Pipelines, Vec<Diagnostic>) {
    let (mut pipelines, mut diagnostics) = (Pipelines::default(), Vec::new());
    for RuleText { file, text } in texts {
        let text = text.trim_start_matches('\u{feff}');
        let mut report = |fault: Fault, place| {
            diagnostics.push(Diagnostic::new(&fault, file, place, None));
        };
        if text.len() > FILE_BYTES_MAX {
            let message = format!("the file has {} bytes, more than {FILE_BYTES_MAX}", text.len());
            report(Fault::new("too-large", message), None);
            continue;
        }
        let documents = documents(text);
        if documents.is_empty() {
            report(Fault::new("pipeline-invalid", "the file holds no pipeline"), None);
        }
        for document in documents {
            let read = match &document.content {
                Ok(content) => read::pipeline(content).map_err(|fault| {
                    let first = Place { line: document.first_line, column: None, width: 0 };
                    let place = document.place_of(&fault.near).unwrap_or(first);
                    (fault, Some(place))
                }),
                Err((fault, place)) => Err((fault.clone(), *place)),
            };
            match read {
                Ok(pipeline) => {
                    pipelines.list.push(pipeline);
                    pipelines.hashes.push(Sha256::digest(document.body().as_bytes()).into());
                }
                Err((fault, place)) => report(fault, place),
            }
        }
    }
    pipelines.list.sort_by_key(|pipeline| pipeline.priority);
    (pipelines, diagnostics)
}

/// The built-in pipelines for rules in the names of ECS.
pub(crate) fn ecs() -> &'static Pipelines {
    static ECS: OnceLock<Pipelines> = OnceLock::new();
    ECS.get_or_init(|| {
        let texts = builtin::TEXTS.iter().filter(|(name, _)| builtin::ECS.contains(name));
        load_pipelines(texts.map(|(file, text)| RuleText { file, text })).0
    })
}

/// The text of a built-in pipeline.
pub fn builtin_pipeline(name: &str) -> Option<&'static str> {
    builtin::TEXTS.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
}

/// The names of the built-in pipelines.
pub fn builtin_pipelines() -> impl Iterator<Item = &'static str> {
    builtin::TEXTS.iter().map(|(name, _)| *name)
}

impl Pipelines {
    /// What tells these pipelines from others.
    pub(crate) fn hashes(&self) -> &[[u8; 32]] {
        &self.hashes
    }

    /// Changes `target`, one processing item after the other.
    ///
    /// # Errors
    /// A pipeline refuses the rule, or makes of it what is no rule.
    pub(crate) fn apply(&self, target: &mut Target) -> Result<(), Fault> {
        for pipeline in &self.list {
            for item in &pipeline.items {
                item.apply(target, pipeline, 0)?;
            }
        }
        Ok(())
    }
}

impl ProcessingItem {
    /// Applies itself where its rule conditions hold.
    fn apply(&self, target: &mut Target, pipeline: &Pipeline, depth: usize) -> Result<(), Fault> {
        if !self.on_rule.holds(|condition| condition.holds(target)) {
            return Ok(());
        }
        let made = self.transform(target, pipeline, depth)?;
        if made && let Some(id) = &self.id {
            target.applied.insert(id.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
