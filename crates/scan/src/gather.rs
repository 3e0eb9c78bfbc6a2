//! Record by record: rules matched, logs counted.
//!
//! What one batch of one item gave is a [`Part`]; the parts of an item are
//! merged in the order in which they stand, so nothing here depends on threads.

use crate::Input;
use crate::content;
use crate::context::{self, Memory};
use crate::files::{self, FileRecord, SeenFile};
use crate::indicators::{Hits, Indicators, Seen};
use crate::keep::{Kept, Store, Wish};
use crate::part::{Gathered, Part, RawFinding, WatchList, Workers};
use crate::sessions::{self, Fields, Starts, StartsWriter};
use crate::spill::SpillWriter;
use crate::standing;
use evidence::{Beginning, ItemHead, Kind, ReadItem, Visitor, WantedHashes};
use model::{HostName, LogFamily, Record, RuleFacts, Shape};
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
    /// For each rule, what of its findings stays in memory.
    memory: Vec<Memory>,
    indicators: Option<Indicators<'a>>,
    watched: WatchList,
    progress: &'a (dyn Fn(u64, u64) + Sync),
    // Workers hold scratch space and caches that are worth keeping from batch to batch.
    workers: Mutex<Vec<Workers<'a>>>,
    store: Store,
    starts: StartsWriter,
    items: Mutex<Vec<GatheredItem>>,
}

impl<'a> Gatherer<'a> {
    pub fn new(input: &Input<'a>) -> Self {
        let engine = input.engine;
        Self {
            engine,
            yara: input.yara,
            rules: engine.rules().iter().map(|rule| Arc::new(facts(rule))).collect(),
            memory: engine.rules().iter().map(context::memory).collect(),
            indicators: input.indicators.map(Indicators::new),
            watched: WatchList::new(input.watched),
            progress: input.progress,
            workers: Mutex::default(),
            store: Store::new(),
            starts: StartsWriter::default(),
            items: Mutex::default(),
        }
    }

    /// All items, in no order, the fields that were put aside, and the starts of processes.
    pub fn finish(self) -> (Vec<GatheredItem>, SpillWriter, Starts) {
        let items = self.items.into_inner().unwrap_or_else(PoisonError::into_inner);
        (items, self.store.into_spill(), self.starts.finish())
    }

    fn borrow_workers(&self) -> Workers<'a> {
        let pooled = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(|| Workers {
            rules: self.engine.worker(),
            indicators: self.indicators.as_ref().map(|own| indicator::Worker::new(own.set)),
            process_fields: Fields::new(sessions::PROCESS_FIELDS),
            logon_fields: Fields::new(sessions::LOGON_FIELDS),
        })
    }

    fn give_back(&self, workers: Option<Workers<'a>>) {
        if let Some(workers) = workers {
            self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(workers);
        }
    }

    /// Makes findings of a record: of the rules that it matches, and of the
    /// indicators that it shows.
    fn find(&self, part: &mut Part<'a>, record: &Record<'_>, host: Option<HostName>, seen: Seen) {
        let Part { workers: Some(workers), keeper, found, gathered, .. } = part else { return };
        let mut is_first = true;
        let mut add = |rule: &Arc<RuleFacts>, wish: &Wish<'_>, matched: &[u32]| {
            if std::mem::take(&mut is_first) {
                keeper.begin(record);
            }
            let Kept { fields, spilled, record: whole } = keeper.keep(&self.store, record, wish, matched);
            found.push(RawFinding {
                rule: Arc::clone(rule),
                position: record.position,
                time: record.time,
                host: host.clone(),
                fields,
                spilled,
                record: whole,
                is_of_file: record.shape.family == LogFamily::Artifacts && *record.shape.log == *files::LOG,
            });
        };
        workers.rules.find_with_slots(record, &mut |rule, matched| {
            let wanted = &self.engine.rules()[rule].fields;
            let wish = Wish { key: rule, rule, wanted, memory: self.memory[rule], beside: &[] };
            add(&self.rules[rule], &wish, matched);
        });
        let (Some(indicators), Some(worker)) = (&self.indicators, &mut workers.indicators) else { return };
        worker.find(record, &mut |id, matched| {
            let known = indicators.known(id, seen);
            let counted = || (Arc::clone(&known.rule), Hits::default());
            let fits = seen == Seen::AsFile
                || gathered.hits.entry(id).or_insert_with(counted).1.count(record.position.offset);
            if fits {
                // All indicators wish for the same slots.
                let rule = Arc::as_ptr(&known.rule) as usize;
                let (memory, beside) = (known.memory, known.fields.as_slice());
                let wish = Wish { key: usize::MAX, rule, wanted: &[], memory, beside };
                add(&known.rule, &wish, matched);
            }
        });
    }
}

