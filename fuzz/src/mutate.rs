//! The mutator: a few seeded changes to one seed, or a splice of two.

/// Inputs longer than this are cut: long ones find nothing that short ones do not.
const INPUT_BYTES_MAX: usize = 192 * 1024;
/// Values at which length fields break.
const EDGES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, b'\n', b'"'];

/// Makes one input; the same seed and round make the same one.
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// A mutator for one round.
    pub fn new(seed: u64, round: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round.wrapping_mul(0xd134_2543_de82_ef95) }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    /// One of `seeds`, changed in one to eight places.
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match seeds.len() {
            0 => Vec::new(),
            count => seeds[self.below(count)].clone(),
        };
        input.truncate(INPUT_BYTES_MAX);
        for _ in 0..=self.below(8) {
            self.change(&mut input, seeds);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len());
        match self.below(8) {
            0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            1 if !input.is_empty() => input[at] = EDGES[self.below(EDGES.len())],
            2 => {
                // A length or an offset, most often four bytes.
                let end = (at + 4).min(input.len());
                let edge = EDGES[self.below(EDGES.len())];
                input[at..end].fill(edge);
            }
            3 => input.truncate(at),
            4 => {
                let end = (at + 1 + self.below(64)).min(input.len());
                input.drain(at..end);
            }
            5 => {
                let end = (at + 1 + self.below(256)).min(input.len());
                let copy = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            6 => {
                let byte = self.next() as u8;
                input.insert(at, byte);
            }
            _ => self.splice(input, at, seeds),
        }
    }

    fn splice(&mut self, input: &mut Vec<u8>, at: usize, seeds: &[Vec<u8>]) {
        if seeds.is_empty() {
            return;
        }
        let other = &seeds[self.below(seeds.len())];
        let from = self.below(other.len());
        input.truncate(at);
        input.extend_from_slice(&other[from..]);
    }
}
