//! A generational slab: dense places, and keys that never name a second value.
//!
//! The crates of that name hand a freed index to the next comer; here the generation in the key
//! tells the two apart, so a stale key finds nothing.

/// Names one value for good: its place, and how often that place had been given out before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Key {
    /// The key as one number, for the readiness queue. Where `usize` has 32 bits it is the index.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "32-bit targets keep the index alone"
    )]
    pub(crate) const fn token(self) -> usize {
        self.bits() as usize
    }

    /// The key that has those [`bits`](Self::bits).
    #[expect(clippy::cast_possible_truncation, reason = "two halves")]
    pub(crate) const fn of(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    /// The key as one number, to be compared at once. No key has all bits set.
    pub(crate) const fn bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

/// Values by [`Key`]. Inserting, looking up and removing take constant time.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    /// Indices of empty places that may be given out again.
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Slab<T> {
    /// Puts `value` into an empty place. `None` when all 2³² places are taken.
    pub(crate) fn insert(&mut self, value: T) -> Option<Key> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.places.len()).ok()?;
                self.places.push(Place {
                    generation: 0,
                    value: None,
                });
                index
            }
        };
        let place = self.places.get_mut(index as usize)?;
        place.value = Some(value);
        self.len += 1;
        Some(Key {
            index,
            generation: place.generation,
        })
    }

    /// Takes a value out. Its key finds nothing from now on.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        let value = place.value.take()?;
        self.len -= 1;
        // A place whose generations are used up is retired: two values never share a key.
        if let Some(next) = place.generation.checked_add(1) {
            place.generation = next;
            self.free.push(key.index);
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index as usize)?;
        match &place.value {
            Some(value) if place.generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index as usize)?;
        match &mut place.value {
            Some(value) if place.generation == key.generation => Some(value),
            _ => None,
        }
    }

    /// The value in a place, and its key.
    #[inline]
    pub(crate) fn at(&mut self, index: u32) -> Option<(Key, &mut T)> {
        let place = self.places.get_mut(index as usize)?;
        let generation = place.generation;
        let value = place.value.as_mut()?;
        Some((Key { index, generation }, value))
    }

    /// The value that `token` names, if it is still there, and its key.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half of a token is the index"
    )]
    #[inline]
    pub(crate) fn by_token(&mut self, token: usize) -> Option<(Key, &mut T)> {
        self.at(token as u32)
            .filter(|(key, _)| key.token() == token)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The keys of all values, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.iter().map(|(key, _)| key)
    }

    /// All values that are there, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places.iter().zip(0..).filter_map(|(place, index)| {
            let key = Key {
                index,
                generation: place.generation,
            };
            place.value.as_ref().map(|value| (key, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn agrees_with_a_map_over_random_steps() {
        let mut slab = Slab::default();
        let mut model: HashMap<Key, u64> = HashMap::new();
        let mut seen: Vec<Key> = Vec::new();
        let mut x = 0x2545_F491_4F6C_DD1D_u64;
        for step in 0..if cfg!(miri) { 500 } else { 100_000 } {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            if x.is_multiple_of(2) || seen.is_empty() {
                let key = slab.insert(step).unwrap();
                assert_eq!(model.insert(key, step), None, "a key was given out twice");
                seen.push(key);
            } else {
                let key = seen[(x >> 8) as usize % seen.len()];
                assert_eq!(slab.remove(key), model.remove(&key), "step {step}");
            }
            let key = seen[(x >> 20) as usize % seen.len()];
            assert_eq!(slab.get(key), model.get(&key), "step {step}");
            assert_eq!(
                slab.get_mut(key).copied(),
                model.get(&key).copied(),
                "step {step}"
            );
            assert_eq!(slab.len(), model.len());
        }
        let mut keys: Vec<_> = slab.keys().collect();
        let mut expected: Vec<_> = model.into_keys().collect();
        keys.sort();
        expected.sort();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_retired() {
        let mut slab = Slab::default();
        let first = slab.insert('a').unwrap();
        slab.places[0].generation = u32::MAX;
        let last = Key {
            generation: u32::MAX,
            ..first
        };
        assert_eq!(slab.remove(last), Some('a'));
        let next = slab.insert('b').unwrap();
        assert_ne!(next.index, first.index);
        assert_eq!((slab.get(first), slab.get(last)), (None, None));
    }

    #[test]
    fn a_token_of_an_earlier_tenant_finds_nothing() {
        let mut slab = Slab::default();
        let old = slab.insert('a').unwrap();
        slab.remove(old);
        let new = slab.insert('b').unwrap();
        assert_eq!(old.index, new.index);
        assert_eq!(slab.by_token(new.token()), Some((new, &mut 'b')));
        if usize::BITS == 64 {
            assert_eq!(slab.by_token(old.token()), None);
        }
    }
}
