//! Sessions in files.

use crate::{Begun, Epoch, Error, Session, TrainConfig};
use lenslet_checkpoint::{Checkpoint, Error as FileError, Tensor, save};
use lenslet_dataset::Fitting;
use lenslet_nn::{
    Network, Parameter, Snapshot, parameters, statistics, visit_parameters_mut, visit_statistics_mut,
};
use lenslet_pipeline::Normalisation;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// What a checkpoint says besides its tensors: all that is needed to use the network, and to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The network's name in the zoo, or any other.
    pub network: String,
    /// Channels, height and width of its input.
    pub input: [usize; 3],
    /// Names of the classes, in the order of the logits.
    pub classes: Vec<String>,
    /// How pictures of other sizes became those of the network; the default in files of before it was stored.
    #[serde(default)]
    pub fitting: Fitting,
    /// How pixels became inputs.
    pub normalisation: Normalisation,
    /// The data that it was trained on, by name.
    pub data: String,
    /// The run so far.
    pub training: Option<Training>,
}

/// A run so far. The optimiser's memory lies beside the weights, under `optimiser.<moment>.<tensor>`, and so does
/// the moving average of each tensor, where the run keeps one, under `ema.<tensor>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// What it was told to do.
    pub config: TrainConfig,
    /// Steps taken.
    pub step: u64,
    /// Training and validation score of each epoch done.
    pub history: Vec<Epoch>,
    /// What is done of the next epoch, where the run was stopped within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
}

/// The name of a moment of a tensor in a checkpoint.
fn moment_name(moment: &str, tensor: &str) -> String {
    format!("optimiser.{moment}.{tensor}")
}

/// The name of a tensor's moving average in a checkpoint.
fn average_name(tensor: &str) -> String {
    format!("ema.{tensor}")
}

/// Writes weights, their averages, optimiser and metadata into one file, which appears whole or not at all. The `training`
/// part of the metadata is filled in from the session.
///
/// # Errors
/// Where the file cannot be written.
pub fn save_checkpoint<M: Network>(
    path: &Path,
    session: &Session<M>,
    metadata: Metadata,
) -> Result<(), Error> {
    let mut tensors = Vec::new();
    for (name, parameter) in all_tensors(&session.model) {
        if let Some(moments) = session.optimiser.moments.get(&name) {
            for (moment, values) in session.optimiser.kind().moments().iter().zip(moments) {
                tensors.push(Tensor::new(moment_name(moment, &name), parameter.shape(), values.as_slice()));
            }
        }
        if let Some(average) = session.average.as_ref().and_then(|average| average.tensors.get(&name)) {
            tensors.push(Tensor::new(average_name(&name), parameter.shape(), average.as_slice()));
        }
        let values = values_of(&name, parameter.as_ref(), &session.snapshot);
        tensors.push(Tensor::new(name, parameter.shape(), values));
    }
    let training = Training {
        config: session.config.clone(),
        step: session.optimiser.step(),
        history: session.history.clone(),
        begun: session.begun,
    };
    Ok(save(path, &tensors, &Metadata { training: Some(training), ..metadata })?)
}

/// Sets every tensor of a model from a checkpoint, or none where one is missing or of another shape. Of a run that
/// averages its tensors it takes the averages. A file of another program, without [`Metadata`], will do.
///
/// # Errors
/// Names the first tensor that does not fit, with both shapes.
pub fn load_weights(model: &mut dyn Network, checkpoint: &Checkpoint) -> Result<(), Error> {
    let averaged = is_averaged(checkpoint)?;
    let values = read(model, checkpoint, |name| if averaged { average_name(name) } else { name.to_owned() })?;
    write(model, &values)
}

