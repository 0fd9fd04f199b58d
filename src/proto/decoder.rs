//! From bytes to pieces of a conversation, in whatever portions they come (RFC 6455 §5, §6.2).
//!
//! A frame that lies whole in the input is unmasked and handed out where it lies. Everything
//! else goes through [`Partial`], which exists only while it is needed, so that an idle
//! connection costs no heap. The session drives one decoder for each connection.

use super::close::CloseCode;
use super::frame::{Header, MAX_CONTROL, Opcode};
use super::mask::mask;
use super::partial::{Partial, Rest};
pub(crate) use super::rules::Role;
use super::rules::Rules;
use super::text::text;
use super::violation::Violation;
use std::ops::Range;

/// What the peer said. It borrows the input, or the decoder if it came in portions; either way
/// it is gone at the next [`Decoder::step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole binary message.
    Binary(&'a [u8]),
    /// To be answered with a pong of the same payload (RFC 6455 §5.5.2).
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// The code, [`CloseCode::NO_STATUS`] if the frame had none, and the reason.
    Close(CloseCode, &'a str),
}

/// The outcome of one [`Decoder::step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    /// Bytes taken off the front of the input.
    pub(crate) used: usize,
    /// `None` exactly when all input is used and completes nothing.
    pub(crate) piece: Option<Piece<'a>>,
}

/// The reading half of a connection.
///
/// ```text
///             ┌──── whole frame ────┐
///             ▼                     │
///   ┌───────▶ Idle ─────────────────┤
///   │         │ cut or fragmented   │ close frame
///   │         ▼                     ▼
///   └────── Partial ─────────────▶ Closed       any violation ──▶ Failed
/// ```
#[derive(Debug)]
pub(crate) struct Decoder {
    /// `None`: idle.
    state: Option<Box<State>>,
    max_message: usize,
    role: Role,
    /// A close frame has come.
    is_closed: bool,
    /// One more than the longest payload of a frame with a [`SHORT_HEADER`]; 0 for a client, and
    /// behind a close frame.
    short_end: u8,
}

/// Anything but idle, which is to be between two messages and between two frames.
#[derive(Debug)]
enum State {
    Partial(Box<Partial>),
    Failed(Violation),
}

/// A final, masked data frame that lies whole in the input: what most traffic is.
#[derive(Clone, Copy)]
pub(crate) struct Plain {
    is_text: bool,
    key: [u8; 4],
    /// Where the payload begins, and the frame ends.
    from: usize,
    pub(crate) end: usize,
}

/// Length in bytes of a masked header with a length of 7 bits.
const SHORT_HEADER: usize = 6;

/// Length in bytes of a masked header with a length of 16 bits.
const MEDIUM_HEADER: usize = 8;

impl Decoder {
    /// A decoder for our side of a connection, with the most bytes that a message may have.
    pub(crate) fn new(role: Role, max_message: usize) -> Self {
        let longest = max_message.min(MAX_CONTROL) as u8;
        Self {
            state: None,
            max_message,
            role,
            is_closed: false,
            short_end: if role == Role::Server { longest + 1 } else { 0 },
        }
    }

