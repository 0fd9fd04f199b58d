//! Ctrl-C. `main` calls this in both processes: one terminal sends it to both.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Becomes true at the first SIGINT or SIGTERM. At the second one `is_last` says that the process ends
/// at once.
#[cfg(unix)]
pub(crate) fn on_signals(is_last: bool) -> io::Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        if is_last {
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        }
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

#[cfg(not(unix))]
pub(crate) fn on_signals(_is_last: bool) -> io::Result<Arc<AtomicBool>> {
    Ok(Arc::default())
}
