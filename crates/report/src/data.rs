//! What a page is made of.

/// A run, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// What to call it.
    pub name: String,
    /// What was set, and what it ran on: names and values.
    pub settings: Vec<(String, String)>,
    /// Its epochs, in order.
    pub epochs: Vec<Epoch>,
    /// How it does on data that it was not trained on.
    pub evaluation: Option<Evaluation>,
    /// The network, layer by layer.
    pub layers: Vec<Layer>,
    /// Pictures in groups: mistakes, filters, feature maps.
    pub galleries: Vec<Gallery>,
    /// What is missing, and why.
    pub notes: Vec<String>,
}

/// Loss and accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// The share told right, in `0..=1`.
    pub accuracy: f64,
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u64,
    /// On the training data.
    pub train: Score,
    /// On data that it was not trained on.
    pub validation: Option<Score>,
    /// At the epoch's end.
    pub learning_rate: f64,
    /// Wall time.
    pub seconds: f64,
}

/// Which classes are taken for which.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// On what: one sentence.
    pub of: String,
    /// The classes' names.
    pub classes: Vec<String>,
    /// How many samples there are of each class.
    pub samples: Vec<u64>,
    /// How many samples of each label, by row, were taken for each class, by column.
    pub confusion: Vec<Vec<u64>>,
}

/// A row of the network's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// As its tensors are named.
    pub name: String,
    /// As one writes it.
    pub layer: String,
    /// Sizes of its output.
    pub output: Vec<usize>,
    /// Trainable numbers.
    pub parameters: usize,
    /// Of one sample.
    pub multiply_adds: usize,
}

/// Pictures under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gallery {
    /// The heading.
    pub title: String,
    /// One or two sentences: what one sees.
    pub explanation: String,
    /// Whether the pictures are wide sheets, one below the other; else they stand side by side.
    pub wide: bool,
    /// The pictures.
    pub figures: Vec<Figure>,
}

/// A picture with a line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// A PNG file.
    pub png: Vec<u8>,
    /// What it shows.
    pub caption: String,
}

impl Epoch {
    /// The score that counts: that on validation data, or on training data where there are none.
    pub fn score(&self) -> Score {
        self.validation.unwrap_or(self.train)
    }
}

impl Run {
    /// The epoch with the best accuracy on validation data, or on training data where there are none; the first of several.
    pub fn best(&self) -> Option<&Epoch> {
        let better = |best: Option<&'_ Epoch>, epoch: &Epoch| {
            best.is_none_or(|best| epoch.score().accuracy > best.score().accuracy)
        };
        let mut best = None;
        for epoch in &self.epochs {
            if better(best, epoch) {
                best = Some(epoch);
            }
        }
        best
    }

    /// Wall time of all epochs.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}

impl Evaluation {
    /// How many of all are told right, and how many there are.
    pub(crate) fn right(&self) -> (u64, u64) {
        ((0..self.classes.len()).map(|class| self.count(class, class)).sum(), self.samples.iter().sum())
    }

    /// How many samples of a class were taken for another one; none where the matrix does not say.
    pub(crate) fn count(&self, label: usize, answer: usize) -> u64 {
        self.confusion.get(label).and_then(|row| row.get(answer)).copied().unwrap_or(0)
    }

    /// Precision, recall and F1 of a class; none where they divide by zero.
    pub(crate) fn rates(&self, class: usize) -> [Option<f64>; 3] {
        let share = |of: u64| (of > 0).then(|| self.count(class, class) as f64 / of as f64);
        let answers = (0..self.classes.len()).map(|label| self.count(label, class)).sum();
        let samples = self.samples.get(class).copied().unwrap_or(0);
        let f1 = (answers + samples > 0)
            .then(|| 2.0 * self.count(class, class) as f64 / (answers + samples) as f64);
        [share(answers), share(samples), f1]
    }

    /// Mistakes by label and answer, the most frequent first.
    pub(crate) fn mistakes(&self) -> Vec<(usize, usize, u64)> {
        let classes = 0..self.classes.len();
        let pairs = classes.clone().flat_map(|label| classes.clone().map(move |answer| (label, answer)));
        let mut mistakes: Vec<_> = pairs
            .filter(|(label, answer)| label != answer)
            .map(|(label, answer)| (label, answer, self.count(label, answer)))
            .filter(|(_, _, count)| *count > 0)
            .collect();
        mistakes.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        Evaluation {
            of: String::new(),
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            // One of the first class was taken for none.
            samples: vec![4, 2, 0],
            confusion: vec![vec![2, 1, 0], vec![0, 2, 0], vec![0, 0, 0]],
        }
    }

    #[test]
    fn rates_are_by_column_and_by_row() {
        let evaluation = evaluation();
        assert_eq!(evaluation.rates(0), [Some(1.0), Some(0.5), Some(4.0 / 6.0)]);
        assert_eq!(evaluation.rates(1), [Some(2.0 / 3.0), Some(1.0), Some(0.8)]);
        assert_eq!(evaluation.rates(2), [None, None, None]);
        assert_eq!((evaluation.right(), evaluation.mistakes()), ((4, 6), vec![(0, 1, 1)]));
    }

    #[test]
    fn the_first_best_epoch_counts() {
        let epoch = |epoch, accuracy| Epoch {
            epoch,
            train: Score { loss: 1.0, accuracy: 0.1 * epoch as f64 },
            validation: Some(Score { loss: 1.0, accuracy }),
            learning_rate: 0.1,
            seconds: 2.0,
        };
        let run = Run { epochs: vec![epoch(1, 0.5), epoch(2, 0.75), epoch(3, 0.75)], ..Run::default() };
        assert_eq!(run.best().map(|best| best.epoch), Some(2));
        assert_eq!((run.seconds(), Run::default().best()), (6.0, None));
    }
}
