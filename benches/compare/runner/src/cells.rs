//! What is measured: the cells, each a way to load a server, and the figures that each gives.

use crate::options::{Options, Task};
use crate::reading::Reading;

/// One load, under which all servers are measured in turn.
#[derive(Debug)]
pub(crate) struct Cell {
    /// For `--cells` and the file of samples.
    pub(crate) name: &'static str,
    /// For readers.
    pub(crate) title: &'static str,
    pub(crate) method: Method,
    /// Words for the load generator.
    pub(crate) load: &'static str,
    pub(crate) figures: &'static [Figure],
}

/// How a run is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By the generator: time of the server's process.
    Time,
    /// The same, with heartbeats on.
    Heartbeat,
    /// Instructions that the server's process executes itself, by callgrind.
    Instructions,
    /// Calls that write, by strace.
    Writes,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    /// What is behind the cell's title.
    pub(crate) unit: &'static str,
    pub(crate) value: fn(&Reading) -> Option<f64>,
}

impl Cell {
    /// The figure that goals and plots are about.
    pub(crate) fn main(&self) -> &'static Figure {
        &self.figures[0]
    }

    /// Counts hardly vary, and two of the subjects are enough to see them.
    pub(crate) fn is_count(&self) -> bool {
        matches!(self.method, Method::Instructions | Method::Writes)
    }

    /// Servers that are measured in this cell, when not in all.
    pub(crate) fn only(&self) -> Option<&'static [&'static str]> {
        match self.method {
            Method::Time | Method::Heartbeat => None,
            Method::Instructions => Some(&["rushwire", "raw"]),
            Method::Writes => Some(&["rushwire", "raw", "bun"]),
        }
    }
}

/// The cells that the command line asks for.
pub(crate) fn chosen(options: &Options) -> Vec<&'static Cell> {
    let of_task = |cell: &&Cell| match options.task {
        Task::Instructions => cell.method == Method::Instructions,
        Task::Syscalls => cell.method == Method::Writes,
        _ => true,
    };
    CELLS
        .iter()
        .filter(of_task)
        .filter(|cell| options.wants_cell(cell.name))
        .collect()
}

/// The cell of that name; goals name cells, and a test proves that they exist.
pub(crate) fn named(name: &str) -> Option<&'static Cell> {
    CELLS.iter().find(|cell| cell.name == name)
}

const CPU_PER_MESSAGE: Figure = Figure {
    unit: "CPU ns per message",
    value: |run| run.per("cpu_ns", "messages"),
};

const CPU: &[Figure] = &[CPU_PER_MESSAGE];

const LATENCY: &[Figure] = &[
    CPU_PER_MESSAGE,
    Figure {
        unit: "p50, ns",
        value: |run| run.value("p50_ns"),
    },
    Figure {
        unit: "p99, ns",
        value: |run| run.value("p99_ns"),
    },
];

const DELIVERY: &[Figure] = &[Figure {
    unit: "CPU ns per delivery",
    value: |run| run.per("cpu_ns", "messages"),
}];

const HANDSHAKE: &[Figure] = &[
    Figure {
        unit: "CPU ns per connection",
        value: |run| run.per("cpu_ns", "messages"),
    },
    Figure {
        unit: "connections per second",
        value: |run| run.per("messages", "seconds"),
    },
];

const MEMORY: &[Figure] = &[Figure {
    unit: "bytes per connection",
    value: |run| run.value("bytes_per_connection"),
}];

const HEARTBEAT: &[Figure] = &[
    // Not each server pings when it is told to, so the time for as many pings is what compares.
    Figure {
        unit: "CPU ms per 10,000 pings",
        value: |run| Some(run.per("cpu_ns", "pings")? * 10_000.0 / 1e6),
    },
    Figure {
        unit: "CPU ms per second",
        value: |run| Some(run.per("cpu_ns", "seconds")? / 1e6),
    },
];

const NEIGHBOUR: &[Figure] = &[
    Figure {
        unit: "p99, ns",
        value: |run| run.value("noisy_p99_ns"),
    },
    Figure {
        unit: "p99 without, ns",
        value: |run| run.value("quiet_p99_ns"),
    },
    Figure {
        unit: "the neighbour's MiB/s",
        value: |run| Some(run.value("big_bytes_per_second")? / f64::from(1 << 20)),
    },
];

/// What `Method::Instructions` and `Method::Writes` call their result.
pub(crate) const COUNT: &str = "count";

const INSTRUCTIONS: &[Figure] = &[Figure {
    unit: "user instructions per message",
    value: |run| run.value(COUNT),
}];

const DELIVERY_INSTRUCTIONS: &[Figure] = &[Figure {
    unit: "user instructions per delivery",
    value: |run| run.value(COUNT),
}];

const WRITES: &[Figure] = &[Figure {
    unit: "writes per delivery",
    value: |run| run.value(COUNT),
}];

const fn cell(
    name: &'static str,
    title: &'static str,
    method: Method,
    figures: &'static [Figure],
    load: &'static str,
) -> Cell {
    Cell {
        name,
        title,
        method,
        load,
        figures,
    }
}

