//! One game of connect four: who sits where, whose turn it is, and how it ends. Pure: it knows no
//! sockets, only how many each player has. `table.rs` lets people play it.

use std::collections::HashMap;
use std::fmt;

use super::board::{Board, Disc, NoPlace, Place};

/// What each of the two seats drops.
const DISCS: [Disc; 2] = [Disc::Red, Disc::Yellow];

/// Somebody at the table, by the id that they gave themselves.
struct Person {
    /// Nobody comes in again under this id without it.
    key: String,
    /// A player may be here twice: in two windows, or while an old connection is still dying.
    sockets: usize,
    seat: Option<usize>,
    wins: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// A seat is free, and nobody has played yet.
    #[default]
    Waiting,
    Playing {
        turn: usize,
    },
    /// Without a winner it is a draw, and without a line somebody has left.
    Over {
        winner: Option<String>,
        line: Vec<Place>,
    },
}

/// What came of somebody coming in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// They were not here before.
    pub(crate) is_new: bool,
    /// They took the second seat.
    pub(crate) began: bool,
}

/// What came of a socket's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departure {
    /// They have another socket.
    StillHere,
    /// Their seat is kept.
    Away,
    /// They watched, and are gone.
    Gone,
    /// They have given up their seat, and with it the game if they were playing.
    SeatFree { ended: bool },
}

/// Why something cannot be done. It is told to whoever wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    IdTaken,
    Watching,
    NotPlaying,
    NotYourTurn,
    NoPlace(NoPlace),
    NotOver,
    NobodyThere,
    NoFreeSeat,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IdTaken => "Player ID taken",
            Self::Watching => "You are watching",
            Self::NotPlaying => "There is no game going on",
            Self::NotYourTurn => "It is not your turn",
            Self::NoPlace(why) => return why.fmt(f),
            Self::NotOver => "The game is not over",
            Self::NobodyThere => "There is nobody to play with",
            Self::NoFreeSeat => "There is no free seat",
        })
    }
}

/// A game, and everyone at its table.
#[derive(Default)]
pub(crate) struct Game {
    people: HashMap<String, Person>,
    seats: [Option<String>; 2],
    /// How many sockets all of them have.
    sockets: usize,
    board: Board,
    state: State,
    starter: usize,
    rematch: [bool; 2],
}

impl Game {
    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Who sits there.
    pub(crate) fn seat(&self, seat: usize) -> Option<&str> {
        self.seats[seat].as_deref()
    }

    /// Those on the seats, in their order, and whether they are here.
    pub(crate) fn players(&self) -> impl Iterator<Item = (&str, bool)> {
        let seated = self.seats.iter().flatten();
        seated.map(|id| (id.as_str(), self.people[id].sockets > 0))
    }

    /// How many have come to watch.
    pub(crate) fn watching(&self) -> usize {
        self.people.len() - self.players().count()
    }

    /// Whose turn it is.
    pub(crate) fn turn(&self) -> Option<&str> {
        match self.state {
            State::Playing { turn } => self.seat(turn),
            _ => None,
        }
    }

    pub(crate) fn wins(&self, id: &str) -> u32 {
        self.people.get(id).map_or(0, |person| person.wins)
    }

    /// Whether `id` has offered a rematch.
    pub(crate) fn wants_rematch(&self, id: &str) -> bool {
        self.seat_of(id).is_some_and(|seat| self.rematch[seat])
    }

    pub(crate) fn is_deserted(&self) -> bool {
        self.sockets == 0
    }

    /// Another socket of `id`. The first two people take the seats.
    pub(crate) fn enter(&mut self, id: &str, key: &str) -> Result<Entry, Refusal> {
        let known = self.people.get_mut(id);
        let is_known = known.is_some();
        let person = match known {
            Some(person) if person.key != key => return Err(Refusal::IdTaken),
            Some(person) => person,
            None => self.people.entry(id.to_owned()).or_insert(Person {
                key: key.to_owned(),
                sockets: 0,
                seat: None,
                wins: 0,
            }),
        };
        person.sockets += 1;
        let is_new = person.sockets == 1;
        self.sockets += 1;
        let began = !is_known && self.sit(id) == Ok(true);
        Ok(Entry { is_new, began })
    }

