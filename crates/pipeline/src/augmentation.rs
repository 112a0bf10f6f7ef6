use lenslet_dataset::ImageShape;
use lenslet_dataset::random::purpose;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::draw::Draw;
use crate::picture::Picture;
use crate::transforms::{
    AlternatingFlip, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, SampleKey, Transform,
};

/// What is done to training pictures at random before they are normalised, in order. By default, nothing.
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
    /// `random-horizontal-flip`
    RandomHorizontalFlip(RandomHorizontalFlip),
    /// `random-vertical-flip`
    RandomVerticalFlip(RandomVerticalFlip),
    /// `alternating-flip`
    AlternatingFlip(AlternatingFlip),
}

impl Step {
    fn transform(&self) -> &dyn Transform {
        match self {
            Self::RandomCrop(step) => step,
            Self::RandomHorizontalFlip(step) => step,
            Self::RandomVerticalFlip(step) => step,
            Self::AlternatingFlip(step) => step,
        }
    }
}

impl Augmentation {
    /// Refuses steps whose parameters mean nothing, whatever the pictures.
    ///
    /// # Errors
    ///
    /// [`Error::Augmentation`] for the first such step.
    pub fn check(&self) -> Result<(), Error> {
        self.steps.iter().try_for_each(|step| step.transform().check())
    }

    /// The shape that pictures of the `input` shape come out with.
    ///
    /// # Errors
    ///
    /// [`Error::Augmentation`] for the first step that cannot be done to such pictures, or to any.
    pub fn output_shape(&self, input: ImageShape) -> Result<ImageShape, Error> {
        self.check()?;
        self.steps.iter().try_fold(input, |shape, step| step.transform().output_shape(shape))
    }

    /// Takes a picture through all steps.
    pub(crate) fn apply(&self, picture: &mut Picture<'_>, key: SampleKey) {
        let SampleKey { seed, epoch, index } = key;
        let mut draw = Draw::new([seed, epoch, index as u64, purpose("augment")]);
        for step in &self.steps {
            step.transform().apply(picture, key, &mut draw);
        }
    }
}
