//! Runs of clusters: which part of a stream lies where on the volume.

/// Clusters of one stream, holes included: more make no file, and their bytes
/// are a number of 64 bits for any cluster size.
const CLUSTERS_MAX: u64 = 1 << 42;

/// Clusters in sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    /// The first one, counted in the stream.
    pub(crate) first: u64,
    pub(crate) clusters: u64,
    /// The first one, counted on the volume; `None` for a hole.
    pub(crate) place: Option<u64>,
}

/// The runs of a stream, in its order and without gaps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// Appends the runs that a record lists for the part from `first` on.
    /// `false` when they lie: out of the volume, out of sequence, or more than
    /// `max`; those before are kept.
    pub(crate) fn push(&mut self, list: &[u8], first: u64, volume_clusters: u64, max: usize) -> bool {
        if first != self.end() {
            return false;
        }
        let (mut at, mut place) = (0, 0i64);
        loop {
            let Some(header) = list.get(at) else { return false };
            if *header == 0 {
                return true;
            }
            let (len_bytes, place_bytes) = (usize::from(header & 15), usize::from(header >> 4));
            let clusters = number(list.get(at + 1..at + 1 + len_bytes));
            let step = number(list.get(at + 1 + len_bytes..at + 1 + len_bytes + place_bytes));
            let Some((clusters, step)) = clusters.zip(step) else { return false };
            // Holes may be larger than the volume, but not than any file.
            let Some(clusters) =
                u64::try_from(clusters).ok().filter(|count| *count > 0 && *count < CLUSTERS_MAX)
            else {
                return false;
            };
            let mut run = Run { first: self.end(), clusters, place: None };
            if place_bytes > 0 {
                place = place.wrapping_add(step);
                let start = u64::try_from(place).ok();
                let end = start.and_then(|start| start.checked_add(clusters));
                if end.is_none_or(|end| end > volume_clusters) {
                    return false;
                }
                run.place = start;
            }
            if self.0.len() >= max || run.first.checked_add(clusters).is_none_or(|end| end >= CLUSTERS_MAX) {
                return false;
            }
            self.0.push(run);
            at += 1 + len_bytes + place_bytes;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Clusters of the stream that runs are known for.
    pub(crate) fn end(&self) -> u64 {
        self.0.last().map_or(0, |run| run.first + run.clusters)
    }

    /// The run that holds cluster `at` of the stream.
    pub(crate) fn find(&self, at: u64) -> Option<Run> {
        let index = self.0.partition_point(|run| run.first + run.clusters <= at);
        self.0.get(index).copied().filter(|run| run.first <= at)
    }

    /// Clusters that lie on the volume.
    pub(crate) fn allocated(&self) -> u64 {
        self.places().map(|run| run.clusters).fold(0, u64::saturating_add)
    }

    /// The runs that lie on the volume.
    pub(crate) fn places(&self) -> impl Iterator<Item = Run> {
        self.0.iter().copied().filter(|run| run.place.is_some())
    }
}

/// A signed little-endian number of up to 8 bytes.
fn number(bytes: Option<&[u8]>) -> Option<i64> {
    let bytes = bytes.filter(|bytes| bytes.len() <= 8)?;
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &[u8], whole: bool, expect: &[(u64, u64, Option<u64>)]) {
        let mut runs = Runs::default();
        assert_eq!(runs.push(list, 0, 1_000, 4), whole);
        let found: Vec<_> = runs.0.iter().map(|run| (run.first, run.clusters, run.place)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn runs_and_lies() {
        check(
            &[0x11, 3, 100, 0x11, 2, 0xf6, 0x01, 5, 0],
            true,
            &[(0, 3, Some(100)), (3, 2, Some(90)), (5, 5, None)],
        );
        check(&[0], true, &[]);
        // Cut, before the volume, behind it, of no length, too long a number, too many.
        check(&[0x11, 3], false, &[]);
        check(&[0x11, 3, 0xf6, 0], false, &[]);
        check(&[0x21, 3, 0xe6, 0x03, 0], false, &[]);
        check(&[0x11, 0, 5, 0], false, &[]);
        check(&[0x19, 1, 1, 1, 1, 1, 1, 1, 1, 1, 5, 0], false, &[]);
        let many = [[0x11, 1, 1]; 5].concat();
        check(&many, false, &[(0, 1, Some(1)), (1, 1, Some(2)), (2, 1, Some(3)), (3, 1, Some(4))]);
    }
}
