//! What the decoder must remember when its input ends inside a frame or a message.
//!
//! ```text
//!            ┌──────── header whole ────────┐
//!            │                              ▼
//!      no frame (head)                frame (left)
//!            ▲                              │
//!            └─ payload whole: end_frame ───┘──▶ ready: a piece, until `resume`
//! ```

use super::assembly::Assembly;
use super::close::CloseCode;
use super::decoder::{Piece, parse_close};
use super::frame::{Header, MAX_CONTROL, MAX_HEADER, Opcode};
use super::mask::{mask, rotated};
use super::rules::Rules;
use super::violation::Violation;

/// A frame or a message that is under way.
#[derive(Debug)]
pub(super) struct Partial {
    /// A header that is cut, in `..head_len`.
    head: [u8; MAX_HEADER],
    head_len: usize,
    frame: Option<Frame>,
    message: Option<Assembly>,
    /// The payload of a control frame, in `..control_len`: it may come between fragments.
    control: [u8; MAX_CONTROL],
    control_len: usize,
    ready: Option<Ready>,
}

/// A frame whose payload is arriving.
#[derive(Clone, Copy, Debug)]
struct Frame {
    fin: bool,
    opcode: Opcode,
    /// Rotated to fit the next byte.
    key: Option<[u8; 4]>,
    /// Bytes that have not come yet.
    left: u64,
    /// So many of those that came last are still masked.
    masked: usize,
}

impl Frame {
    /// Unmasks what was read to where it belongs. All at once and as late as can be: what is sent on at
    /// once, and much is, then comes from a cache.
    fn unmask(&mut self, message: &mut Assembly) {
        let masked = std::mem::take(&mut self.masked);
        if let Some(key) = self.key
            && masked > 0
        {
            message.unmask_last(masked, key);
            self.key = Some(rotated(key, masked));
        }
    }

    /// The next `n` bytes of the payload have come.
    fn take(&mut self, n: usize) {
        self.left = self.left.saturating_sub(n as u64);
        self.key = self.key.map(|key| rotated(key, n));
    }
}

/// What is complete and was handed out by the last step.
#[derive(Debug)]
enum Ready {
    Message,
    Ping,
    Pong,
    Close(CloseCode, Box<str>),
}

/// What is left when the piece that was handed out is done with.
pub(super) enum Rest {
    Nothing,
    Something,
    /// A close frame came: nothing after it counts (RFC 6455 §5.5.1).
    Closed,
}

impl Partial {
    pub(super) fn new() -> Self {
        Self {
            head: [0; MAX_HEADER],
            head_len: 0,
            frame: None,
            message: None,
            control: [0; MAX_CONTROL],
            control_len: 0,
            ready: None,
        }
    }

    /// Lets go of the piece that the last step handed out, if it did.
    pub(super) fn resume(&mut self) -> Rest {
        match self.ready.take() {
            Some(Ready::Close(..)) => Rest::Closed,
            Some(Ready::Ping | Ready::Pong) if self.message.is_some() => {
                self.control_len = 0;
                Rest::Something
            }
            Some(_) => Rest::Nothing,
            None => Rest::Something,
        }
    }

    /// Takes bytes off the front of `input`, until a piece is ready or all of it is used.
    /// Gives how many.
    pub(super) fn advance(&mut self, input: &mut [u8], rules: Rules) -> Result<usize, Violation> {
        let mut used = 0;
        while self.ready.is_none()
            && let Some(rest) = input.get_mut(used..)
            && !rest.is_empty()
        {
            used += match self.frame.take() {
                None => self.read_header(rest, rules)?,
                Some(frame) => self.read_payload(frame, rest)?,
            };
        }
        Ok(used)
    }

    /// Where the next bytes of the message belong, if much of its frame is still to come.
    pub(super) fn window(&mut self) -> Option<&mut [u8]> {
        let frame = self
            .frame
            .as_ref()
            .filter(|frame| !frame.opcode.is_control())?;
        let left = usize::try_from(frame.left).unwrap_or(usize::MAX);
        self.message.as_mut()?.window(left, frame.fin)
    }

