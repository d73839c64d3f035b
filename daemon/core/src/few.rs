//! A map for a handful of entries that takes no more memory than they need.
//!
//! A tree's first node has room for eleven entries; an outlet has one logger, two open conditions,
//! six pollutants, and there are a hundred thousand outlets.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// A map that keeps its entries sorted in one piece. What it serialises to is what a tree would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0
            .binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        let (_, value) = self.0.remove(place);
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
        Some(value)
    }

    /// Puts a value in; the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.add(place, (key, value));
                None
            }
        }
    }

    /// The value under a key, made where there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.place(&key) {
            Ok(place) => place,
            Err(place) => {
                self.add(place, (key, make()));
                place
            }
        };
        &mut self.0[place].1
    }

    /// The value under a key, the default one where there is none.
    pub(crate) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    /// Forgets all entries and gives the memory back.
    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// Keeps the entries that `wanted` says; its memory shrinks with it.
    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&K, &mut V) -> bool) {
        let before = self.0.len();
        self.0.retain_mut(|(key, value)| wanted(key, value));
        if self.0.len() < before {
            self.0.shrink_to_fit();
        }
    }

    /// Grows by what is needed: entries come seldom and stay.
    fn add(&mut self, place: usize, entry: (K, V)) {
        self.0.reserve_exact(1);
        self.0.insert(place, entry);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl<K: Serialize, V: Serialize> Serialize for Few<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Few<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sorted = BTreeMap::<K, V>::deserialize(deserializer)?;
        let mut entries: Vec<(K, V)> = sorted.into_iter().collect();
        entries.shrink_to_fit();
        Ok(Self(entries))
    }
}

/// Maps whose keys are no texts, as lists of pairs.
pub(crate) mod pairs {
    use super::Few;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K, V, S>(map: &Few<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(&map.0)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<Few<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let entries = Vec::<(K, V)>::deserialize(deserializer)?;
        let sorted: BTreeMap<K, V> = entries.into_iter().collect();
        Ok(Few(sorted.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, u16),
        Remove(u8),
        Change(u8),
        Make(u8),
        Keep(u8),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u8..20, any::<u16>()).prop_map(|(key, value)| Step::Insert(key, value)),
            (0u8..20).prop_map(Step::Remove),
            (0u8..20).prop_map(Step::Change),
            (0u8..20).prop_map(Step::Make),
            (1u8..5).prop_map(Step::Keep),
            Just(Step::Clear),
        ]
    }

    proptest! {
        #[test]
        fn it_does_what_a_tree_does(steps in prop::collection::vec(step(), 0..60)) {
            let (mut few, mut tree) = (Few::default(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        prop_assert_eq!(few.insert(key, value), tree.insert(key, value));
                    }
                    Step::Remove(key) => prop_assert_eq!(few.remove(&key), tree.remove(&key)),
                    Step::Change(key) => {
                        let both = (few.get_mut(&key), tree.get_mut(&key));
                        prop_assert_eq!(both.0.is_some(), both.1.is_some());
                        if let (Some(one), Some(other)) = both {
                            (*one, *other) = (7, 7);
                        }
                    }
                    Step::Make(key) => {
                        let made = *few.get_or_insert_with(key, || 3);
                        prop_assert_eq!(made, *tree.entry(key).or_insert(3));
                    }
                    Step::Keep(part) => {
                        few.retain(|key, _| key % part == 0);
                        tree.retain(|key, _| key % part == 0);
                    }
                    Step::Clear => {
                        few.clear();
                        tree.clear();
                    }
                }
            }
            prop_assert!(few.iter().eq(tree.iter()));
            prop_assert!(few.keys().eq(tree.keys()) && few.values().eq(tree.values()));
            prop_assert_eq!((few.len(), few.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert!((0..20).all(|key| few.contains_key(&key) == tree.contains_key(&key)));
            let json = serde_json::to_string(&few).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&tree).unwrap());
            let back: Few<u8, u16> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&back, &few);
            let mut lists = serde_json::Serializer::new(Vec::new());
            pairs::serialize(&few, &mut lists).unwrap();
            let lists = lists.into_inner();
            let back = pairs::deserialize(&mut serde_json::Deserializer::from_slice(&lists));
            prop_assert_eq!(back.unwrap(), few);
        }
    }
}
