//! What is written down of one socket by its listeners, and of what was sent to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use rushwire::{SendStatus, Socket, event};

/// What was seen that must not be.
#[derive(Clone, Default)]
pub(super) struct Faults(Rc<RefCell<Vec<String>>>);

impl Faults {
    pub(super) fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// What is known of one socket.
#[derive(Default)]
pub(super) struct Page {
    pub(super) socket: RefCell<Option<Socket>>,
    /// The numbers of the messages that were sent to it and not refused, in order.
    pub(super) sent: RefCell<Vec<u32>>,
    /// The numbers of messages that were kept until there was a socket, this one or another, in order.
    pub(super) kept: Rc<RefCell<Vec<u32>>>,
    /// What it has heard, in order.
    pub(super) heard: RefCell<Vec<String>>,
    pub(super) rooms: RefCell<BTreeSet<&'static str>>,
    /// Told by `Drain`.
    pub(super) dropped: Cell<usize>,
    /// How it ended: who began and with what code, and how many messages `Close` told.
    pub(super) end: RefCell<Option<End>>,
}

pub(super) struct End {
    pub(super) by: event::By,
    pub(super) code: u16,
    pub(super) cause: String,
    pub(super) undelivered: usize,
}

impl Page {
    /// Writes down all that is heard.
    pub(super) fn watch(self: &Rc<Self>, socket: &Socket, faults: &Faults) {
        let (page, wrong) = (Rc::clone(self), faults.clone());
        socket.on(event::Message, move |_, message| {
            if !page.is_open() {
                wrong.note("a message behind Close");
            }
            let text = message.as_text().unwrap_or("binary");
            page.heard.borrow_mut().push(text.to_owned());
        });
        let (page, wrong) = (Rc::clone(self), faults.clone());
        socket.on(event::Drain, move |_, drained| {
            if !page.is_open() {
                wrong.note("Drain behind Close");
            }
            page.dropped.set(page.dropped.get() + drained.undelivered);
        });
        let (page, wrong) = (Rc::clone(self), faults.clone());
        socket.on(event::Close, move |_, closed| {
            if matches!(closed.cause, event::Cause::Panic) {
                wrong.note("a listener has panicked");
            }
            let end = End {
                by: closed.by,
                code: closed.code.0,
                cause: format!("{:?}", closed.cause),
                undelivered: closed.undelivered,
            };
            page.rooms.borrow_mut().clear();
            if page.end.replace(Some(end)).is_some() {
                wrong.note("Close is told twice");
            }
        });
        *self.socket.borrow_mut() = Some(socket.clone());
    }

    /// Whether the application has ended it.
    pub(super) fn was_ended_here(&self) -> bool {
        let end = self.end.borrow();
        let asked = ["Requested", "Terminated"];
        end.as_ref()
            .is_some_and(|end| end.by == event::By::Us && asked.contains(&&*end.cause))
    }

    pub(super) fn is_open(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// Whether it was let in, and has not ended.
    pub(super) fn is_known(&self) -> bool {
        self.socket.borrow().is_some() && self.is_open()
    }

    pub(super) fn socket(&self) -> Option<Socket> {
        self.socket.borrow().clone()
    }

    /// Message `number` was sent, and that became of it.
    pub(super) fn note(&self, number: u32, status: SendStatus) {
        if status != SendStatus::Closed {
            self.sent.borrow_mut().push(number);
        }
    }

    /// How many were neither delivered nor lost with the connection, as the listeners were told.
    pub(super) fn undelivered(&self) -> usize {
        let end = self.end.borrow();
        self.dropped.get() + end.as_ref().map_or(0, |end| end.undelivered)
    }
}