    /// Takes `n` bytes that were put there.
    pub(super) fn filled(&mut self, n: usize) -> Result<(), Violation> {
        let (Some(mut frame), Some(message)) = (self.frame.take(), &mut self.message) else {
            return Ok(());
        };
        message.filled(n);
        frame.left = frame.left.saturating_sub(n as u64);
        frame.masked += n;
        if frame.left == 0 {
            frame.unmask(message);
        }
        self.go_on(frame)
    }

    /// The piece that is ready.
    pub(super) fn piece(&self) -> Option<Piece<'_>> {
        Some(match self.ready.as_ref()? {
            Ready::Message => self.message.as_ref()?.piece(),
            Ready::Ping => Piece::Ping(self.control()),
            Ready::Pong => Piece::Pong(self.control()),
            Ready::Close(code, reason) => Piece::Close(*code, reason),
        })
    }

    /// Bytes of heap memory held for the message, without this struct.
    pub(super) fn capacity(&self) -> usize {
        self.message.as_ref().map_or(0, Assembly::capacity)
    }

    fn read_header(&mut self, input: &[u8], rules: Rules) -> Result<usize, Violation> {
        let before = self.head_len;
        for (place, byte) in self.head.iter_mut().skip(before).zip(input) {
            *place = *byte;
            self.head_len += 1;
        }
        let head = self.head.get(..self.head_len).unwrap_or_default();
        let Some((header, size)) = Header::parse(head)? else {
            return Ok(self.head_len - before);
        };
        self.head_len = 0;
        rules.judge(&header, self.message.as_ref().map(Assembly::len))?;
        self.begin_frame(&header)?;
        Ok(size - before)
    }

    fn begin_frame(&mut self, header: &Header) -> Result<(), Violation> {
        let frame = Frame {
            fin: header.fin,
            opcode: header.opcode,
            key: header.mask,
            left: header.len,
            masked: 0,
        };
        if !frame.opcode.is_control() {
            let new = || Assembly::new(frame.opcode);
            let message = self.message.get_or_insert_with(new);
            if frame.left == 0 {
                message.push_empty()?;
            }
        }
        self.go_on(frame)
    }

    fn read_payload(&mut self, mut frame: Frame, input: &mut [u8]) -> Result<usize, Violation> {
        let left = usize::try_from(frame.left).unwrap_or(usize::MAX);
        let taken = left.min(input.len());
        let (payload, _) = input.split_at_mut(taken);
        match &mut self.message {
            Some(message) if !frame.opcode.is_control() => {
                frame.unmask(message);
                message.push(payload, frame.key, frame.fin.then_some(frame.left))?;
            }
            _ => self.push_control(payload, frame.key),
        }
        frame.take(taken);
        self.go_on(frame)?;
        Ok(taken)
    }

    fn go_on(&mut self, frame: Frame) -> Result<(), Violation> {
        if frame.left > 0 {
            self.frame = Some(frame);
            return Ok(());
        }
        self.end_frame(frame)
    }

    fn end_frame(&mut self, frame: Frame) -> Result<(), Violation> {
        self.ready = match (frame.opcode, &self.message) {
            (Opcode::Ping, _) => Some(Ready::Ping),
            (Opcode::Pong, _) => Some(Ready::Pong),
            (Opcode::Close, _) => {
                let (code, reason) = parse_close(self.control())?;
                Some(Ready::Close(code, reason.into()))
            }
            (_, Some(message)) if frame.fin => {
                message.finish()?;
                Some(Ready::Message)
            }
            _ => None,
        };
        Ok(())
    }

    fn push_control(&mut self, payload: &mut [u8], key: Option<[u8; 4]>) {
        if let Some(key) = key {
            mask(payload, key);
        }
        let free = self.control.iter_mut().skip(self.control_len);
        for (place, byte) in free.zip(payload) {
            *place = *byte;
            self.control_len += 1;
        }
    }

    fn control(&self) -> &[u8] {
        self.control.get(..self.control_len).unwrap_or_default()
    }
}
