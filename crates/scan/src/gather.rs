//! Record by record: rules matched, logs counted.
//!
//! What one batch of one item gave is a [`Part`]; the parts of an item are
//! merged in the order in which they stand, so nothing here depends on threads.

use crate::content;
use crate::files::{self, FileRecord, SeenFile};
use crate::keep::Store;
use crate::part::{Gathered, Part, RawFinding, WatchList};
use crate::spill::SpillWriter;
use evidence::{ItemHead, ReadItem, Visitor};
use model::{HostName, LogFamily, Record, RuleFacts};
use std::sync::{Arc, Mutex, PoisonError};

/// One item, read; `gathered` is absent when its format is not known.
pub struct GatheredItem {
    pub item: ReadItem,
    pub gathered: Option<Gathered>,
    pub file: SeenFile,
}

/// Sees every record once.
pub struct Gatherer<'a> {
    engine: &'a sigma::Engine,
    /// Rules over the content of files.
    yara: &'a yara::RuleSet,
    /// What findings say of each rule of the engine.
    rules: Vec<Arc<RuleFacts>>,
    watched: WatchList,
    progress: &'a (dyn Fn(u64, u64) + Sync),
    // Workers hold scratch space and caches that are worth keeping from batch to batch.
    workers: Mutex<Vec<sigma::Worker<'a>>>,
    store: Store,
    items: Mutex<Vec<GatheredItem>>,
}

impl<'a> Gatherer<'a> {
    /// `progress` is called with the bytes and the records just read.
    pub fn new(
        engine: &'a sigma::Engine,
        yara: &'a yara::RuleSet,
        watched: &[casebook::Watched],
        progress: &'a (dyn Fn(u64, u64) + Sync),
    ) -> Self {
        Self {
            engine,
            yara,
            rules: engine.rules().iter().map(|rule| Arc::new(facts(rule))).collect(),
            watched: WatchList::new(watched),
            progress,
            workers: Mutex::default(),
            store: Store::new(engine.rules()),
            items: Mutex::default(),
        }
    }

    /// All items, in no order, and the fields that were put aside.
    pub fn finish(self) -> (Vec<GatheredItem>, SpillWriter) {
        (self.items.into_inner().unwrap_or_else(PoisonError::into_inner), self.store.into_spill())
    }

    fn borrow_worker(&self) -> sigma::Worker<'a> {
        let pooled = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(|| self.engine.worker())
    }

    fn give_back(&self, worker: Option<sigma::Worker<'a>>) {
        if let Some(worker) = worker {
            self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
    }

    fn match_rules(&self, part: &mut Part<'a>, record: &Record<'_>, host: Option<HostName>) {
        let Part { worker: Some(worker), keeper, found, .. } = part else { return };
        let mut is_first = true;
        worker.find_with_slots(record, &mut |rule, matched| {
            if std::mem::take(&mut is_first) {
                keeper.begin(record);
            }
            let known = &self.engine.rules()[rule];
            let (fields, spilled) = keeper.keep(&self.store, record, (rule, known), matched);
            found.push(RawFinding {
                rule: Arc::clone(&self.rules[rule]),
                position: record.position,
                time: record.time,
                host: host.clone(),
                fields,
                spilled,
                is_of_file: record.shape.family == LogFamily::Artifacts && *record.shape.log == *files::LOG,
            });
        });
    }
}

impl<'a> Visitor for Gatherer<'a> {
    type Part = Part<'a>;

    fn start(&self, _head: &ItemHead<'_>) -> Part<'a> {
        Part::new(self.borrow_worker())
    }

    fn record(&self, part: &mut Part<'a>, record: &Record<'_>) {
        let host = part.count(record, &self.watched);
        self.match_rules(part, record, host);
    }

    fn merge(&self, whole: &mut Part<'a>, next: Part<'a>) {
        let (worker, records) = whole.merge(next);
        self.give_back(worker);
        (self.progress)(0, records);
    }

    fn item(&self, mut item: ReadItem, whole: Option<Part<'a>>, content: Option<&[u8]>) {
        let is_log = whole.is_some();
        let mut part = whole.unwrap_or_else(|| Part::new(self.borrow_worker()));
        let file = FileRecord::new(&item);
        self.match_rules(&mut part, &file.record(&file.values()), None);
        let scanned = content.map(|content| content::scan(self.yara, content, &file)).unwrap_or_default();
        part.found.extend(scanned.findings);
        let file = file.into_seen(content.is_some() && !self.yara.is_empty(), scanned.is_telling);
        item.problems.extend(scanned.problem);
        let (worker, gathered) = part.into_gathered();
        self.give_back(worker);
        let found = !gathered.findings.iter().all(Vec::is_empty);
        let gathered = (is_log || found).then_some(gathered);
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.push(GatheredItem { item, gathered, file });
    }

    fn progress(&self, bytes: u64) {
        (self.progress)(bytes, 0);
    }
}

fn facts(rule: &sigma::Rule) -> RuleFacts {
    RuleFacts {
        id: rule.id.clone(),
        title: rule.title.clone(),
        level: rule.level,
        tags: rule.tags.clone(),
        techniques: rule.techniques.clone(),
    }
}
