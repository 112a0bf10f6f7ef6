//! Many file names in one piece of memory.

use std::ops::Range;

/// File names, each reachable by its index, class after class. A name costs its own bytes and one number.
#[derive(Clone, Default)]
pub(crate) struct Files {
    names: String,
    /// Where each name ends in `names`.
    ends: Vec<usize>,
    /// Where each class ends in `ends`.
    classes: Vec<usize>,
}

impl Files {
    pub(crate) fn push(&mut self, name: &str) {
        self.names.push_str(name);
        self.ends.push(self.names.len());
    }

    /// The names pushed since the last class are those of a class.
    pub(crate) fn end_class(&mut self) {
        self.classes.push(self.ends.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.names[start..end])
    }

    /// The class of a file that is there.
    pub(crate) fn class(&self, index: usize) -> usize {
        self.classes.partition_point(|&end| end <= index)
    }

    /// The files of a class that is there.
    pub(crate) fn members(&self, class: usize) -> Range<usize> {
        class.checked_sub(1).map_or(0, |before| self.classes[before])..self.classes[class]
    }

    /// Only those files whose indices are in `chosen`, which is sorted.
    pub(crate) fn select(&self, chosen: &[usize]) -> Self {
        let mut selected = Self::default();
        let mut chosen = chosen.iter().copied().peekable();
        for &end in &self.classes {
            while let Some(index) = chosen.next_if(|&index| index < end) {
                selected.push(self.name(index).unwrap_or_default());
            }
            selected.end_class();
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_may_be_empty_and_selections_keep_them() {
        let mut files = Files::default();
        for class in [&["a.png", "b.png"][..], &[], &["c.png"]] {
            class.iter().for_each(|name| files.push(name));
            files.end_class();
        }
        let classes: Vec<usize> = (0..files.len()).map(|index| files.class(index)).collect();
        assert_eq!(classes, [0, 0, 2]);
        assert_eq!((files.members(0), files.members(1), files.members(2)), (0..2, 2..2, 2..3));
        assert_eq!((files.name(1), files.name(3)), (Some("b.png"), None));

        let selected = files.select(&[1, 2]);
        assert_eq!((selected.name(0), selected.name(1), selected.len()), (Some("b.png"), Some("c.png"), 2));
        assert_eq!((selected.class(0), selected.class(1)), (0, 2));
    }
}
