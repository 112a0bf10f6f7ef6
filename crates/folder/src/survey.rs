//! What a tree holds, found by reading all of it.

use lenslet_dataset::{ChannelStats, ChannelSums};
use rayon::prelude::*;

use crate::{Error, Picture, Tree};

/// What the pictures of a tree are like, in the sizes of their files.
#[derive(Debug)]
pub struct Survey {
    /// The number of files of each class, readable or not.
    pub files: Vec<usize>,
    /// Pixels in a row.
    pub width: Option<Spread>,
    /// Rows.
    pub height: Option<Spread>,
    /// The number of grey pictures.
    pub grey: usize,
    /// The number of coloured pictures.
    pub coloured: usize,
    /// Mean and standard deviation over all pixels: of one channel where all pictures are grey, else of red, green
    /// and blue. Missing, as the sizes are, where no picture can be read.
    pub stats: Option<ChannelStats>,
    /// What is wrong with each file that cannot be read, in the tree's order.
    pub unreadable: Vec<Error>,
}

/// The smallest, the middle one (of two, the greater) and the largest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The smallest.
    pub min: usize,
    /// The one in the middle.
    pub median: usize,
    /// The largest.
    pub max: usize,
}

impl Spread {
    /// Of no numbers there is none.
    fn of(mut numbers: Vec<usize>) -> Option<Self> {
        numbers.sort_unstable();
        let (&min, &max) = (numbers.first()?, numbers.last()?);
        Some(Self { min, median: numbers[numbers.len() / 2], max })
    }
}

/// What one picture is like.
struct Look {
    width: usize,
    height: usize,
    is_grey: bool,
    sums: ChannelSums,
}

impl Survey {
    /// Reads every picture of a tree, on all of rayon's threads.
    pub fn of(tree: &Tree) -> Self {
        let looks: Vec<Result<Look, Error>> = (0..tree.len())
            .into_par_iter()
            .filter_map(|index| tree.get(index))
            .map(|(path, _)| Picture::open(path).map(look))
            .collect();
        let (mut widths, mut heights, mut grey) = (Vec::new(), Vec::new(), 0);
        let (mut sums, mut unreadable) = (ChannelSums::new(3), Vec::new());
        for look in looks {
            match look {
                Ok(look) => {
                    widths.push(look.width);
                    heights.push(look.height);
                    grey += usize::from(look.is_grey);
                    sums.merge(&look.sums);
                }
                Err(error) => unreadable.push(error),
            }
        }
        let coloured = widths.len() - grey;
        let stats = sums.stats().map(|ChannelStats { mut mean, mut std }| {
            if coloured == 0 {
                mean.truncate(1);
                std.truncate(1);
            }
            ChannelStats { mean, std }
        });
        Self {
            files: (0..tree.classes().len()).map(|class| tree.members(class).len()).collect(),
            width: Spread::of(widths),
            height: Spread::of(heights),
            grey,
            coloured,
            stats,
            unreadable,
        }
    }
}

fn look(picture: Picture) -> Look {
    let (width, height, is_grey) = (picture.width(), picture.height(), picture.is_grey());
    let mut sums = ChannelSums::new(3);
    sums.add(&picture.into_image(3));
    Look { width, height, is_grey, sums }
}
