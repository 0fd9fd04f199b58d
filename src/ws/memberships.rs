//! The rooms that one member is in, as the rooms keep them: most are in none or in one, and take no
//! memory of their own.

/// One member's place in one room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    pub(super) room: u32,
    pub(super) place: u32,
    pub(super) when: u64,
}

/// The memberships of one member, in no order.
#[derive(Clone, Debug, Default)]
pub(super) enum Memberships {
    #[default]
    None,
    One(Membership),
    Many(Vec<Membership>),
}

impl Memberships {
    pub(super) fn as_slice(&self) -> &[Membership] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Membership> {
        match self {
            Self::None => None,
            Self::One(one) => Some(one).filter(|_| index == 0),
            Self::Many(many) => many.get_mut(index),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn push(&mut self, new: Membership) {
        match self {
            Self::None => *self = Self::One(new),
            Self::One(one) => *self = Self::Many(vec![*one, new]),
            Self::Many(many) => many.push(new),
        }
    }

    /// Takes one out; the last one moves to its place.
    pub(super) fn swap_remove(&mut self, index: usize) -> Option<Membership> {
        match self {
            Self::Many(many) if index < many.len() => {
                let gone = many.swap_remove(index);
                if many.is_empty() {
                    *self = Self::None;
                }
                Some(gone)
            }
            Self::One(one) if index == 0 => {
                let gone = *one;
                *self = Self::None;
                Some(gone)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Memberships;

    #[test]
    fn a_membership_of_its_own_takes_no_more_than_an_empty_list() {
        assert_eq!(size_of::<Memberships>(), size_of::<Vec<u8>>());
    }
}