    /// Somebody who watches takes a free seat. `true` if the game begins.
    pub(crate) fn sit(&mut self, id: &str) -> Result<bool, Refusal> {
        let free = self.seats.iter().position(Option::is_none);
        let seat = free.ok_or(Refusal::NoFreeSeat)?;
        let watching = self.people.get_mut(id).filter(|p| p.seat.is_none());
        watching.ok_or(Refusal::NoFreeSeat)?.seat = Some(seat);
        self.seats[seat] = Some(id.to_owned());
        let is_complete = self.seats.iter().all(Option::is_some);
        if is_complete {
            self.begin(0);
        }
        Ok(is_complete)
    }

    fn begin(&mut self, starter: usize) {
        self.board = Board::default();
        self.state = State::Playing { turn: starter };
        self.starter = starter;
        self.rematch = [false; 2];
    }

    /// A player drops a disc; gives the place where it comes to lie.
    pub(crate) fn play(&mut self, id: &str, column: usize) -> Result<Place, Refusal> {
        let seat = self.seat_of(id).ok_or(Refusal::Watching)?;
        let State::Playing { turn } = self.state else {
            return Err(Refusal::NotPlaying);
        };
        if seat != turn {
            return Err(Refusal::NotYourTurn);
        }
        let dropped = self.board.drop_disc(DISCS[seat], column);
        let place = dropped.map_err(Refusal::NoPlace)?;
        let line = self.board.four_through(place);
        if !line.is_empty() {
            self.end(Some(1 - seat), line);
        } else if self.board.is_full() {
            self.end(None, line);
        } else {
            self.state = State::Playing { turn: 1 - turn };
        }
        Ok(place)
    }

    /// Ends the game: the loser is a seat, since the winner's may be the only one left.
    fn end(&mut self, loser: Option<usize>, line: Vec<Place>) {
        let winner = loser.and_then(|seat| self.seats[1 - seat].clone());
        let person = winner.as_ref().and_then(|id| self.people.get_mut(id));
        person.into_iter().for_each(|person| person.wins += 1);
        self.state = State::Over { winner, line };
    }

    /// A player wants to play again. `true` if both do: the other one begins then.
    pub(crate) fn offer_rematch(&mut self, id: &str) -> Result<bool, Refusal> {
        let seat = self.seat_of(id).ok_or(Refusal::Watching)?;
        if !matches!(self.state, State::Over { .. }) {
            return Err(Refusal::NotOver);
        }
        if self.seats[1 - seat].is_none() {
            return Err(Refusal::NobodyThere);
        }
        self.rematch[seat] = true;
        let agreed = self.rematch == [true; 2];
        if agreed {
            self.begin(1 - self.starter);
        }
        Ok(agreed)
    }

    /// A socket of `id` has ended. A seat is given up when its player leaves `for_good`; otherwise it
    /// is kept until [`give_up`](Self::give_up).
    pub(crate) fn leave(&mut self, id: &str, for_good: bool) -> Departure {
        let Some(person) = self.people.get_mut(id) else {
            return Departure::StillHere;
        };
        person.sockets -= 1;
        self.sockets -= 1;
        if person.sockets > 0 {
            Departure::StillHere
        } else if person.seat.is_none() {
            self.people.remove(id);
            Departure::Gone
        } else if !for_good {
            Departure::Away
        } else {
            let ended = self.free_seat(id);
            Departure::SeatFree { ended }
        }
    }

    /// Somebody was away for too long. `None` if they are here; otherwise whether this ended the game.
    pub(crate) fn give_up(&mut self, id: &str) -> Option<bool> {
        let is_away = self.people.get(id)?.sockets == 0;
        is_away.then(|| self.free_seat(id))
    }