#[rustfmt::skip] // one cell, one line: it is a table
const CELLS: &[Cell] = &[
    cell("echo-1x1x16", "echo 1 × 1 × 16 B", Method::Time, LATENCY,
        "echo --connections 1 --depth 1 --size 16 --kind binary"),
    cell("echo-100x1x20", "echo 100 × 1 × 20 B", Method::Time, CPU,
        "echo --connections 100 --depth 1 --size 20 --kind binary"),
    cell("echo-100x32x20", "echo 100 × 32 × 20 B", Method::Time, CPU,
        "echo --connections 100 --depth 32 --size 20 --kind binary"),
    cell("echo-100x32x20-ascii", "echo 100 × 32 × 20 B, ASCII text", Method::Time, CPU,
        "echo --connections 100 --depth 32 --size 20 --kind ascii"),
    cell("echo-1x128x125", "echo 1 × 128 × 125 B", Method::Time, CPU,
        "echo --connections 1 --depth 128 --size 125 --kind binary"),
    cell("echo-1x128x125-ascii", "echo 1 × 128 × 125 B, ASCII text", Method::Time, CPU,
        "echo --connections 1 --depth 128 --size 125 --kind ascii"),
    cell("echo-100x1x4K-text", "echo 100 × 1 × 4 KiB, text not ASCII", Method::Time, CPU,
        "echo --connections 100 --depth 1 --size 4096 --kind text"),
    cell("echo-100x8x8K", "echo 100 × 8 × 8 KiB", Method::Time, CPU,
        "echo --connections 100 --depth 8 --size 8192 --kind binary"),
    cell("echo-100x1x16K", "echo 100 × 1 × 16 KiB", Method::Time, CPU,
        "echo --connections 100 --depth 1 --size 16384 --kind binary"),
    cell("echo-8x4x1M", "echo 8 × 4 × 1 MiB", Method::Time, CPU,
        "echo --connections 8 --depth 4 --size 1048576 --kind binary"),
    cell("fanout-1000x1", "fan-out 1,000 × 1 × 64 B", Method::Time, DELIVERY,
        "fanout --members 1000 --senders 1 --depth 1 --size 64"),
    cell("fanout-100x10", "fan-out 100 × 10 × 64 B", Method::Time, DELIVERY,
        "fanout --members 100 --senders 10 --depth 1 --size 64"),
    cell("fanout-100x10-depth8", "fan-out 100 × 10 × 64 B, depth 8", Method::Time, DELIVERY,
        "fanout --members 100 --senders 10 --depth 8 --size 64"),
    cell("handshake", "connect, upgrade, close", Method::Time, HANDSHAKE, "handshake"),
    cell("idle", "10,000 idle connections", Method::Time, MEMORY, "idle --connections 10000"),
    cell("heartbeat", "10,000 idle, with heartbeats", Method::Heartbeat, HEARTBEAT,
        "idle --connections 10000"),
    cell("neighbour", "echo 100 × 1 × 20 B beside 1 × 1 × 1 MiB", Method::Time, NEIGHBOUR, "neighbour"),
    cell("instructions-100x32", "echo 100 × 32 × 20 B", Method::Instructions, INSTRUCTIONS,
        "echo --connections 100 --depth 32 --size 20 --kind binary"),
    cell("instructions-100x1", "echo 100 × 1 × 20 B", Method::Instructions, INSTRUCTIONS,
        "echo --connections 100 --depth 1 --size 20 --kind binary"),
    cell("instructions-1x1", "echo 1 × 1 × 20 B", Method::Instructions, INSTRUCTIONS,
        "echo --connections 1 --depth 1 --size 20 --kind binary"),
    cell("instructions-fanout-1000x1", "fan-out 1,000 × 1 × 64 B", Method::Instructions, DELIVERY_INSTRUCTIONS,
        "fanout --members 1000 --senders 1 --depth 1 --size 64"),
    cell("instructions-fanout-100x10", "fan-out 100 × 10 × 64 B", Method::Instructions, DELIVERY_INSTRUCTIONS,
        "fanout --members 100 --senders 10 --depth 1 --size 64"),
    cell("writes-8", "fan-out 100 × 10 × 64 B, depth 8", Method::Writes, WRITES,
        "fanout --members 100 --senders 10 --depth 8 --size 64"),
    cell("writes-16", "fan-out 100 × 10 × 64 B, depth 16", Method::Writes, WRITES,
        "fanout --members 100 --senders 10 --depth 16 --size 64"),
    cell("writes-32", "fan-out 100 × 10 × 64 B, depth 32", Method::Writes, WRITES,
        "fanout --members 100 --senders 10 --depth 32 --size 64"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        for cell in CELLS {
            let same = CELLS.iter().filter(|other| other.name == cell.name);
            assert_eq!(same.count(), 1, "{}", cell.name);
            assert!(!cell.figures.is_empty(), "{}", cell.name);
        }
    }

    #[test]
    fn each_command_has_its_cells() {
        for (line, first) in [
            ("run", Some("echo-1x1x16")),
            ("instructions", Some("instructions-100x32")),
            ("syscalls", Some("writes-8")),
            ("instructions --cells writes", None),
        ] {
            let options = Options::parse(line.split(' ').map(str::to_owned)).expect("words");
            let cells = chosen(&options);
            assert_eq!(cells.first().map(|cell| cell.name), first, "{line}");
        }
    }

    #[test]
    fn figures_are_read_from_what_the_generator_says() {
        let run = Reading::parse("messages=10 cpu_ns=5000 seconds=0.5 pings=25").expect("a line");
        for (cell, expected) in [
            ("echo-100x1x20", 500.0),
            ("handshake", 500.0),
            ("heartbeat", 2.0),
        ] {
            let figure = named(cell).expect("a cell").main();
            assert_eq!((figure.value)(&run), Some(expected), "{cell}");
        }
    }
}
