//! The tables, and what people at them say and hear: JSON over sockets on one side, `game.rs` on the
//! other.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rushwire::{CloseCode, Hub, Socket, Timer, event};
use serde_json::{Value, json};

use super::board::{Board, Disc, Place};
use super::game::{Departure, Game, Refusal, State};

/// The longest player id and the longest chat message, in characters.
const LONGEST_ID: usize = 40;
const LONGEST_TEXT: usize = 500;
/// How many chat messages of a table are kept for those who come later, or come back.
const KEPT: usize = 50;

/// All tables that somebody is at.
pub(crate) struct Tables {
    tables: RefCell<HashMap<String, Table>>,
    /// How long a seat is kept for a player who has lost the connection.
    patience: Duration,
}

#[derive(Default)]
struct Table {
    game: Game,
    said: VecDeque<Value>,
    /// For each player who is away, what gives up the seat.
    waits: HashMap<String, Timer>,
}

impl Drop for Table {
    fn drop(&mut self) {
        for timer in self.waits.values() {
            timer.cancel();
        }
    }
}

/// Who somebody is, and where they sit: what their socket carries.
struct Visitor {
    player: String,
    game: String,
    room: String,
}

impl Tables {
    pub(crate) fn new(patience: Duration) -> Rc<Self> {
        Rc::new(Self {
            tables: RefCell::default(),
            patience,
        })
    }

    /// Somebody comes to a table: the first two play, the others watch.
    pub(crate) fn welcome(self: &Rc<Self>, socket: &Socket, game: &str, player: &str, key: &str) {
        let player = player.trim();
        if player.is_empty() {
            return refuse(socket, "Player ID required");
        }
        if player.chars().count() > LONGEST_ID {
            return refuse(socket, "Player ID too long");
        }
        let visitor = Visitor {
            player: player.to_owned(),
            game: game.to_owned(),
            room: format!("game:{game}"),
        };
        if !socket.join(&visitor.room).is_in() {
            return refuse(socket, "Bad game ID");
        }
        if let Err(refusal) = self.seat(socket, &visitor, key) {
            return refuse(socket, &refusal.to_string());
        }
        socket.set(visitor);
        self.listen(socket);
    }

    fn seat(&self, socket: &Socket, visitor: &Visitor, key: &str) -> Result<(), Refusal> {
        let mut tables = self.tables.borrow_mut();
        let table = tables.entry(visitor.game.clone()).or_default();
        let entry = table.game.enter(&visitor.player, key)?;
        if let Some(timer) = table.waits.remove(&visitor.player) {
            timer.cancel();
        }
        let mut shown = snapshot(&visitor.game, &table.game);
        if entry.began {
            socket.broadcast(&visitor.room, &shown.to_string());
        }
        shown["you"] = visitor.player.as_str().into();
        shown["chat"] = table.said.iter().cloned().collect();
        socket.send(&shown.to_string());
        if entry.is_new {
            let joined = census("player_joined", &visitor.player, &table.game);
            socket.broadcast(&visitor.room, &joined.to_string());
        }
        Ok(())
    }

    fn listen(self: &Rc<Self>, socket: &Socket) {
        let tables = Rc::clone(self);
        socket.on(event::Message, move |socket, message| {
            if let Err(reply) = tables.hear(socket, message.as_text()) {
                socket.send(&reply.to_string());
            }
        });
        socket.on(event::RateLimit, |socket, _| {
            socket.send(&error("Slow down").to_string());
        });
        let tables = Rc::clone(self);
        socket.on(event::Close, move |socket, close| {
            tables.farewell(socket, close.code == CloseCode(1000));
        });
    }

    /// Somebody does something. `Err` is what only they are told.
    fn hear(&self, socket: &Socket, text: Option<&str>) -> Result<(), Value> {
        let said: Value = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| error("Invalid message format"))?;
        let visitor = socket.data::<Visitor>();
        let visitor = visitor.ok_or_else(|| error("Not at a table"))?;
        let mut tables = self.tables.borrow_mut();
        let table = tables.get_mut(&visitor.game);
        let Table {
            game, said: kept, ..
        } = table.ok_or_else(|| error("Not at a table"))?;
        let tell = |what: Value| {
            socket.broadcast_all(&visitor.room, &what.to_string());
        };
        let why = |refusal: Refusal| error(&refusal.to_string());
        match said["type"].as_str() {
            Some("move") => play(game, &visitor, &said["move"]["column"], tell)?,
            Some("chat") => tell(chat(kept, &visitor, &said["text"])?),
            Some("rematch") => match game.offer_rematch(&visitor.player).map_err(why)? {
                true => tell(snapshot(&visitor.game, game)),
                false => tell(json!({ "type": "rematch_offered", "playerId": visitor.player })),
            },
            Some("sit") => {
                game.sit(&visitor.player).map_err(why)?;
                tell(snapshot(&visitor.game, game));
            }
            Some(_) => return Err(error("Unknown message type")),
            None => return Err(error("Invalid message format")),
        }
        Ok(())
    }

    /// A socket is gone. With its player's last one goes the player, at once or later; with the
    /// table's last one the table.
    fn farewell(self: &Rc<Self>, socket: &Socket, for_good: bool) {
        let Some(visitor) = socket.data::<Visitor>() else {
            return;
        };
        let mut tables = self.tables.borrow_mut();
        let Some(table) = tables.get_mut(&visitor.game) else {
            return;
        };
        let departure = table.game.leave(&visitor.player, for_good);
        if table.game.is_deserted() {
            tables.remove(&visitor.game);
            return;
        }
        let hub = socket.hub();
        if departure != Departure::StillHere {
            let left = census("player_left", &visitor.player, &table.game);
            hub.to(&visitor.room).send(&left.to_string());
        }
        match departure {
            Departure::StillHere | Departure::Gone => {}
            Departure::Away => {
                let player = visitor.player.clone();
                table.waits.insert(player, self.wait_for(hub, visitor));
            }
            Departure::SeatFree { ended } => tell_of_loss(hub, &visitor, &table.game, ended),
        }
    }

    /// Keeps the seat of somebody who may come back.
    fn wait_for(self: &Rc<Self>, hub: &Hub, visitor: Rc<Visitor>) -> Timer {
        let tables = Rc::clone(self);
        hub.set_timeout(self.patience, move |hub| {
            let mut tables = tables.tables.borrow_mut();
            let Some(table) = tables.get_mut(&visitor.game) else {
                return;
            };
            table.waits.remove(&visitor.player);
            if let Some(ended) = table.game.give_up(&visitor.player) {
                tell_of_loss(hub, &visitor, &table.game, ended);
            }
        })
    }
}