    /// Takes bytes off the front of `input`, until a piece is complete or all of it is used.
    ///
    /// Call again with the rest until there is no piece, also when no rest is left: that lets
    /// go of the memory of the last one. `input` is unmasked in place. After a close frame all
    /// input is swallowed (RFC 6455 §5.5.1).
    ///
    /// # Errors
    ///
    /// The connection must be failed with [`Violation::close_code`] (RFC 6455 §7.1.7). Every
    /// further step gives the same error.
    #[inline]
    pub(crate) fn step<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Step<'a>, Violation> {
        match self.plain(input) {
            Some(plain) => self.plain_step(plain, input),
            None => self.step_any(input),
        }
    }

    /// The frame at the front of `input` if it is of the most usual kind: short, whole, and a message
    /// by itself. [`open`](Self::open) it next; anything else is for [`step`](Self::step).
    #[inline(always)]
    pub(crate) fn plain(&self, input: &[u8]) -> Option<Plain> {
        let [first, second, key @ ..] = input.first_chunk::<SHORT_HEADER>()?;
        let end = SHORT_HEADER + usize::from(second ^ 0x80);
        let is_plain = self.state.is_none()
            && matches!(first, 0x81 | 0x82)
            && second ^ 0x80 < self.short_end
            && end <= input.len();
        is_plain.then_some(Plain {
            is_text: *first == 0x81,
            key: *key,
            from: SHORT_HEADER,
            end,
        })
    }

    /// What a plain frame says: its payload is unmasked where it lies.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    #[inline(always)]
    pub(crate) fn open<'a>(
        &mut self,
        plain: Plain,
        frame: &'a mut [u8],
    ) -> Result<Piece<'a>, Violation> {
        let payload = frame.get_mut(plain.from..plain.end).unwrap_or_default();
        mask(payload, plain.key);
        if !plain.is_text {
            return Ok(Piece::Binary(payload));
        }
        match text(payload) {
            Ok(text) => Ok(Piece::Text(text)),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    /// Where the next bytes of a large binary message belong: reading them there saves a copy.
    ///
    /// Call [`filled`](Self::filled) when some have been put at its front. It is never empty, and ends
    /// with the frame at the latest.
    #[inline]
    pub(crate) fn window(&mut self) -> Option<&mut [u8]> {
        match self.state.as_deref_mut()? {
            State::Partial(partial) => partial.window(),
            State::Failed(_) => None,
        }
    }

    /// Takes `n` bytes that were put at the front of the [`window`](Self::window). Gives the message
    /// if they complete it; call [`step`](Self::step) next, be it without input.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub(crate) fn filled(&mut self, n: usize) -> Result<Option<Piece<'_>>, Violation> {
        let Some(State::Partial(partial)) = self.state.as_deref_mut() else {
            return Ok(None);
        };
        match partial.filled(n) {
            Ok(()) => Ok(self.ready()),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    /// Whether nothing is under way and nothing is held.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.state.is_none() && !self.is_closed
    }

    /// Bytes of heap memory held.
    pub(crate) fn buffered(&self) -> usize {
        let of_state = self.state.as_deref().map_or(0, size_of_val);
        match self.state.as_deref() {
            Some(State::Partial(partial)) => of_state + size_of::<Partial>() + partial.capacity(),
            _ => of_state,
        }
    }

    fn medium(&self, input: &[u8]) -> Option<Plain> {
        let [first, second, high, low, a, b, c, d] = *input.first_chunk::<MEDIUM_HEADER>()?;
        let len = usize::from(u16::from_be_bytes([high, low]));
        let end = MEDIUM_HEADER + len;
        let is_medium = self.state.is_none()
            && self.role == Role::Server
            && matches!(first, 0x81 | 0x82)
            && second == 0x80 | 126
            && (126..=self.max_message).contains(&len)
            && end <= input.len();
        is_medium.then_some(Plain {
            is_text: first == 0x81,
            key: [a, b, c, d],
            from: MEDIUM_HEADER,
            end,
        })
    }

    fn plain_step<'a>(&mut self, plain: Plain, input: &'a mut [u8]) -> Result<Step<'a>, Violation> {
        Ok(Step {
            used: plain.end,
            piece: Some(self.open(plain, input)?),
        })
    }

    #[inline(never)]
    fn step_any<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Step<'a>, Violation> {
        if self.is_closed {
            return Ok(self.swallow(input));
        }
        if let Some(plain) = self.medium(input) {
            return self.plain_step(plain, input);
        }
        let Some(mut state) = self.state.take() else {
            return self.begin(input);
        };
        match &mut *state {
            State::Partial(partial) => match partial.resume() {
                Rest::Nothing => self.begin(input),
                Rest::Something => self.go_on(state, input),
                Rest::Closed => Ok(self.swallow(input)),
            },
            State::Failed(violation) => Err(self.fail(*violation)),
        }
    }

    /// Nothing is under way: `input` begins with a header.
    fn begin<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Step<'a>, Violation> {
        match self.whole_frame(input) {
            Ok(Some((header, payload))) => self.deliver(&header, payload, input),
            Ok(None) if input.is_empty() => Ok(Step {
                used: 0,
                piece: None,
            }),
            Ok(None) => {
                let partial = Box::new(Partial::new());
                self.go_on(Box::new(State::Partial(partial)), input)
            }
            Err(violation) => Err(self.fail(violation)),
        }
    }

    /// The header at the front of `input` and where its payload lies, if all of it is there
    /// and is a message by itself or a control frame.
    fn whole_frame(&self, input: &[u8]) -> Result<Option<(Header, Range<usize>)>, Violation> {
        let Some((header, from)) = Header::parse(input)? else {
            return Ok(None);
        };
        self.rules().judge(&header, None)?;
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let to = from.saturating_add(len);
        let is_whole = header.fin && to <= input.len();
        Ok(is_whole.then_some((header, from..to)))
    }

    fn deliver<'a>(
        &mut self,
        header: &Header,
        payload: Range<usize>,
        input: &'a mut [u8],
    ) -> Result<Step<'a>, Violation> {
        let used = payload.end;
        let payload = input.get_mut(payload).unwrap_or_default();
        if let Some(key) = header.mask {
            mask(payload, key);
        }
        let piece = match piece(header.opcode, payload) {
            Ok(piece) => piece,
            Err(violation) => return Err(self.fail(violation)),
        };
        if let Piece::Close(..) = piece {
            self.close();
        }
        Ok(Step {
            used,
            piece: Some(piece),
        })
    }

    /// Something is under way that `input` goes on with.
    fn go_on<'a>(
        &'a mut self,
        mut state: Box<State>,
        input: &mut [u8],
    ) -> Result<Step<'a>, Violation> {
        let rules = self.rules();
        let advanced = match &mut *state {
            State::Partial(partial) => partial.advance(input, rules),
            State::Failed(_) => Ok(0),
        };
        match advanced {
            Ok(used) => {
                self.state = Some(state);
                let piece = self.ready();
                Ok(Step { used, piece })
            }
            Err(violation) => Err(self.fail(violation)),
        }
    }

    fn rules(&self) -> Rules {
        Rules {
            role: self.role,
            max_message: self.max_message,
        }
    }

    fn ready(&self) -> Option<Piece<'_>> {
        match self.state.as_deref()? {
            State::Partial(partial) => partial.piece(),
            State::Failed(_) => None,
        }
    }

    fn swallow(&mut self, input: &[u8]) -> Step<'static> {
        self.close();
        Step {
            used: input.len(),
            piece: None,
        }
    }

    fn close(&mut self) {
        self.state = None;
        self.is_closed = true;
        self.short_end = 0;
    }

    #[cold]
    fn fail(&mut self, violation: Violation) -> Violation {
        self.state = Some(Box::new(State::Failed(violation)));
        violation
    }
}

/// What a frame says whose payload lies unmasked in one piece.
fn piece(opcode: Opcode, payload: &[u8]) -> Result<Piece<'_>, Violation> {
    Ok(match opcode {
        Opcode::Text => Piece::Text(text(payload)?),
        Opcode::Binary | Opcode::Continuation => Piece::Binary(payload),
        Opcode::Ping => Piece::Ping(payload),
        Opcode::Pong => Piece::Pong(payload),
        Opcode::Close => {
            let (code, reason) = parse_close(payload)?;
            Piece::Close(code, reason)
        }
    })
}

/// The code and the reason in the payload of a close frame (RFC 6455 §5.5.1).
pub(super) fn parse_close(payload: &[u8]) -> Result<(CloseCode, &str), Violation> {
    match payload {
        [] => Ok((CloseCode::NO_STATUS, "")),
        [_] => Err(Violation::CloseTooShort),
        [high, low, reason @ ..] => {
            let code = CloseCode(u16::from_be_bytes([*high, *low]));
            if !code.is_sendable() {
                return Err(Violation::CloseCode(code));
            }
            Ok((code, text(reason)?))
        }
    }
}

#[cfg(test)]
mod tests;
