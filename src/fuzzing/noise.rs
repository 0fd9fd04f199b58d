//! How `cargo test` runs the bodies of the fuzz targets: over the committed seeds, and over noise.

use std::fs;

/// Runs a target over each of its seeds.
pub(super) fn run_seeds(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let seeds = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let seeds = seeds.map(|seed| run(&fs::read(seed.unwrap().path()).unwrap()));
    assert!(seeds.count() >= 20, "{folder} has lost its seeds");
}

/// Numbers that look random and are the same in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }
}

/// Runs a target over so many inputs of random bytes, each of up to `most`; of fewer under Miri.
pub(super) fn run_noise(rounds: usize, most: usize, run: fn(&[u8])) {
    let mut random = Random::new();
    for _ in 0..if cfg!(miri) { 3 } else { rounds } {
        let len = random.below(most);
        let input: Vec<u8> = (0..len).map(|_| random.below(256) as u8).collect();
        run(&input);
    }
}

/// Runs a target that plays the peer of a socket over frames of all kinds, masked or not, behind five bytes
/// of choices with a good opening handshake. The first byte of each tells the socket what to do.
#[cfg(feature = "testing")]
pub(super) fn run_frames(masked: bool, run: fn(&[u8])) {
    const FIRST: [u8; 8] = [0x81, 0x82, 0x82, 0x02, 0x80, 0x89, 0x8A, 0x88];
    let mut random = Random::new();
    for _ in 0..if cfg!(miri) { 2 } else { 400 } {
        let mut input: Vec<u8> = (0..5).map(|_| random.below(256) as u8).collect();
        input[0] |= 1;
        for _ in 0..random.below(12) {
            let len = random.below(120);
            let first = FIRST[random.below(8)];
            match masked {
                true => input.extend([first, 0x80 | len as u8, 0, 0, 0, 0]),
                false => input.extend([first, len as u8]),
            }
            let act = random.below(16) as u8;
            input.extend((0..len).map(|i| if i == 0 { act } else { b'x' }));
        }
        run(&input);
    }
}