impl<'a> Visitor for Gatherer<'a> {
    type Part = Part<'a>;

    fn start(&self, head: &ItemHead<'_>) -> Part<'a> {
        Part::new(self.borrow_workers(), sessions::item_hash(head.path))
    }

    fn record(&self, part: &mut Part<'a>, record: &Record<'_>) {
        let host = part.count(record, &self.watched);
        let Part { workers, starts, gathered, item, .. } = part;
        if let Some(Workers { process_fields, logon_fields, .. }) = workers {
            starts.note(record, process_fields, host.as_ref(), *item, self.store.spill());
            gathered.logons.note(record, logon_fields, host.as_ref());
        }
        self.find(part, record, host, Seen::InRecord);
    }

    fn carved(&self, part: &mut Part<'a>, record: &Record<'_>) {
        let Some(host) = part.gathered.carved.add(record) else { return };
        let live = part.found.len();
        // They have a bound of their own, and do not count among the records of the log.
        let hits = std::mem::take(&mut part.gathered.hits);
        self.find(part, record, host, Seen::InRecord);
        part.gathered.hits = hits;
        part.gathered.carved.found(part.found.drain(live..));
    }

    fn mark(
        &self,
        part: &mut Part<'a>,
        shape: &Arc<Shape>,
        text: &[u8],
        marks: &mut Vec<u32>,
    ) -> Option<Arc<[u32]>> {
        if self.indicators.is_some() {
            return None;
        }
        let wanted = part.tallies.wanted(shape, &self.watched)?;
        let source = part.workers.as_mut()?.rules.mark(shape, text, marks)?;
        part.tallies.begin(Arc::clone(&wanted), source);
        Some(Arc::clone(&wanted.slots))
    }

    fn count(&self, part: &mut Part<'a>, record: &Record<'_>) {
        part.tally(record, &self.watched);
    }

    fn merge(&self, whole: &mut Part<'a>, next: Part<'a>) {
        let (workers, records) = whole.merge(next, &self.watched);
        self.starts.put(&mut whole.starts);
        self.give_back(workers);
        (self.progress)(0, records);
    }

    fn item(&self, mut item: ReadItem, whole: Option<Part<'a>>, content: Option<&[u8]>) {
        let is_log = whole.is_some();
        let mut part = whole.unwrap_or_else(|| Part::new(self.borrow_workers(), 0));
        self.starts.put(&mut part.starts);
        let file = FileRecord::new(&item);
        self.find(&mut part, &file.record(&file.values()), None, Seen::AsFile);
        let standing = standing::standing(file.path(), item.format.map_or(Kind::Unknown, Kind::Log));
        let scan = |content| content::scan(self.yara, content, &file, standing);
        let scanned = content.map(scan).unwrap_or_default();
        part.found.extend(scanned.findings);
        let file = file.into_seen(content.is_some() && !self.yara.is_empty(), scanned.is_telling);
        item.problems.extend(scanned.problem);
        let (workers, mut gathered) = part.into_gathered(&self.watched);
        self.give_back(workers);
        gathered.settle();
        let found = !gathered.findings.iter().all(Vec::is_empty);
        let gathered = (is_log || found).then_some(gathered);
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.push(GatheredItem { item, gathered, file });
    }

    fn wants_content(&self, beginning: &Beginning<'_>) -> bool {
        let path = files::windows_path(beginning.path, beginning.root);
        !self.yara.is_empty() && standing::is_shown(&path, beginning)
    }

    fn wanted_hashes(&self) -> WantedHashes {
        let (md5, sha1) = self.indicators.as_ref().map_or((false, false), |own| own.set.wants_file_hashes());
        WantedHashes { md5, sha1 }
    }

    fn progress(&self, bytes: u64) {
        (self.progress)(bytes, 0);
    }
}

/// What findings say of a rule.
pub fn facts(rule: &sigma::Rule) -> RuleFacts {
    RuleFacts {
        id: rule.id.clone(),
        title: rule.title.clone(),
        level: rule.level,
        tags: rule.tags.clone(),
        techniques: rule.techniques.clone(),
    }
}
