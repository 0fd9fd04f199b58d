//! The board of connect four: where discs fall, and who has four in a row. Pure; `game.rs` plays on it.

use std::fmt;

/// How many columns the board has, and how many rows; row 0 is the top one.
pub(crate) const COLUMNS: usize = 7;
pub(crate) const ROWS: usize = 6;
/// So many in a row win.
const ENOUGH: usize = 4;

/// What the two players drop: the first to come in has the red ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disc {
    Red,
    Yellow,
}

impl Disc {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
        }
    }
}

/// A place on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Why a disc cannot fall there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    NoSuchColumn,
    ColumnFull,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchColumn => "There is no such column",
            Self::ColumnFull => "This column is full",
        })
    }
}

/// An upright board of seven columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Board {
    cells: [[Option<Disc>; COLUMNS]; ROWS],
}

impl Board {
    /// The rows, the top one first.
    pub(crate) fn rows(&self) -> &[[Option<Disc>; COLUMNS]; ROWS] {
        &self.cells
    }

    /// Lets a disc fall into a column; gives the place where it comes to lie.
    pub(crate) fn drop_disc(&mut self, disc: Disc, column: usize) -> Result<Place, NoPlace> {
        if column >= COLUMNS {
            return Err(NoPlace::NoSuchColumn);
        }
        let lowest = (0..ROWS)
            .rev()
            .find(|&row| self.cells[row][column].is_none());
        let row = lowest.ok_or(NoPlace::ColumnFull)?;
        self.cells[row][column] = Some(disc);
        Ok(Place { row, column })
    }

    /// Whether no disc can fall any more.
    pub(crate) fn is_full(&self) -> bool {
        self.cells[0].iter().all(Option::is_some)
    }

    /// The discs of all rows of four or more that go through `place`, sorted; empty if there is none.
    pub(crate) fn four_through(&self, place: Place) -> Vec<Place> {
        let mut line = Vec::new();
        for (down, right) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
            let ahead = self.same_from(place, down, right);
            let behind = self.same_from(place, -down, -right);
            if 1 + ahead.len() + behind.len() >= ENOUGH {
                line.extend(ahead.into_iter().chain(behind).chain([place]));
            }
        }
        line.sort_unstable();
        line.dedup();
        line
    }

    /// The discs like the one at `place` that follow it in that direction without a gap.
    fn same_from(&self, place: Place, down: isize, right: isize) -> Vec<Place> {
        let disc = self.cells[place.row][place.column];
        let steps = (1..ENOUGH.max(COLUMNS) as isize).map_while(|step| {
            let row = place.row.checked_add_signed(down * step)?;
            let column = place.column.checked_add_signed(right * step)?;
            let found = *self.cells.get(row)?.get(column)?;
            (disc.is_some() && found == disc).then_some(Place { row, column })
        });
        steps.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board from a picture: `x` is red, `o` yellow. It is filled from below, as discs fall.
    fn board(picture: &[&str]) -> Board {
        let mut board = Board::default();
        for line in picture.iter().rev() {
            for (column, sign) in line.bytes().enumerate() {
                let disc = match sign {
                    b'x' => Disc::Red,
                    b'o' => Disc::Yellow,
                    _ => continue,
                };
                board.drop_disc(disc, column).expect("it has a place");
            }
        }
        board
    }

    fn places(all: &[(usize, usize)]) -> Vec<Place> {
        all.iter()
            .map(|&(row, column)| Place { row, column })
            .collect()
    }

    #[test]
    fn a_disc_falls_onto_what_lies_there() {
        let mut board = Board::default();
        for row in (0..ROWS).rev() {
            assert_eq!(board.drop_disc(Disc::Red, 3), Ok(Place { row, column: 3 }));
        }
        assert_eq!(board.drop_disc(Disc::Red, 3), Err(NoPlace::ColumnFull));
        assert_eq!(
            board.drop_disc(Disc::Red, COLUMNS),
            Err(NoPlace::NoSuchColumn)
        );
        assert_eq!(
            board.drop_disc(Disc::Red, usize::MAX),
            Err(NoPlace::NoSuchColumn)
        );
        let discs = board.rows().iter().flatten().flatten().count();
        assert_eq!(discs, ROWS, "what was refused is not there");
    }

    #[test]
    fn four_in_a_row_are_found_in_every_direction_and_from_every_disc_of_them() {
        type Case = (
            &'static str,
            &'static [&'static str],
            &'static [(usize, usize)],
        );
        let cases: &[Case] = &[
            (
                "level, at the left",
                &["xxxx..."],
                &[(5, 0), (5, 1), (5, 2), (5, 3)],
            ),
            (
                "level, at the right",
                &["ooo....", "...xxxx"],
                &[(5, 3), (5, 4), (5, 5), (5, 6)],
            ),
            (
                "upright",
                &["..x....", "..x....", "..x....", "..x...."],
                &[(2, 2), (3, 2), (4, 2), (5, 2)],
            ),
            (
                "rising",
                &["...x...", "..xo...", ".xoo...", "xooo..."],
                &[(2, 3), (3, 2), (4, 1), (5, 0)],
            ),
            (
                "falling",
                &["...x...", "...ox..", "...oox.", "...ooox"],
                &[(2, 3), (3, 4), (4, 5), (5, 6)],
            ),
            (
                "seven",
                &["xxxxxxx"],
                &[(5, 0), (5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (5, 6)],
            ),
        ];
        for (name, picture, line) in cases {
            let (board, line) = (board(picture), places(line));
            for &place in &line {
                assert_eq!(board.four_through(place), line, "{name} from {place:?}");
            }
        }
    }

    #[test]
    fn three_are_too_few_and_a_gap_or_the_other_colour_or_the_edge_ends_a_row() {
        let cases: &[(&str, &[&str])] = &[
            ("three", &["xxx...."]),
            ("a gap", &["xx.xx.."]),
            ("the other colour between", &["xxoxx.."]),
            (
                "three upright",
                &["o......", "x......", "x......", "x......"],
            ),
            ("round the edge", &["xx...xx"]),
            ("round the edge, one row up", &["oo...xx", "xx...oo"]),
        ];
        for (name, picture) in cases {
            let board = board(picture);
            for row in 0..ROWS {
                for column in 0..COLUMNS {
                    let line = board.four_through(Place { row, column });
                    assert_eq!(line, [], "{name}");
                }
            }
        }
    }

    #[test]
    fn a_disc_may_end_two_rows_at_once() {
        let board = board(&["...x...", "..xo...", ".xox...", "xoxxxx."]);
        let line = board.four_through(Place { row: 5, column: 3 });
        assert_eq!(line, places(&[(5, 2), (5, 3), (5, 4), (5, 5)]));
        let both = self::board(&["x......", "xo.....", "xoo....", "xxxx..."]);
        let corner = both.four_through(Place { row: 5, column: 0 });
        assert_eq!(
            corner,
            places(&[(2, 0), (3, 0), (4, 0), (5, 0), (5, 1), (5, 2), (5, 3)])
        );
    }

    #[test]
    fn a_board_is_full_when_no_column_has_room() {
        let mut board = board(&[
            "xxoxxo.", "ooxooxo", "xxoxxoo", "ooxooxx", "xxoxxox", "ooxooxo",
        ]);
        assert!(!board.is_full());
        board.drop_disc(Disc::Yellow, 6).expect("one is left");
        assert!(board.is_full());
    }
}
