//! A list of which most have no element, or one: those take no memory of their own.

/// Elements in order.
#[derive(Clone, Debug, Default)]
pub(super) enum Few<T> {
    #[default]
    None,
    One(T),
    Many(Box<[T]>),
}

impl<T> Few<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::None => &mut [],
            Self::One(one) => std::slice::from_mut(one),
            Self::Many(many) => many,
        }
    }

    /// Adds an element behind all others.
    pub(super) fn push(&mut self, value: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(value),
            Self::One(one) => Self::Many([one, value].into()),
            Self::Many(many) => {
                let mut many = many.into_vec();
                many.reserve_exact(1);
                many.push(value);
                Self::Many(many.into())
            }
        };
    }

    /// Takes the element at `index` out; those behind it move up.
    pub(super) fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.as_slice().len() {
            return None;
        }
        let (left, removed) = match std::mem::take(self) {
            Self::None => (Self::None, None),
            Self::One(one) => (Self::None, Some(one)),
            Self::Many(many) => {
                let mut many = many.into_vec();
                let removed = many.remove(index);
                (Self::from(many), Some(removed))
            }
        };
        *self = left;
        removed
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut many: Vec<T>) -> Self {
        match many.len() {
            0 | 1 => many.pop().map_or(Self::None, Self::One),
            _ => Self::Many(many.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn agrees_with_a_list() {
        let (mut few, mut list) = (Few::default(), Vec::new());
        let mut x = 0x2545_F491_4F6C_DD1D_u64;
        for step in 0..if cfg!(miri) { 200 } else { 10_000 } {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let index = (x >> 8) as usize % 5;
            if x.is_multiple_of(2) && list.len() < 4 {
                few.push(x);
                list.push(x);
            } else {
                let expected = (index < list.len()).then(|| list.remove(index));
                assert_eq!(few.remove(index), expected, "step {step}");
            }
            assert_eq!(few.as_slice(), list, "step {step}");
            assert_eq!(few.as_mut_slice(), list, "step {step}");
        }
    }
}
