//! The border to the application's code: a panic there ends where it is called from.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the application. A panic comes back as its message.
///
/// What the code was touching is dropped with its socket, so nothing half-changed is seen again;
/// the library's own cells are never borrowed across this call.
pub(crate) fn guard<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(caught)
}

/// The message of what was thrown, which is dropped: if that throws again, nobody hears of it.
#[cold]
fn caught(panic: Box<dyn Any + Send>) -> String {
    let message = message(&*panic);
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // It may throw for ever, so it is never dropped.
        std::mem::forget(again);
    }
    message
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_comes_back_as_its_message() {
        assert_eq!(guard(|| 1), Ok(1));
        assert_eq!(guard(|| panic!("static")), Err("static".to_owned()));
        assert_eq!(
            guard(|| panic!("{}", "formatted")),
            Err("formatted".to_owned())
        );
        let other = guard(|| std::panic::panic_any(7_u8));
        assert_eq!(other, Err("a panic without a message".to_owned()));
    }

    #[test]
    fn what_is_thrown_may_throw_again_when_it_is_dropped() {
        struct Hydra;
        impl Drop for Hydra {
            fn drop(&mut self) {
                std::panic::panic_any(Hydra);
            }
        }
        let caught = guard(|| std::panic::panic_any(Hydra));
        assert_eq!(caught, Err("a panic without a message".to_owned()));
    }
}
