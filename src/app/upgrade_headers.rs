//! Headers that the application adds to the answer 101 (RFC 6455 §4.2.2 item 5). A request holds
//! them until the upgrade writes its answer.

use std::cell::RefCell;

use crate::http::{InvalidHeader, check_header};

/// Headers for the answer 101; `None` when it is written.
#[derive(Debug)]
pub(super) struct UpgradeHeaders(RefCell<Option<Vec<(String, String)>>>);

/// Headers that concern one connection only, or frame a body (RFC 9110 §7.6.1, §8.6).
const MISPLACED: [&str; 6] = [
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

impl Default for UpgradeHeaders {
    fn default() -> Self {
        Self(RefCell::new(Some(Vec::new())))
    }
}

impl UpgradeHeaders {
    /// Adds a header.
    ///
    /// # Errors
    ///
    /// It cannot be in an answer 101, or the answer is written.
    pub(super) fn add(&self, name: String, value: String) -> Result<(), InvalidHeader> {
        check_header(&name, &value)?;
        let lower = name.to_ascii_lowercase();
        if lower == "connection" || lower == "upgrade" || lower.starts_with("sec-websocket-") {
            return Err(InvalidHeader::reserved(&name));
        }
        if MISPLACED.contains(&lower.as_str()) {
            return Err(InvalidHeader::misplaced(
                &name,
                "does not belong into an answer 101",
            ));
        }
        match &mut *self.0.borrow_mut() {
            Some(headers) => headers.push((name, value)),
            None => {
                return Err(InvalidHeader::misplaced(
                    &name,
                    "comes after the answer 101",
                ));
            }
        }
        Ok(())
    }

    /// All of them, for the answer: none can be added any more.
    pub(super) fn take(&self) -> Vec<(String, String)> {
        self.0.take().unwrap_or_default()
    }
}