    /// `true` if this ended the game.
    fn free_seat(&mut self, id: &str) -> bool {
        let seat = self.seat_of(id);
        self.people.remove(id);
        let Some(seat) = seat else { return false };
        let was_playing = matches!(self.state, State::Playing { .. });
        if was_playing {
            self.end(Some(seat), Vec::new());
        }
        self.seats[seat] = None;
        self.rematch = [false; 2];
        was_playing
    }

    fn seat_of(&self, id: &str) -> Option<usize> {
        self.people.get(id)?.seat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Entry = Entry {
        is_new: true,
        began: false,
    };

    /// Ada and Brook at a table.
    fn begun() -> Game {
        let mut game = Game::default();
        assert_eq!(game.enter("Ada", "a"), Ok(NEW));
        assert_eq!(*game.state(), State::Waiting);
        let entry = Entry { began: true, ..NEW };
        assert_eq!(game.enter("Brook", "b"), Ok(entry));
        assert_eq!(game.turn(), Some("Ada"));
        game
    }

    /// Plays alternately, Ada first.
    fn play(game: &mut Game, columns: &[usize]) {
        for &column in columns {
            let who = game.turn().expect("a turn").to_owned();
            game.play(&who, column).expect("a legal move");
        }
    }

    /// Fills the board without four in a row.
    const DRAW: [usize; 42] = [
        0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 2, 3, 2, 3, 3, 2, 3, 2, 2, 3, 2, 3, 4, 5, 4, 5, 5, 4,
        5, 4, 4, 5, 4, 5, 6, 6, 6, 6, 6, 6,
    ];

    #[test]
    fn players_take_turns_and_whoever_has_four_wins() {
        let mut game = begun();
        play(&mut game, &[0, 1, 0, 1, 0, 1]);
        assert_eq!(game.turn(), Some("Ada"));
        assert_eq!(game.play("Ada", 0), Ok(Place { row: 2, column: 0 }));
        let line = (2..6).map(|row| Place { row, column: 0 }).collect();
        let winner = Some("Ada".to_owned());
        assert_eq!(*game.state(), State::Over { winner, line });
        assert_eq!((game.wins("Ada"), game.wins("Brook")), (1, 0));
        assert_eq!(game.turn(), None);
    }

    #[test]
    fn a_full_board_without_four_is_a_draw() {
        let mut game = begun();
        play(&mut game, &DRAW);
        let (winner, line) = (None, Vec::new());
        assert_eq!(*game.state(), State::Over { winner, line });
        assert!(game.board().is_full());
        assert_eq!((game.wins("Ada"), game.wins("Brook")), (0, 0));
    }

    #[test]
    fn a_move_that_is_not_allowed_changes_nothing() {
        let mut game = Game::default();
        game.enter("Ada", "").expect("she comes in");
        assert_eq!(game.play("Ada", 0), Err(Refusal::NotPlaying), "alone");
        let mut game = begun();
        game.enter("Cleo", "").expect("she comes in");
        play(&mut game, &[3, 3, 3, 3, 3, 3]);
        let board = game.board().clone();
        let full = Refusal::NoPlace(NoPlace::ColumnFull);
        let beside = Refusal::NoPlace(NoPlace::NoSuchColumn);
        let cases = [
            ("Brook", 0, Refusal::NotYourTurn),
            ("Cleo", 0, Refusal::Watching),
            ("Dora", 0, Refusal::Watching),
            ("Ada", 3, full),
            ("Ada", 7, beside),
        ];
        for (who, column, refusal) in cases {
            assert_eq!(game.play(who, column), Err(refusal), "{who} {column}");
        }
        assert_eq!((game.board(), game.turn()), (&board, Some("Ada")));
        play(&mut game, &[0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(game.play("Brook", 2), Err(Refusal::NotPlaying), "over");
    }

    #[test]
    fn a_rematch_needs_both_and_the_other_begins() {
        let mut game = begun();
        game.enter("Cleo", "").expect("she comes in");
        assert_eq!(game.offer_rematch("Ada"), Err(Refusal::NotOver));
        play(&mut game, &[0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(game.offer_rematch("Cleo"), Err(Refusal::Watching));
        assert_eq!(game.offer_rematch("Ada"), Ok(false));
        assert_eq!(game.offer_rematch("Ada"), Ok(false), "twice is once");
        assert!(game.wants_rematch("Ada") && !game.wants_rematch("Brook"));
        assert_eq!(game.offer_rematch("Brook"), Ok(true));
        assert_eq!(game.turn(), Some("Brook"));
        assert_eq!(*game.board(), Board::default());
        assert_eq!(game.wins("Ada"), 1, "the score stays");
        assert!(!game.wants_rematch("Ada"));
    }

    #[test]
    fn a_player_is_here_as_long_as_one_of_their_sockets_is() {
        let mut game = begun();
        let again = Entry {
            is_new: false,
            began: false,
        };
        assert_eq!(game.enter("Ada", "a"), Ok(again));
        assert_eq!(game.leave("Ada", true), Departure::StillHere);
        assert_eq!(game.turn(), Some("Ada"));
        assert_eq!(game.leave("Ada", false), Departure::Away);
        let players: Vec<_> = game.players().collect();
        assert_eq!(players, [("Ada", false), ("Brook", true)]);
        assert_eq!(game.turn(), Some("Ada"), "her seat is kept");
        assert_eq!(game.enter("Ada", "a"), Ok(NEW));
        assert_eq!(game.give_up("Ada"), None, "she has come back");
        assert!(!game.is_deserted());
    }

    #[test]
    fn nobody_takes_the_id_of_somebody_else() {
        let mut game = begun();
        assert_eq!(game.enter("Ada", ""), Err(Refusal::IdTaken));
        assert_eq!(game.enter("Ada", "b"), Err(Refusal::IdTaken));
        assert_eq!(game.leave("Ada", false), Departure::Away);
        assert_eq!(game.enter("Ada", "b"), Err(Refusal::IdTaken), "away");
        assert_eq!(game.give_up("Ada"), Some(true));
        assert_eq!(game.enter("Ada", "b").map(|entry| entry.began), Ok(true));
    }

    #[test]
    fn who_leaves_for_good_or_is_away_for_too_long_loses() {
        for for_good in [true, false] {
            let mut game = begun();
            play(&mut game, &[0, 1]);
            if for_good {
                let gone = Departure::SeatFree { ended: true };
                assert_eq!(game.leave("Ada", true), gone);
            } else {
                assert_eq!(game.leave("Ada", false), Departure::Away);
                assert_eq!(game.give_up("Brook"), None, "he is here");
                assert_eq!(game.give_up("Ada"), Some(true));
            }
            let (winner, line) = (Some("Brook".to_owned()), Vec::new());
            assert_eq!(*game.state(), State::Over { winner, line });
            assert_eq!(game.offer_rematch("Brook"), Err(Refusal::NobodyThere));
            assert_eq!((game.seat(0), game.seat(1)), (None, Some("Brook")));
        }
    }

    #[test]
    fn those_who_watch_take_a_free_seat_when_they_want_it() {
        let mut game = begun();
        assert_eq!(game.enter("Cleo", ""), Ok(NEW));
        assert_eq!(game.watching(), 1);
        assert_eq!(game.sit("Cleo"), Err(Refusal::NoFreeSeat));
        game.leave("Ada", true);
        assert_eq!(game.sit("Brook"), Err(Refusal::NoFreeSeat), "he has one");
        assert_eq!(game.sit("Dora"), Err(Refusal::NoFreeSeat), "not here");
        assert_eq!(game.sit("Cleo"), Ok(true));
        assert_eq!((game.seat(0), game.turn()), (Some("Cleo"), Some("Cleo")));
        assert_eq!(game.watching(), 0);
        assert_eq!(game.wins("Brook"), 1);
    }

    #[test]
    fn a_table_is_deserted_when_the_last_socket_is_gone() {
        let mut game = begun();
        game.enter("Cleo", "").expect("she comes in");
        for (who, for_good) in [("Ada", false), ("Brook", true)] {
            game.leave(who, for_good);
            assert!(!game.is_deserted(), "{who}");
        }
        assert_eq!(game.leave("Cleo", false), Departure::Gone);
        assert!(game.is_deserted());
    }
}
