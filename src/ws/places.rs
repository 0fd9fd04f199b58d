//! How many sockets there may be, in all and from one address.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

/// The places for sockets. An upgrade takes one before it is decided on.
#[derive(Debug)]
pub(crate) struct Places {
    taken: Cell<usize>,
    max: usize,
    max_per_ip: Option<usize>,
    by_ip: RefCell<HashMap<IpAddr, usize>>,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Rc<Places>,
    /// Boxed, because few servers count addresses, and every socket has a place.
    ip: Option<Box<IpAddr>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    Full,
    TooManyFromAddress,
}

impl Places {
    pub(crate) fn new(max: usize, max_per_ip: Option<usize>) -> Rc<Self> {
        Rc::new(Self {
            taken: Cell::new(0),
            max,
            max_per_ip,
            by_ip: RefCell::default(),
        })
    }

    /// Takes a place for a socket from `ip`.
    pub(crate) fn take(self: &Rc<Self>, ip: Option<IpAddr>) -> Result<Place, NoPlace> {
        if self.taken.get() >= self.max {
            return Err(NoPlace::Full);
        }
        // Addresses are counted only where there is a limit on them, so that nobody pays for more.
        let counted = ip.filter(|_| self.max_per_ip.is_some());
        if let (Some(ip), Some(max)) = (counted, self.max_per_ip) {
            let mut by_ip = self.by_ip.borrow_mut();
            let count = by_ip.entry(ip).or_default();
            if *count >= max {
                return Err(NoPlace::TooManyFromAddress);
            }
            *count += 1;
        }
        self.taken.set(self.taken.get() + 1);
        Ok(Place {
            places: Rc::clone(self),
            ip: counted.map(Box::new),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.places;
        places.taken.set(places.taken.get().saturating_sub(1));
        let Some(ip) = &self.ip else { return };
        let mut by_ip = places.by_ip.borrow_mut();
        if let Some(count) = by_ip.get_mut(ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_ip.remove(ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_socket_is_gone() {
        let places = Places::new(2, None);
        let first = places.take(None).unwrap();
        let _second = places.take(None).unwrap();
        assert_eq!(places.take(None).unwrap_err(), NoPlace::Full);
        drop(first);
        assert!(places.take(None).is_ok());
    }

    #[test]
    fn addresses_are_counted_apart_and_forgotten_with_their_last_socket() {
        let places = Places::new(100, Some(1));
        let (a, b) = ("10.0.0.1".parse().ok(), "10.0.0.2".parse().ok());
        let first = places.take(a).unwrap();
        assert_eq!(places.take(a).unwrap_err(), NoPlace::TooManyFromAddress);
        let _other = places.take(b).unwrap();
        drop(first);
        assert!(places.take(a).is_ok());
        assert_eq!(places.by_ip.borrow().len(), 1);
    }
}
