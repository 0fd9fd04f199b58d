//! Masking and unmasking (RFC 6455 §5.3), which are the same: XOR with a repeated key.
//!
//! Plain words of eight bytes, which the compiler turns into vectors. The decoder unmasks with
//! it, the encoder of a client masks with it.

/// Applies `key` to `payload` in place.
///
/// To resume after `n` bytes, pass the key that [`rotated`] gives for `n`.
#[inline(always)]
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    let len = payload.len();
    if len >= 32 {
        match len {
            64.. => blocks(payload, key),
            _ => ends::<32>(payload, key),
        }
    } else {
        match len {
            16.. => ends::<16>(payload, key),
            8.. => ends::<8>(payload, key),
            4.. => ends::<4>(payload, key),
            _ => few(payload, key),
        }
    }
}

fn few(payload: &mut [u8], key: [u8; 4]) {
    for (byte, key) in payload.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// For `N` to `2 * N` bytes: the first `N` and the last `N`, which may overlap. Both are read
/// before either is written, and nothing depends on the length: no loop, no branch.
#[inline(always)]
fn ends<const N: usize>(payload: &mut [u8], key: [u8; 4]) {
    let last = masked_end::<N>(payload, key);
    if let Some(first) = payload.first_chunk_mut::<N>() {
        *first = xor(*first, key);
    }
    write_end(payload, last);
}

/// For 64 bytes and more.
#[inline]
fn blocks(payload: &mut [u8], key: [u8; 4]) {
    let last = masked_end::<64>(payload, key);
    for block in payload.as_chunks_mut::<64>().0 {
        *block = xor(*block, key);
    }
    write_end(payload, last);
}

#[inline(always)]
fn masked_end<const N: usize>(payload: &[u8], key: [u8; 4]) -> Option<[u8; N]> {
    let last = payload.last_chunk::<N>()?;
    Some(xor(*last, rotated(key, payload.len() - N)))
}

#[inline(always)]
fn write_end<const N: usize>(payload: &mut [u8], last: Option<[u8; N]>) {
    if let (Some(place), Some(last)) = (payload.last_chunk_mut::<N>(), last) {
        *place = last;
    }
}

/// `N` is a multiple of four. The compiler makes one vector of each sixteen bytes.
#[inline(always)]
fn xor<const N: usize>(mut bytes: [u8; N], key: [u8; 4]) -> [u8; N] {
    let key = u32::from_ne_bytes(key);
    let wide = u64::from(key) << 32 | u64::from(key);
    let (vectors, rest) = bytes.as_chunks_mut::<16>();
    for word in vectors.as_flattened_mut().as_chunks_mut::<4>().0 {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    let (words, rest) = rest.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for word in rest.as_chunks_mut::<4>().0 {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    bytes
}

/// Appends `payload` with `key` applied to `out`, in one pass.
pub(crate) fn mask_into(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    out.reserve(payload.len());
    for block in payload.chunks(BLOCK) {
        let from = out.len();
        out.extend_from_slice(block);
        mask(out.get_mut(from..).unwrap_or_default(), key);
    }
}

/// Copies `payload` with `key` applied to `to`, which is as long, in one pass.
pub(crate) fn mask_copy(to: &mut [u8], payload: &[u8], key: [u8; 4]) {
    for (to, block) in to.chunks_mut(BLOCK).zip(payload.chunks(BLOCK)) {
        to.copy_from_slice(block);
        mask(to, key);
    }
}

/// A block is masked while it is still in the nearest cache; a multiple of the key's length.
const BLOCK: usize = 4096;

/// The key for what follows the first `n` bytes.
#[inline(always)]
pub(crate) fn rotated(key: [u8; 4], n: usize) -> [u8; 4] {
    let turn = 8 * (n % 4) as u32;
    u32::from_le_bytes(key).rotate_right(turn).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// The RFC's own words: octet i of the result is octet i XOR key octet i mod 4.
    fn naive(payload: &[u8]) -> Vec<u8> {
        let octets = payload.iter().enumerate();
        octets.map(|(i, octet)| octet ^ KEY[i % 4]).collect()
    }

    fn payload(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7) as u8).collect()
    }

    #[test]
    fn the_example_of_section_5_7_is_unmasked() {
        let mut hello = [0x7F, 0x9F, 0x4D, 0x51, 0x58];
        mask(&mut hello, KEY);
        assert_eq!(&hello, b"Hello");
    }

    #[test]
    fn every_length_is_masked_as_the_rfc_says() {
        let longer = [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3];
        let step = if cfg!(miri) { 13 } else { 1 };
        for len in (0..140).step_by(step).chain(longer) {
            let plain = payload(len);
            let mut in_place = plain.clone();
            mask(&mut in_place, KEY);
            assert_eq!(in_place, naive(&plain), "{len} bytes in place");
            let mut copy = b"before".to_vec();
            mask_into(&mut copy, &plain, KEY);
            assert_eq!(copy, [b"before", &naive(&plain)[..]].concat(), "{len}");
            let mut copy = vec![0; len];
            mask_copy(&mut copy, &plain, KEY);
            assert_eq!(copy, naive(&plain), "{len} bytes copied");
        }
    }

    #[test]
    fn masking_resumes_at_any_offset() {
        let plain = payload(67);
        for cut in 0..=plain.len() {
            let (front, back) = plain.split_at(cut);
            let mut parts = front.to_vec();
            mask(&mut parts, KEY);
            mask_into(&mut parts, back, rotated(KEY, cut));
            assert_eq!(parts, naive(&plain), "cut at {cut}");
        }
    }
}
