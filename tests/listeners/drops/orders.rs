//! What can be dropped, and in which orders it is.

/// What an application holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    App,
    Server,
    Hub,
    /// Of a connection that is open.
    Socket,
    /// Of one that is gone.
    Stale,
    Remote,
    /// A request that is to be answered.
    Deferred,
    /// A request that may become a socket.
    Verdict,
    /// A socket that middleware may let pass.
    Next,
    Timer,
    /// One that this side makes.
    Connection,
    /// The other ends of all connections.
    Peers,
}

pub(super) const ITEMS: [Item; 12] = [
    Item::App,
    Item::Server,
    Item::Hub,
    Item::Socket,
    Item::Stale,
    Item::Remote,
    Item::Deferred,
    Item::Verdict,
    Item::Next,
    Item::Timer,
    Item::Connection,
    Item::Peers,
];

/// Every choice of `k` of the numbers under `n`, in every order.
pub(super) fn permutations(n: usize, k: usize) -> Vec<Vec<usize>> {
    let Some(shorter) = k.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let longer = |some: Vec<usize>| {
        let others = (0..n)
            .filter(|other| !some.contains(other))
            .collect::<Vec<_>>();
        others
            .into_iter()
            .map(move |other| [&some[..], &[other]].concat())
    };
    permutations(n, shorter)
        .into_iter()
        .flat_map(longer)
        .collect()
}

/// Orders of all items that have every order of every four among them: shuffles, each of which has one
/// that was missing, until none is.
pub(super) fn orders() -> Vec<Vec<Item>> {
    let mut missing: Vec<Vec<usize>> = permutations(ITEMS.len(), 4);
    let (mut orders, mut state) = (Vec::new(), 0x2545_F491_4F6C_DD1D_u64);
    while let Some(four) = missing.last().cloned() {
        let mut order: Vec<usize> = (0..ITEMS.len())
            .filter(|item| !four.contains(item))
            .collect();
        // Each of the four behind the one before it.
        let mut from = 0;
        for item in four {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let place = from + (state >> 33) as usize % (order.len() - from + 1);
            order.insert(place, item);
            from = place + 1;
        }
        let place = |item: &usize| order.iter().position(|other| other == item);
        missing.retain(|four| !four.is_sorted_by_key(place));
        orders.push(order.into_iter().map(|item| ITEMS[item]).collect());
    }
    orders
}