/// A seat is free, which may have ended the game.
fn tell_of_loss(hub: &Hub, visitor: &Visitor, game: &Game, ended: bool) {
    if ended {
        hub.to(&visitor.room).send(&game_over(game).to_string());
    }
    let shown = snapshot(&visitor.game, game);
    hub.to(&visitor.room).send(&shown.to_string());
}

fn play(
    game: &mut Game,
    visitor: &Visitor,
    column: &Value,
    tell: impl Fn(Value),
) -> Result<(), Value> {
    let refused = |reason: &str| json!({ "type": "invalid_move", "reason": reason });
    let column = column.as_u64().and_then(|column| column.try_into().ok());
    let column = column.ok_or_else(|| refused("Move not allowed"))?;
    let played = game.play(&visitor.player, column);
    let place = played.map_err(|refusal| refused(&refusal.to_string()))?;
    tell(json!({
        "type": "move_made", "playerId": visitor.player, "move": place_json(place),
        "board": board_json(game.board()), "turn": game.turn(),
    }));
    if matches!(game.state(), State::Over { .. }) {
        tell(game_over(game));
    }
    Ok(())
}

fn chat(kept: &mut VecDeque<Value>, visitor: &Visitor, text: &Value) -> Result<Value, Value> {
    let text = text.as_str().map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| error("Invalid message format"))?;
    if text.chars().count() > LONGEST_TEXT {
        return Err(error("The message is too long"));
    }
    let message = json!({
        "type": "chat_message", "playerId": visitor.player, "message": text, "timestamp": now(),
    });
    kept.push_back(message.clone());
    if kept.len() > KEPT {
        kept.pop_front();
    }
    Ok(message)
}

/// All there is to know of a game.
fn snapshot(id: &str, game: &Game) -> Value {
    let players: Vec<_> = game.players().map(|(id, _)| id).collect();
    let away = game.players().filter(|(_, here)| !here);
    let away: Vec<_> = away.map(|(id, _)| id).collect();
    let rematch: Vec<_> = players.iter().filter(|id| game.wants_rematch(id)).collect();
    let mut shown = json!({
        "type": "game_state", "gameId": id, "state": state_name(game.state()),
        "board": board_json(game.board()), "turn": game.turn(),
        "players": players, "away": away, "rematch": rematch,
        "seats": { "red": game.seat(0), "yellow": game.seat(1) },
        "scores": scores(game), "watching": game.watching(),
    });
    if let State::Over { winner, line } = game.state() {
        shown["winner"] = winner.as_deref().into();
        shown["line"] = line.iter().copied().map(place_json).collect();
    }
    shown
}

fn game_over(game: &Game) -> Value {
    let (winner, line) = match game.state() {
        State::Over { winner, line } => (winner.as_deref(), line.as_slice()),
        _ => (None, &[][..]),
    };
    let reason = match (winner, line) {
        (None, _) => "draw",
        (_, []) => "left",
        _ => "four",
    };
    let line: Vec<_> = line.iter().copied().map(place_json).collect();
    json!({
        "type": "game_over", "winner": winner, "finalBoard": board_json(game.board()),
        "reason": reason, "line": line, "scores": scores(game),
    })
}

/// Somebody has come or left.
fn census(what: &str, player: &str, game: &Game) -> Value {
    let here = game.players().filter(|(_, here)| *here).count();
    let plays = game.players().any(|(id, _)| id == player);
    json!({
        "type": what, "playerId": player, "playerCount": here,
        "watching": game.watching(), "plays": plays,
    })
}

fn scores(game: &Game) -> Value {
    let players = game.players().map(|(id, _)| id);
    players
        .map(|id| (id.to_owned(), Value::from(game.wins(id))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn state_name(state: &State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Playing { .. } => "playing",
        State::Over { .. } => "finished",
    }
}

/// Rows from the top, each of `"red"`, `"yellow"` or `null`.
fn board_json(board: &Board) -> Value {
    let rows = board.rows().iter();
    rows.map(|row| row.map(|cell| cell.map(Disc::name)).to_vec())
        .collect::<Vec<_>>()
        .into()
}

fn place_json(place: Place) -> Value {
    json!({ "column": place.column, "row": place.row })
}

fn error(why: &str) -> Value {
    json!({ "type": "error", "message": why })
}

/// Tells somebody why they cannot come in.
fn refuse(socket: &Socket, why: &str) {
    socket.send(&error(why).to_string());
    // It fails only for codes that may not be sent.
    let _ = socket.close_with(1008, why);
}

/// Milliseconds since 1970, as `Date.now()` counts.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}
