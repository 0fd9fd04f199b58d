//! Memory is measured in a process of its own, where no other test runs.

use std::process::Command;

const ALONE: &str = "RUSHWIRE_TEST_ALONE";
const DONE: &str = "measured to the end";

/// Runs the test of this name in a process of its own.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        test();
        return println!("{DONE}");
    }
    let program = std::env::current_exe().expect("the test is a program");
    let output = Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("run it");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains(DONE),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// By how many bytes the most memory that this process ever had grows in `during`.
pub(crate) fn growth(during: impl FnOnce()) -> Growth {
    let before = Growth::now();
    during();
    let after = Growth::now();
    Growth {
        resident: after.resident - before.resident,
        reserved: after.reserved - before.reserved,
    }
}

/// Bytes of memory.
#[derive(Debug)]
pub(crate) struct Growth {
    /// In use.
    pub(crate) resident: usize,
    /// Asked for, be it used or not.
    pub(crate) reserved: usize,
}

impl Growth {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            let kib: usize = kib.expect(name).parse().expect("a number");
            kib << 10
        };
        Self {
            resident: bytes("VmHWM:"),
            reserved: bytes("VmPeak:"),
        }
    }
}
