//! LZNT1, in which NTFS packs clusters ([MS-XCA] 2.5).

const BLOCK_BYTES: usize = 4096;

/// Unpacks `packed` into `into`, as much as fits; what the packed bytes do not
/// say is zeros. `false` when they are damaged: what stands before the damage
/// is unpacked.
pub(crate) fn unpack(packed: &[u8], into: &mut [u8]) -> bool {
    into.fill(0);
    let mut at = 0;
    for block in into.chunks_mut(BLOCK_BYTES) {
        let Some(header) = packed.get(at..at + 2) else { return true };
        let header = u16::from_le_bytes([header[0], header[1]]);
        if header == 0 {
            return true;
        }
        let len = usize::from(header & 0x0fff) + 1;
        let Some(bytes) = packed.get(at + 2..at + 2 + len) else { return false };
        if header & 0x8000 == 0 {
            let len = len.min(block.len());
            block[..len].copy_from_slice(&bytes[..len]);
        } else if !unpack_block(bytes, block) {
            return false;
        }
        at += 2 + len;
    }
    true
}

fn unpack_block(packed: &[u8], into: &mut [u8]) -> bool {
    let (mut at, mut out) = (0, 0);
    while let Some(flags) = packed.get(at) {
        at += 1;
        for bit in 0..8 {
            if at >= packed.len() || out >= into.len() {
                return true;
            }
            if flags >> bit & 1 == 0 {
                into[out] = packed[at];
                (at, out) = (at + 1, out + 1);
                continue;
            }
            let Some(token) = packed.get(at..at + 2) else { return false };
            let token = usize::from(u16::from_le_bytes([token[0], token[1]]));
            at += 2;
            // The further into the block, the more bits of a token say how far back.
            let back_bits = (usize::BITS - out.saturating_sub(1).leading_zeros()).max(4) as usize;
            let (back, len) = ((token >> (16 - back_bits)) + 1, (token & (0xffff >> back_bits)) + 3);
            if back > out {
                return false;
            }
            for _ in 0..len.min(into.len() - out) {
                into[out] = into[out - back];
                out += 1;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn packed_stored_and_damaged_blocks() {
        let mut into = [1; 10];
        // Ten times `a`: one literal, then 9 bytes from 1 back.
        assert!(unpack(&[0x03, 0xb0, 0x02, b'a', 0x06, 0x00], &mut into));
        assert_eq!(&into, b"aaaaaaaaaa");
        // Stored, and followed by nothing.
        assert!(unpack(&[0x02, 0x30, b'x', b'y', b'z', 0, 0], &mut into));
        assert_eq!(&into, b"xyz\0\0\0\0\0\0\0");
        // Back to before the beginning; cut.
        assert!(!unpack(&[0x03, 0xb0, 0x02, b'a', 0x00, 0x10], &mut into));
        assert!(!unpack(&[0xff, 0xbf, 0x02, b'a'], &mut into));
    }
}
