//! How the examples end: politely at the first signal, at once at the second. Each `main` calls it.

use rushwire::Remote;

/// How long those who are connected have to read what was said before the end.
#[cfg(unix)]
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// Shuts the server down on SIGTERM and Ctrl-C.
#[cfg(unix)]
pub(crate) fn on_signals(remote: Remote) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        let mut grace = GRACE;
        for _ in signals.forever() {
            if remote.shutdown(grace).is_err() {
                return;
            }
            grace = std::time::Duration::ZERO;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn on_signals(_remote: Remote) -> std::io::Result<()> {
    Ok(())
}
