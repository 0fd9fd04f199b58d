//! A message whose payload does not lie in one piece, while it is put together
//! (RFC 6455 §5.4).

use super::buffer::Buffer;
use super::decoder::Piece;
use super::frame::Opcode;
use super::mask::mask;
use super::utf8::Text;
use super::violation::Violation;

/// The most fragments without payload in one message: they cost the sender little and would
/// never meet the limit on bytes.
const MAX_EMPTY_FRAGMENTS: u16 = 1024;

/// The message so far.
#[derive(Debug)]
pub(super) struct Assembly {
    body: Body,
    empty_fragments: u16,
}

#[derive(Debug)]
enum Body {
    Text(Text),
    Binary(Buffer),
}

impl Assembly {
    /// A message that begins with a frame of `opcode`.
    pub(super) fn new(opcode: Opcode) -> Self {
        let body = match opcode {
            Opcode::Text => Body::Text(Text::default()),
            _ => Body::Binary(Buffer::default()),
        };
        Self {
            body,
            empty_fragments: 0,
        }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) => bytes.len(),
        }
    }

    /// Bytes of heap memory held.
    pub(super) fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.capacity(),
            Body::Binary(bytes) => bytes.capacity(),
        }
    }

    /// Notes a fragment without payload.
    pub(super) fn push_empty(&mut self) -> Result<(), Violation> {
        if self.empty_fragments == MAX_EMPTY_FRAGMENTS {
            return Err(Violation::EmptyFragments);
        }
        self.empty_fragments += 1;
        Ok(())
    }

    /// Unmasks `payload` and appends it. `payload` itself is of no further use.
    ///
    /// `to_come` is how much the rest of the message has, `payload` included, if that is known.
    pub(super) fn push(
        &mut self,
        payload: &mut [u8],
        key: Option<[u8; 4]>,
        to_come: Option<u64>,
    ) -> Result<(), Violation> {
        let to_come = to_come.and_then(|bytes| usize::try_from(bytes).ok());
        match &mut self.body {
            Body::Binary(bytes) => bytes.push(payload, key, to_come),
            Body::Text(text) => {
                grow(text, payload.len(), to_come);
                if let Some(key) = key {
                    mask(payload, key);
                }
                text.push(payload)?;
            }
        }
        Ok(())
    }

    /// Where the next bytes can be read to, of `left` that the frame still has.
    ///
    /// Text has none: it is checked before it is kept.
    pub(super) fn window(&mut self, left: usize, is_last: bool) -> Option<&mut [u8]> {
        match &mut self.body {
            Body::Binary(bytes) => bytes.window(left, is_last),
            Body::Text(_) => None,
        }
    }

    /// Takes `n` bytes that were read there, masked as they are.
    pub(super) fn filled(&mut self, n: usize) {
        if let Body::Binary(bytes) = &mut self.body {
            bytes.filled(n);
        }
    }

    /// Unmasks the last `n` bytes.
    pub(super) fn unmask_last(&mut self, n: usize, key: [u8; 4]) {
        if let Body::Binary(bytes) = &mut self.body {
            bytes.unmask_last(n, key);
        }
    }

    /// The end of the message.
    pub(super) fn finish(&self) -> Result<(), Violation> {
        match &self.body {
            Body::Text(text) => text.finish(),
            Body::Binary(_) => Ok(()),
        }
    }

    /// What [`finish`](Self::finish) has found to be whole.
    pub(super) fn piece(&self) -> Piece<'_> {
        match &self.body {
            Body::Text(text) => Piece::Text(text.as_str()),
            Body::Binary(bytes) => Piece::Binary(bytes.as_slice()),
        }
    }
}

/// Makes room for `more` bytes: at most doubled, and never beyond what is to come, so that an
/// announced length alone costs nothing.
fn grow(text: &mut Text, more: usize, to_come: Option<usize>) {
    let len = text.len();
    if len + more > text.capacity() {
        text.reserve_exact(more.max(len.min(to_come.unwrap_or(usize::MAX))));
    }
}
