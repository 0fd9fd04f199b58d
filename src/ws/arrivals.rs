//! How often sockets may be opened from one address, in bounded memory. The server asks here before
//! it takes a place.
//!
//! All that is kept of an address is when its bucket will be full again. After that it is as good as
//! one never heard of, and forgotten. When as many are remembered as may be, a newcomer takes the
//! place of the one that is nearest to that: so the least is given away, and those that are refused
//! now are remembered longest.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use super::bucket::Pace;
use super::settings::ConnectionRate;

/// How many addresses are remembered: ten megabytes of them at most.
const MOST: usize = 65_536;

/// Who has come lately.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pace: Pace,
    book: RefCell<Book>,
}

/// When each address's bucket is full again, by address and in order of time. Both hold the same.
///
/// Moments are counted as the debt that would be repaid until then from the beginning.
#[derive(Debug, Default)]
struct Book {
    full_at: HashMap<IpAddr, u128>,
    in_order: BTreeSet<(u128, IpAddr)>,
}

impl Arrivals {
    pub(crate) fn new(rate: ConnectionRate) -> Self {
        Self {
            pace: Pace::new(rate.connections.into(), rate.per),
            book: RefCell::default(),
        }
    }

    /// Somebody comes from `ip`. `now` is the time since any fixed moment, and never goes back.
    ///
    /// # Errors
    ///
    /// How long until the next may come from there. This one is not counted.
    pub(crate) fn count(&self, ip: IpAddr, now: Duration) -> Result<(), Duration> {
        let mut book = self.book.borrow_mut();
        let (who, now) = (neighbours(ip), self.pace.repaid_in(now));
        book.forget_until(now);
        let debt = book
            .full_at
            .get(&who)
            .map_or(0, |full| full.saturating_sub(now));
        let debt = self.pace.take(debt, 1)?;
        book.write(who, now.saturating_add(debt));
        Ok(())
    }
}

impl Book {
    /// Forgets those whose buckets are full at `now`.
    fn forget_until(&mut self, now: u128) {
        while let Some(&(full, who)) = self.in_order.first()
            && full <= now
        {
            self.forget(full, who);
        }
        // The table does not shrink by itself.
        if self.full_at.is_empty() {
            self.full_at = HashMap::new();
        }
    }

    fn write(&mut self, who: IpAddr, full: u128) {
        match self.full_at.get(&who) {
            Some(&before) => self.forget(before, who),
            None if self.full_at.len() >= MOST => {
                let first = self.in_order.first().copied();
                first.into_iter().for_each(|(at, who)| self.forget(at, who));
            }
            None => {}
        }
        self.full_at.insert(who, full);
        self.in_order.insert((full, who));
    }

    fn forget(&mut self, full: u128, who: IpAddr) {
        self.in_order.remove(&(full, who));
        self.full_at.remove(&who);
    }
}

/// Who counts as one, here and for places: an IPv4 address, or the first half of an IPv6 address, since whoever has one
/// address has all that share it (RFC 4291 §2.5.4).
pub(super) fn neighbours(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & u128::MAX << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const SECOND: Duration = Duration::from_secs(1);

    fn arrivals(connections: u32, per: Duration) -> Arrivals {
        Arrivals::new(ConnectionRate { connections, per })
    }

    fn remembered(arrivals: &Arrivals) -> usize {
        let book = arrivals.book.borrow();
        assert_eq!(book.full_at.len(), book.in_order.len());
        book.full_at.len()
    }

    #[test]
    fn each_address_has_its_own_bucket_and_one_that_is_full_is_forgotten() {
        let arrivals = arrivals(2, 10 * SECOND);
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().expect("an address"));
        // (second, address, answer, addresses remembered)
        let steps = [
            (0, a, Ok(()), 1),
            (0, a, Ok(()), 1),
            (0, a, Err(5 * SECOND), 1),
            (1, b, Ok(()), 2),
            (1, a, Err(4 * SECOND), 2),
            (5, a, Ok(()), 2),
            (6, a, Err(4 * SECOND), 1),
            (15, b, Ok(()), 1),
            (20, a, Ok(()), 1),
        ];
        for (second, ip, answer, count) in steps {
            let found = arrivals.count(ip, second * SECOND);
            assert_eq!(
                (found, remembered(&arrivals)),
                (answer, count),
                "at {second}, from {ip}"
            );
        }
    }

    #[test]
    fn ipv6_counts_by_its_first_half_and_ipv4_in_either_clothes() {
        let table = [
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
        ];
        for (first, second, same) in table {
            let arrivals = arrivals(1, SECOND);
            let [first, second] = [first, second].map(|ip| ip.parse().expect("an address"));
            assert_eq!(arrivals.count(first, SECOND), Ok(()));
            let found = arrivals.count(second, SECOND);
            assert_eq!(found.is_err(), same, "{first} and {second}");
        }
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory_and_frees_nobody_who_is_refused() {
        let arrivals = arrivals(5, 100 * SECOND);
        let guilty = "10.0.0.1".parse().expect("an address");
        while arrivals.count(guilty, SECOND).is_ok() {}
        let flood = if cfg!(miri) { 100 } else { 1_000_000 };
        for n in 0..flood {
            let ip = Ipv4Addr::from_bits(0xC000_0000 + n).into();
            assert_eq!(arrivals.count(ip, SECOND), Ok(()));
        }
        assert_eq!(remembered(&arrivals), MOST.min(flood as usize + 1));
        assert_eq!(arrivals.count(guilty, SECOND), Err(20 * SECOND));
        assert_eq!(arrivals.count(guilty, 101 * SECOND), Ok(()));
        assert_eq!(remembered(&arrivals), 1, "all others are forgotten");
    }
}