/// Whether what is worth using of a checkpoint are its averages. In a file of another program there are none.
fn is_averaged(checkpoint: &Checkpoint) -> Result<bool, Error> {
    let training = match checkpoint.metadata::<Metadata>() {
        Ok(metadata) => metadata.training,
        Err(FileError::NoMetadata { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    // Before the first step there is nothing to average.
    Ok(training.is_some_and(|run| run.config.ema.is_some() && run.step > 0))
}

/// The tensors of a checkpoint that are worth using: the name that each has in its network, and the one in the file.
pub(crate) fn usable_tensors(checkpoint: &Checkpoint) -> Result<Vec<(&str, &str, &[usize])>, Error> {
    let averaged = is_averaged(checkpoint)?;
    let all = checkpoint.tensors().filter_map(|(stored, shape)| {
        let average = stored.strip_prefix("ema.");
        let name = if averaged { average } else { Some(stored).filter(|_| average.is_none()) };
        Some((name?, stored, shape))
    });
    Ok(all.filter(|(name, ..)| !name.starts_with("optimiser.")).collect())
}

/// The values of all tensors of a model's kind, which the checkpoint has under other names.
fn read(
    model: &dyn Network,
    checkpoint: &Checkpoint,
    stored: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, Vec<f32>>, Error> {
    let mut values = BTreeMap::new();
    for (name, parameter) in all_tensors(model) {
        let tensor = checkpoint.tensor(&stored(&name), &parameter.shape())?.to_vec();
        values.insert(name, tensor);
    }
    Ok(values)
}

/// Sets every tensor of a model that there are values for.
pub(crate) fn write(model: &mut dyn Network, values: &BTreeMap<String, Vec<f32>>) -> Result<(), Error> {
    let mut write = |name: &str, parameter: &mut dyn Parameter| {
        if let Some(values) = values.get(name) {
            parameter.write(values);
        }
        Ok(())
    };
    visit_parameters_mut(model, &mut write)?;
    visit_statistics_mut(model, write)
}

/// A tensor's values as the last step left them.
pub(crate) fn values_of<'a>(name: &str, tensor: &dyn Parameter, snapshot: &'a Snapshot) -> Cow<'a, [f32]> {
    snapshot.values(name).map_or_else(
        || {
            let mut values = vec![0.0; tensor.len()];
            tensor.read(&mut values);
            values.into()
        },
        Cow::Borrowed,
    )
}

/// All that a model is made of, trained or not.
pub(crate) fn all_tensors(model: &dyn Network) -> impl Iterator<Item = (String, Box<dyn Parameter>)> {
    parameters(model).into_iter().chain(statistics(model))
}

impl<M: Network> Session<M> {
    /// A session as [`save_checkpoint`] left it. `model` gives the network; its weights are replaced.
    ///
    /// # Errors
    /// Where the checkpoint is of another network or holds no run, or its configuration cannot be.
    pub fn resume(mut model: M, checkpoint: &Checkpoint) -> Result<Self, Error> {
        let metadata: Metadata = checkpoint.metadata()?;
        let refused = |reason| Error::NotResumable { path: checkpoint.path().to_owned(), reason };
        let Some(Training { config, step, history, begun }) = metadata.training else {
            return Err(refused("it holds weights, but no run".to_owned()));
        };
        config.check().map_err(|error| refused(error.to_string()))?;
        let values = read(&model, checkpoint, str::to_owned)?;
        write(&mut model, &values)?;
        let with_weights = Self::with_weights(model, config);
        let mut session =
            Self { history, begun, ..with_weights.map_err(|error| refused(error.to_string()))? };
        let Self { optimiser, average, model, config, .. } = &mut session;
        optimiser.step = step;
        if step == 0 {
            return Ok(session);
        }
        for (name, parameter) in parameters(model) {
            if optimiser.is_frozen(&name) {
                continue;
            }
            let mut moments = Vec::new();
            for moment in config.optimiser.moments() {
                moments.push(checkpoint.tensor(&moment_name(moment, &name), &parameter.shape())?.to_vec());
            }
            optimiser.moments.insert(name, moments);
        }
        if let Some(average) = average {
            average.tensors = read(model, checkpoint, average_name)?;
        }
        Ok(session)
    }
}
