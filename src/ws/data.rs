//! Values by type: what an application keeps with a request and its socket.

use std::any::Any;
use std::rc::Rc;

use super::few::Few;

/// At most one value of each type. There are few, so a list serves best.
#[derive(Clone, Default)]
pub(crate) struct TypeMap(Few<Rc<dyn Any>>);

impl TypeMap {
    /// Keeps a value, and gives back the one of its type that was kept so far: the caller drops it
    /// where dropping may call back in.
    pub(crate) fn insert(&mut self, value: Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        let id = (*value).type_id();
        let mut kept = self.0.as_mut_slice().iter_mut();
        match kept.find(|kept| (***kept).type_id() == id) {
            Some(kept) => Some(std::mem::replace(kept, value)),
            None => {
                self.0.push(value);
                None
            }
        }
    }

    /// The value of type `T`.
    pub(crate) fn get<T: 'static>(&self) -> Option<Rc<T>> {
        let kept = self.0.as_slice().iter().find(|kept| kept.is::<T>())?;
        Rc::clone(kept).downcast().ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

impl std::fmt::Debug for TypeMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TypeMap({} values)", self.0.as_slice().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_value_of_each_type() {
        let mut map = TypeMap::default();
        assert!(map.get::<u32>().is_none());
        assert!(map.insert(Rc::new(1_u32)).is_none());
        assert!(map.insert(Rc::new("text")).is_none());
        let old = map.insert(Rc::new(2_u32)).unwrap();
        assert_eq!(*old.downcast::<u32>().unwrap(), 1);
        assert_eq!(
            (map.get::<u32>().as_deref(), map.get::<&str>().as_deref()),
            (Some(&2), Some(&"text"))
        );
        assert!(map.get::<u64>().is_none());
    }
}
