//! Statistics as text: JSON, and what Prometheus reads. For whoever serves them on a route.

use std::fmt::{self, Write};

use super::stats::Stats;
use crate::http::Refusal;

/// Always fine: what is written to is a string.
type Written = fmt::Result;

impl Stats {
    /// One object with the fields of this struct by their names; `rooms`, `refused` and `closed` are
    /// objects from name, cause and code to number.
    ///
    /// ```
    /// # use rushwire::App;
    /// App::new().get("/stats", |ctx| ctx.json(ctx.hub().stats().to_json()));
    /// ```
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write_json(&mut out);
        out
    }

    /// The text format of Prometheus, version 0.0.4, without a line for each room: names of rooms often
    /// come from users, and each would be a time series of its own. Instead there is the number of
    /// rooms, and that of all memberships.
    ///
    /// ```
    /// # use rushwire::App;
    /// App::new().get("/metrics", |ctx| ctx.text(ctx.hub().stats().to_prometheus()));
    /// ```
    ///
    /// Close codes of applications are counted together as `3xxx` and `4xxx`, since peers choose them.
    pub fn to_prometheus(&self) -> String {
        self.exposition(false)
    }

    /// [`to_prometheus`](Self::to_prometheus) with the size of each room: for rooms that are few and
    /// whose names are the application's.
    pub fn to_prometheus_with_rooms(&self) -> String {
        self.exposition(true)
    }

    fn exposition(&self, with_rooms: bool) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write_exposition(&mut out, with_rooms);
        out
    }

    fn write_json(&self, out: &mut String) -> Written {
        let numbers = [
            ("total_connections", self.total_connections as u64),
            ("accepted", self.accepted),
            ("messages_in", self.messages_in),
            ("bytes_in", self.bytes_in),
            ("messages_out", self.messages_out),
            ("bytes_out", self.bytes_out),
            ("dropped", self.dropped),
            ("backpressure_drops", self.backpressure_drops),
            ("waiting_bytes", self.waiting_bytes as u64),
            ("shed", self.shed),
            ("slow_listeners", self.slow_listeners),
        ];
        out.push('{');
        for (name, number) in numbers {
            write!(out, "\"{name}\":{number},")?;
        }
        out.push_str("\"rooms\":");
        write_object(out, self.rooms.iter())?;
        out.push_str(",\"refused\":");
        write_object(out, self.refused.iter().map(|(k, n)| (k.as_str(), n)))?;
        out.push_str(",\"closed\":");
        write_object(out, self.closed.iter().map(|(k, n)| (k.to_string(), n)))?;
        out.push('}');
        Ok(())
    }

    #[rustfmt::skip]
    fn write_exposition(&self, out: &mut String, with_rooms: bool) -> Written {
        let members: usize = self.rooms.values().sum();
        let single: [(&str, &str, &str, u64); 13] = [
            ("connections", "gauge", "Sockets that are open.", self.total_connections as u64),
            ("connections_accepted_total", "counter", "Sockets that were opened.", self.accepted),
            ("rooms", "gauge", "Rooms that somebody is in.", self.rooms.len() as u64),
            ("memberships", "gauge", "Members of all rooms; who is in two counts twice.", members as u64),
            ("messages_received_total", "counter", "Messages received.", self.messages_in),
            ("received_bytes_total", "counter", "Bytes of payload received.", self.bytes_in),
            ("messages_sent_total", "counter", "Messages accepted for sending, once for each receiver.", self.messages_out),
            ("sent_bytes_total", "counter", "Bytes of payload accepted for sending.", self.bytes_out),
            ("messages_undelivered_total", "counter", "Accepted messages that were told as undelivered.", self.dropped),
            ("backpressure_drops_total", "counter", "Messages dropped because a peer does not read.", self.backpressure_drops),
            ("waiting_bytes", "gauge", "Bytes that wait for peers that do not read.", self.waiting_bytes as u64),
            ("shed_total", "counter", "Backlogs given up because all connections kept too much memory.", self.shed),
            ("slow_listeners_total", "counter", "Calls of the application's code that held the thread for too long.", self.slow_listeners),
        ];
        for (name, kind, help, value) in single {
            write_family(out, name, kind, help)?;
            writeln!(out, "rushwire_{name} {value}")?;
        }
        write_family(out, "refused_total", "counter", "Requests and sockets that were refused, by cause.")?;
        for cause in Refusal::ALL {
            let count = self.refused.get(cause).copied().unwrap_or_default();
            writeln!(out, "rushwire_refused_total{{cause=\"{cause}\"}} {count}")?;
        }
        write_family(out, "closed_total", "counter", "Sockets that ended, by close code.")?;
        for (code, count) in self.codes() {
            writeln!(out, "rushwire_closed_total{{code=\"{code}\"}} {count}")?;
        }
        if with_rooms {
            write_family(out, "room_members", "gauge", "Members of one room.")?;
            for (room, size) in &self.rooms {
                out.push_str("rushwire_room_members{room=\"");
                write_label(out, room);
                writeln!(out, "\"}} {size}")?;
            }
        }
        Ok(())
    }

    /// The registered codes that were seen, and the applications' by the thousand.
    fn codes(&self) -> Vec<(String, u64)> {
        let thousand = |first: u16| self.closed.range(first..first + 1_000);
        let single = self.closed.range(..3_000);
        let mut codes: Vec<(String, u64)> = single.map(|(k, n)| (k.to_string(), *n)).collect();
        for first in [3_000, 4_000] {
            let count = thousand(first).map(|(_, count)| count).sum();
            codes.push((format!("{}xxx", first / 1_000), count));
        }
        codes
    }
}

fn write_family(out: &mut String, name: &str, kind: &str, help: &str) -> Written {
    writeln!(out, "# HELP rushwire_{name} {help}")?;
    writeln!(out, "# TYPE rushwire_{name} {kind}")
}

/// The value of a label: backslash, quote and line feed are escaped, and nothing else is.
fn write_label(out: &mut String, value: &str) {
    for char in value.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

/// A JSON object from text to number (RFC 8259 §4).
fn write_object<'a>(
    out: &mut String,
    entries: impl Iterator<Item = (impl AsRef<str>, &'a (impl fmt::Display + 'a))>,
) -> Written {
    out.push('{');
    for (place, (name, number)) in entries.enumerate() {
        out.push_str(if place == 0 { "\"" } else { ",\"" });
        write_json_text(out, name.as_ref())?;
        write!(out, "\":{number}")?;
    }
    out.push('}');
    Ok(())
}

/// The inside of a JSON string: quote, backslash and control characters are escaped (RFC 8259 §7).
fn write_json_text(out: &mut String, text: &str) -> Written {
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\0'..='\x1F' => write!(out, "\\u{:04x}", char as u32)?,
            other => out.push(other),
        }
    }
    Ok(())
}
