//! A raw disk that was cut into several files.

use crate::ReadAt;
use std::io;
use std::sync::Arc;

/// Segments, one behind another.
pub(crate) struct Joined<'a> {
    /// Each with the place at which it ends.
    segments: Vec<(u64, Arc<dyn ReadAt + 'a>)>,
}

impl<'a> Joined<'a> {
    pub(crate) fn new(segments: Vec<Arc<dyn ReadAt + 'a>>) -> Self {
        let mut end = 0u64;
        let place = |segment: Arc<dyn ReadAt + 'a>| {
            end = end.saturating_add(segment.size_bytes());
            (end, segment)
        };
        Self { segments: segments.into_iter().map(place).collect() }
    }
}

impl ReadAt for Joined<'_> {
    fn size_bytes(&self) -> u64 {
        self.segments.last().map_or(0, |(end, _)| *end)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let index = self.segments.partition_point(|(end, _)| *end <= at);
        let Some((end, segment)) = self.segments.get(index) else { return Ok(0) };
        let left = usize::try_from(end - at).unwrap_or(usize::MAX).min(into.len());
        segment.read_at(at - (end - segment.size_bytes()), &mut into[..left])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_at::exactly;

    #[test]
    fn segments_read_as_one() {
        let parts: [&[u8]; 4] = [b"abc", b"", b"d", b"efgh"];
        let joined =
            Joined::new(parts.iter().map(|part| Arc::new(part.to_vec()) as Arc<dyn ReadAt>).collect());
        assert_eq!(joined.size_bytes(), 8);
        assert_eq!(exactly(&joined, 0, 8).unwrap_or_default(), b"abcdefgh");
        assert_eq!(exactly(&joined, 2, 3).unwrap_or_default(), b"cde");
        assert_eq!(joined.read_at(8, &mut [0; 4]).ok(), Some(0));
    }
}
