use lenslet_dataset::ImageShape;
use lenslet_dataset::random::purpose;
use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::picture::Picture;
use crate::transforms::{
    AlternatingFlip, ColorJitter, Cutmix, Cutout, Mixing, Mixup, RandAugment, RandomAffine, RandomCrop,
    RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomVerticalFlip, Transform,
    TrivialAugmentWide,
};
use crate::{Error, Mix};

/// What is done to training pictures at random before they are normalised, in order; at the end, what is done to
/// normalised batches ([`Mixup`], [`Cutmix`]; of several, one at random). By default, nothing.
///
/// In a configuration file it is a list of tables, each with a step's `kind` and those of its parameters that
/// differ from the defaults. Unknown kinds and parameters are refused.
///
/// ```
/// use lenslet_pipeline::{AlternatingFlip, Augmentation, PaddingMode, RandomCrop, Step};
///
/// #[derive(serde::Deserialize)]
/// struct Configuration {
///     augment: Augmentation,
/// }
///
/// let configuration: Configuration = toml::from_str(
///     r#"
///     [[augment]]
///     kind = "random-crop"
///     padding = 4
///     padding-mode = "reflect"
///
///     [[augment]]
///     kind = "alternating-flip"
///     "#,
/// )?;
/// configuration.augment.check()?;
/// let crop = RandomCrop { padding: 4, padding_mode: PaddingMode::Reflect, ..RandomCrop::default() };
/// assert_eq!(
///     configuration.augment.steps,
///     [Step::RandomCrop(crop), Step::AlternatingFlip(AlternatingFlip {})],
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Augmentation {
    /// From the first to the last.
    pub steps: Vec<Step>,
}

/// A step of an [`Augmentation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// `random-crop`
    RandomCrop(RandomCrop),
    /// `random-resized-crop`
    RandomResizedCrop(RandomResizedCrop),
    /// `random-horizontal-flip`
    RandomHorizontalFlip(RandomHorizontalFlip),
    /// `random-vertical-flip`
    RandomVerticalFlip(RandomVerticalFlip),
    /// `alternating-flip`
    AlternatingFlip(AlternatingFlip),
    /// `random-affine`
    RandomAffine(RandomAffine),
    /// `color-jitter`
    ColorJitter(ColorJitter),
    /// `rand-augment`
    RandAugment(RandAugment),
    /// `trivial-augment-wide`
    TrivialAugmentWide(TrivialAugmentWide),
    /// `cutout`
    Cutout(Cutout),
    /// `random-erasing`
    RandomErasing(RandomErasing),
    /// `mixup`
    Mixup(Mixup),
    /// `cutmix`
    Cutmix(Cutmix),
}

/// What a step works on.
enum Work<'a> {
    Picture(&'a dyn Transform),
    Batch(&'a dyn Mixing),
}

impl Step {
    fn work(&self) -> Work<'_> {
        match self {
            Self::RandomCrop(step) => Work::Picture(step),
            Self::RandomResizedCrop(step) => Work::Picture(step),
            Self::RandomHorizontalFlip(step) => Work::Picture(step),
            Self::RandomVerticalFlip(step) => Work::Picture(step),
            Self::AlternatingFlip(step) => Work::Picture(step),
            Self::RandomAffine(step) => Work::Picture(step),
            Self::ColorJitter(step) => Work::Picture(step),
            Self::RandAugment(step) => Work::Picture(step),
            Self::TrivialAugmentWide(step) => Work::Picture(step),
            Self::Cutout(step) => Work::Picture(step),
            Self::RandomErasing(step) => Work::Picture(step),
            Self::Mixup(step) => Work::Batch(step),
            Self::Cutmix(step) => Work::Batch(step),
        }
    }
}

impl Augmentation {
    /// Whether nothing is done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Refuses steps whose parameters mean nothing, whatever the pictures, and pictures' steps after those of
    /// batches.
    ///
    /// # Errors
    ///
    /// [`Error::Augmentation`] for the first step of the former kind, [`Error::MixingNotLast`] for the latter.
    pub fn check(&self) -> Result<(), Error> {
        self.transforms().try_for_each(Transform::check)?;
        self.mixings().try_for_each(Mixing::check)?;
        let is_batch = |step: &Step| matches!(step.work(), Work::Batch(_));
        let first = self.steps.iter().position(is_batch).unwrap_or(self.steps.len());
        match self.steps[first..].iter().position(|step| !is_batch(step)) {
            Some(after) => Err(Error::MixingNotLast { mixing: first + 1, picture: first + after + 1 }),
            None => Ok(()),
        }
    }

    /// The shape that pictures of the `input` shape come out with.
    ///
    /// # Errors
    ///
    /// [`Error::Augmentation`] for the first step that cannot be done to such pictures, or to any.
    pub fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        self.check()?;
        self.transforms().try_fold(input, |shape, step| step.output_shape(shape))
    }

    /// Takes a picture through all steps.
    pub(crate) fn apply(&self, picture: &mut Picture<'_>, [seed, epoch, index]: [u64; 3]) {
        let mut draw = Draw::new([seed, epoch, index, purpose("augment")]);
        self.transforms().for_each(|step| step.apply(picture, &mut draw));
    }

    /// Mixes the normalised pictures of a batch, where a step says so. Of several such steps each batch gets
    /// one, each as likely.
    pub(crate) fn mix(
        &self,
        images: &mut [f32],
        labels: &[usize],
        shape: ImageShape,
        [seed, epoch, batch]: [u64; 3],
    ) -> Option<Mix> {
        let count = self.mixings().count();
        if count == 0 {
            return None;
        }
        let mut draw = Draw::new([seed, epoch, batch, purpose("mix")]);
        let weight = self.mixings().nth(draw.below(count))?.mix(images, shape, &mut draw);
        let labels: Vec<usize> = labels.iter().rev().copied().collect();
        Some(Mix { weights: vec![weight; labels.len()], labels })
    }

    fn transforms(&self) -> impl Iterator<Item = &dyn Transform> {
        self.steps.iter().filter_map(|step| match step.work() {
            Work::Picture(transform) => Some(transform),
            Work::Batch(_) => None,
        })
    }

    fn mixings(&self) -> impl Iterator<Item = &dyn Mixing> {
        self.steps.iter().filter_map(|step| match step.work() {
            Work::Batch(mixing) => Some(mixing),
            Work::Picture(_) => None,
        })
    }
}
