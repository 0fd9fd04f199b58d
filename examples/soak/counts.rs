//! The server's statistics against what the clients know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tally::Tally;
use super::world::World;

/// The object in an answer of the server's. `Null` if it is none.
fn statistics(answer: &[u8]) -> Value {
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = body.and_then(|end| answer.get(end + 4..));
    serde_json::from_slice(body.unwrap_or_default()).unwrap_or_default()
}

/// How late the server's loop was at worst, in milliseconds, since it was last asked.
pub(crate) fn lag(answer: &[u8]) -> u64 {
    statistics(answer)["lag"].as_u64().unwrap_or_default()
}

/// What the server counts otherwise than the clients, while members stay where they are. Empty: nothing.
pub(crate) fn difference(answer: &[u8], world: &World) -> String {
    let answer = statistics(answer);
    let (stats, reports) = (&answer["stats"], &answer["reports"]);
    if *reports != 0 {
        return format!("the server has reported errors: {reports}");
    }
    let rooms: BTreeMap<String, usize> = read(&stats["rooms"]);
    let (all, in_rooms) = (&stats["total_connections"], rooms.values().sum::<usize>());
    if *all != in_rooms {
        return format!("{all} are connected, and {in_rooms} in rooms, where all should be");
    }
    let known: BTreeMap<String, usize> = world.rooms.sizes().collect();
    let counted = rooms.into_iter().filter(|(name, _)| is_members(name));
    let counted: BTreeMap<String, usize> = counted.collect();
    let names: BTreeSet<&String> = known.keys().chain(counted.keys()).collect();
    let mut names = names.into_iter();
    let wrong = names.find(|&name| counted.get(name) != known.get(name));
    wrong.map_or(String::new(), |name| {
        let of = |rooms: &BTreeMap<String, usize>| rooms.get(name).copied().unwrap_or(0);
        let (counted, known) = (of(&counted), of(&known));
        format!("room {name} has {counted} members for the server, and {known} for the clients")
    })
}

/// Whether members are in a room of that name; slow and rude peers have rooms of their own.
fn is_members(name: &str) -> bool {
    let number = name.strip_prefix('r');
    number.is_some_and(|number| number.parse::<usize>().is_ok())
}

/// Sums over the whole run: what, as the server counts it, as the clients know it.
pub(crate) fn sums(answer: &[u8], tally: &Tally) -> Vec<(String, u64, u64)> {
    let answer = statistics(answer);
    let stats = &answer["stats"];
    let mut sums = Vec::new();
    for (name, field, known) in [
        ("sockets that are open", "total_connections", 0),
        ("bytes that wait", "waiting_bytes", 0),
        ("sockets opened", "accepted", tally.opened),
        ("messages received", "messages_in", tally.said),
        ("bytes received", "bytes_in", tally.said_bytes),
    ] {
        let counted = stats[field].as_u64().unwrap_or(u64::MAX);
        sums.push((name.to_owned(), counted, known));
    }
    let closed: BTreeMap<u16, u64> = read(&stats["closed"]);
    let codes: BTreeSet<&u16> = closed.keys().chain(tally.closed.keys()).collect();
    for code in codes {
        let of = |counts: &BTreeMap<u16, u64>| counts.get(code).copied().unwrap_or(0);
        let name = format!("sockets closed with {code}");
        sums.push((name, of(&closed), of(&tally.closed)));
    }
    sums
}

fn read<T: serde::de::DeserializeOwned + Default>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}
