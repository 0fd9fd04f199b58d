//! How many sockets there may be, in all and from one address.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::{Rc, Weak};

use super::arrivals::neighbours;

/// The places for sockets. An upgrade takes one before it is decided on.
#[derive(Debug)]
pub(crate) struct Places {
    taken: Cell<usize>,
    max: usize,
    max_per_ip: Option<usize>,
    /// Those whose address is not counted.
    anyone: RefCell<Weak<Guests>>,
    by_ip: RefCell<HashMap<IpAddr, Weak<Guests>>>,
}

/// A place that is taken, until this is dropped. Every socket has one, so it is one word.
#[derive(Debug)]
pub(crate) struct Place(Rc<Guests>);

/// Those from one address: their number is that of the pointers to this.
#[derive(Debug)]
struct Guests {
    places: Rc<Places>,
    /// `None`: from anywhere, not counted.
    ip: Option<IpAddr>,
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
            anyone: RefCell::default(),
            by_ip: RefCell::default(),
        })
    }

    /// Takes a place for a socket from `ip`.
    pub(crate) fn take(self: &Rc<Self>, ip: Option<IpAddr>) -> Result<Place, NoPlace> {
        if self.taken.get() >= self.max {
            return Err(NoPlace::Full);
        }
        // Addresses are counted only where there is a limit on them, so that nobody pays for more.
        let guests = match (ip, self.max_per_ip) {
            (Some(ip), Some(max)) => {
                let ip = neighbours(ip);
                let mut by_ip = self.by_ip.borrow_mut();
                let place = by_ip.entry(ip).or_default();
                if place.strong_count() >= max {
                    return Err(NoPlace::TooManyFromAddress);
                }
                self.join(place, Some(ip))
            }
            _ => self.join(&mut self.anyone.borrow_mut(), None),
        };
        self.taken.set(self.taken.get() + 1);
        Ok(Place(guests))
    }

    fn join(self: &Rc<Self>, guests: &mut Weak<Guests>, ip: Option<IpAddr>) -> Rc<Guests> {
        guests.upgrade().unwrap_or_else(|| {
            let places = Rc::clone(self);
            let first = Rc::new(Guests { places, ip });
            *guests = Rc::downgrade(&first);
            first
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.0.places;
        places.taken.set(places.taken.get().saturating_sub(1));
        if Rc::strong_count(&self.0) == 1
            && let Some(ip) = &self.0.ip
        {
            places.by_ip.borrow_mut().remove(ip);
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
    fn who_has_a_network_of_ipv6_has_no_more_places_than_who_has_an_address() {
        let places = Places::new(100, Some(1));
        let [a, b, other] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|ip| ip.parse().ok());
        let first = places.take(a).unwrap();
        assert_eq!(places.take(b).unwrap_err(), NoPlace::TooManyFromAddress);
        let _other = places.take(other).unwrap();
        drop(first);
        assert!(places.take(b).is_ok());
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
