//! An answer that is no 101: its head, and as much of its body as is worth reading.

use super::error::Answer;
use crate::http::{BodyReader, Framing, ResponseHead};

/// So much of a body is read.
const MAX_BODY: usize = 64 * 1024;

/// An answer other than 101, so far.
pub(super) struct Refusal {
    answer: Answer,
    /// `None`: the body ends with the connection (RFC 9112 §6.3).
    reader: Option<BodyReader>,
}

impl Refusal {
    pub(super) fn new(head: &ResponseHead) -> Self {
        let framing = match (head.header("content-length"), head.status()) {
            (_, 204 | 304) => Some(Framing::None),
            _ if head.has_token("transfer-encoding", "chunked") => Some(Framing::Chunked),
            (Some(length), _) => length.parse().ok().map(Framing::Length),
            (None, _) => None,
        };
        Self {
            answer: Answer::of(head),
            reader: framing.map(|framing| BodyReader::new(framing, MAX_BODY)),
        }
    }

    /// Takes more of the body. Whether it is all that is wanted.
    pub(super) fn take(&mut self, input: &[u8]) -> bool {
        let body = &mut self.answer.body;
        let Some(reader) = &mut self.reader else {
            let room = MAX_BODY.saturating_sub(body.len());
            body.extend_from_slice(input.get(..room).unwrap_or(input));
            return body.len() >= MAX_BODY;
        };
        // A body that is too large, or malformed, is as good as its beginning.
        reader
            .push(input, body)
            .map_or(true, |progress| progress.done)
    }

    /// The answer, with the body as far as it has come.
    pub(super) fn answer(self) -> Answer {
        self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, ResponseParser};

    #[test]
    fn of_a_body_without_a_length_no_more_is_kept_than_is_worth_reading() {
        let limits = Limits {
            max_head: 100,
            max_fields: 10,
        };
        let head = ResponseParser::new(limits).push(b"HTTP/1.1 500 Oh\r\n\r\n");
        let head = head.expect("an answer").head.expect("all of it");
        let mut refusal = Refusal::new(&head);
        let portion = vec![b'x'; MAX_BODY - 10];
        assert!(!refusal.take(&portion));
        assert!(refusal.take(&portion), "it is enough");
        assert_eq!(refusal.answer().body.len(), MAX_BODY);
    }
}
