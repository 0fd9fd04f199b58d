//! Bytes that nobody can foresee, from the operating system: for masking keys and for the key of an
//! opening handshake (RFC 6455 §5.3, §4.1), and for the jitter of reconnecting.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};

/// So many bytes are read at a time.
const POOL: usize = 4096;

/// Bytes that were read, of which the first are used.
struct Keys {
    source: File,
    pool: Box<[u8]>,
    used: usize,
}

thread_local! {
    static KEYS: RefCell<Option<Keys>> = const { RefCell::new(None) };
}

impl Keys {
    fn open() -> io::Result<Self> {
        if !cfg!(unix) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self {
            source: File::open("/dev/urandom")?,
            pool: vec![0; POOL].into(),
            used: POOL,
        })
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        if self.used + N > self.pool.len() {
            self.source.read_exact(&mut self.pool)?;
            self.used = 0;
        }
        let mut taken = [0; N];
        let fresh = self.pool.get_mut(self.used..).unwrap_or_default();
        for (taken, fresh) in taken.iter_mut().zip(fresh) {
            // What was given is not kept.
            *taken = std::mem::take(fresh);
        }
        self.used += N;
        Ok(taken)
    }
}

/// `N` bytes, a few at most.
///
/// # Errors
///
/// The system gives none: then nothing may be sent.
pub(super) fn take<const N: usize>() -> io::Result<[u8; N]> {
    KEYS.with(|keys| {
        let mut keys = keys.borrow_mut();
        if keys.is_none() {
            *keys = Some(Keys::open()?);
        }
        let keys = keys.as_mut().ok_or(io::ErrorKind::NotFound)?;
        keys.take()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{KEYS, POOL, take};

    #[test]
    fn no_key_comes_twice_and_every_bit_is_sometimes_set() {
        let count = 4 * POOL;
        let keys: Vec<[u8; 8]> = (0..count).map(|_| take().expect("urandom")).collect();
        let different: HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), count);
        let ones = keys.iter().flatten().map(|byte| byte.count_ones() as usize);
        let ones: usize = ones.sum();
        let half = count * 32;
        assert!(ones.abs_diff(half) < half / 50, "{ones} of {}", 2 * half);
    }

    #[test]
    fn a_key_that_is_no_divisor_of_the_pool_is_whole() {
        for _ in 0..POOL {
            let taken: [u8; 13] = take().expect("urandom");
            assert_ne!(taken.last_chunk(), Some(&[0; 4]));
        }
    }

    #[test]
    fn what_was_given_is_not_kept() {
        take::<16>().expect("urandom");
        KEYS.with_borrow(|keys| {
            let keys = keys.as_ref().expect("it is open");
            let (given, rest) = keys.pool.split_at(keys.used);
            assert!(given.iter().all(|byte| *byte == 0));
            assert!(rest.iter().any(|byte| *byte != 0));
        });
    }
}
