//! Where and when: the lines below every table.

use std::fs;
use std::process::Command;

/// The date, the machine and the command line, as Markdown.
pub(crate) fn foot() -> String {
    format!(
        "{}; {}.\n\n```sh\n{}\n```\n",
        date(),
        machine(),
        command_line()
    )
}

/// Today, in UTC: `2026-01-31`.
pub(crate) fn date() -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    let date = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    date.unwrap_or_else(|_| "no date".to_owned())
}

/// The processor, the kernel and what else changes the figures.
pub(crate) fn machine() -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let cores = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let congestion = read("/proc/sys/net/ipv4/tcp_congestion_control");
    let model = model(&cpuinfo);
    format!("{model}, {cores} cores; Linux {kernel}, TCP {congestion}")
}

/// The command that prints the same again.
pub(crate) fn command_line() -> String {
    let words = std::env::args().skip(1);
    std::iter::once("benches/compare/run".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn model(cpuinfo: &str) -> String {
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| "an unknown processor".to_owned());
    match (field("cpu family"), field("model\t")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_as_far_as_it_is_known() {
        let full = "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n";
        assert_eq!(model(full), "AMD EPYC (family 26, model 2)");
        assert_eq!(model("model name : A Chip\n"), "A Chip");
        assert_eq!(model(""), "an unknown processor");
    }

    #[test]
    fn the_date_is_a_date() {
        assert_eq!(date().len(), "2026-01-31".len());
    }
}
