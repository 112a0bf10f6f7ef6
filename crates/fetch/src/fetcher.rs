use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ureq::Agent;

use crate::dataset::part_path;
use crate::error::local;
use crate::part::Part;
use crate::place::{Place, Source};
use crate::sum::sum_of;
use crate::{Archive, DataSet, Error, ErrorKind, Event, Failure, RemoteFile, html, members};

/// How long to wait for a server, and how often to ask it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often each URL is tried, at least once.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from attempt to attempt.
    pub pause: Duration,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for the next bytes.
    pub read_timeout: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, one and two seconds apart; 10 s for a connection, 30 s for the next bytes.
    fn default() -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// Puts data sets in their place, verified.
#[derive(Debug)]
pub struct Fetcher {
    source: Source,
    policy: RetryPolicy,
    agent: Agent,
}

/// A file that is in its place and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether it was there, right, before.
    pub was_present: bool,
}

/// Each place that was tried, and why it failed.
type Failures = Vec<(String, Failure)>;

/// What ends an attempt without the file: a failure of the place, or an error here, where no other place helps.
enum Stop {
    Failure(Failure),
    Error(Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Fetcher {
    /// A fetcher with the default [`RetryPolicy`].
    pub fn new(source: Source) -> Self {
        Self::with_policy(source, RetryPolicy::default())
    }

    /// A fetcher that is more or less patient.
    pub fn with_policy(source: Source, policy: RetryPolicy) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("lenslet-fetch/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(policy.connect_timeout))
            .timeout_connect(Some(policy.connect_timeout))
            .timeout_per_read(Some(policy.read_timeout))
            .timeout_per_write(Some(policy.read_timeout))
            .build()
            .into();
        Self { source, policy, agent }
    }

    /// Puts every file of `dataset` at `<data_dir>/<set>/<file>` and returns them in the catalogue's order.
    ///
    /// A file that is there and right is left alone. What came of one that failed stays beside its place as
    /// `<file>.part`, and the next call goes on from there; once all files are in their places, nothing stays.
    /// `progress` is told of each file as it happens.
    ///
    /// Where a set has an [`Archive`] and the source not the files by themselves, the archive is fetched in the same
    /// way, and all that is missing is unpacked from it, verified, and only then put in its place. The archive is
    /// removed then: its members have sums of their own.
    ///
    /// # Errors
    ///
    /// The first file that cannot be had from any place of the source, or cannot be written here, or an archive that
    /// does not hold what the catalogue says. Files before it are in their place.
    pub fn fetch(
        &self,
        dataset: &DataSet,
        data_dir: &Path,
        progress: &mut dyn FnMut(&RemoteFile, Event<'_>),
    ) -> Result<Vec<Fetched>, Error> {
        let mut fetched = Vec::with_capacity(dataset.files.len());
        for file in dataset.files {
            let path = dataset.path(file, data_dir);
            let found = sum_of(&path)?;
            let was_present = found.as_deref() == Some(file.sha256);
            match &found {
                Some(_) if was_present => progress(file, Event::Present),
                Some(found) => progress(file, Event::Wrong { found }),
                None => {}
            }
            fetched.push(Fetched { path, was_present });
        }
        let all = dataset.files.iter().zip(&fetched);
        let missing: Vec<(&RemoteFile, &Path)> = all
            .filter(|(_, here)| !here.was_present)
            .map(|(file, here)| (file, here.path.as_path()))
            .collect();
        for (at, &(file, path)) in missing.iter().enumerate() {
            let mut failures = Vec::new();
            let part = self.fill(dataset, file, path, &mut failures, &mut |event| progress(file, event))?;
            match (part, &dataset.archive) {
                (Some(part), _) => part.finish(path)?,
                (None, None) => return Err(Error::new(path, ErrorKind::Unavailable { failures })),
                (None, Some(archive)) => {
                    self.bring_members(dataset, archive, &missing[at..], data_dir, failures, progress)?;
                    break;
                }
            }
            progress(file, Event::Done);
        }
        for file in dataset.files.iter().chain(dataset.archive.as_ref().map(|archive| &archive.file)) {
            // The set is complete, and what is left harms nobody: no reason to fail where nothing can be removed.
            let _ = members::tidy(&dataset.path(file, data_dir));
        }
        Ok(fetched)
    }

    /// Puts all of `missing` in their places, out of the archive. `failures` are those of the first by itself.
    fn bring_members(
        &self,
        dataset: &DataSet,
        archive: &Archive,
        missing: &[(&RemoteFile, &Path)],
        data_dir: &Path,
        mut failures: Failures,
        progress: &mut dyn FnMut(&RemoteFile, Event<'_>),
    ) -> Result<(), Error> {
        let file = &archive.file;
        let path = dataset.path(file, data_dir);
        let part = self.fill(dataset, file, &path, &mut failures, &mut |event| progress(file, event))?;
        let Some(mut part) = part else {
            return Err(Error::new(&path, ErrorKind::Unavailable { failures }));
        };
        progress(file, Event::Unpacking);
        let placed = members::place(&mut part, dataset, archive, missing, data_dir);
        // An archive that is of no use need not be kept; one that did not fit on the disk is worth keeping.
        if placed.as_ref().err().is_none_or(|error| matches!(error.kind(), ErrorKind::Archive(_))) {
            part.discard()?;
        }
        placed?;
        missing.iter().for_each(|(file, _)| progress(file, Event::Done));
        Ok(())
    }

    /// The whole and verified part of the file that shall lie at `path`, from the first place that has it; `None` if
    /// there is none, and then `failures` says why.
    fn fill(
        &self,
        dataset: &DataSet,
        file: &RemoteFile,
        path: &Path,
        failures: &mut Failures,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<Part>, Error> {
        let places = self.source.places(dataset, file);
        if places.is_empty() && !part_path(path).exists() {
            return Ok(None);
        }
        let directory = path.parent().unwrap_or(path);
        fs::create_dir_all(directory).map_err(local(directory, "create the directory"))?;
        let mut part = Part::open(path)?;
        // A process may have ended between the last byte and the rename.
        if part.len() == file.size && part.sha256()? == file.sha256 {
            return Ok(Some(part));
        }
        if part.len() >= file.size {
            part.restart()?;
        }
        for place in places {
            match self.try_place(&place, file, &mut part, progress) {
                Ok(()) => return Ok(Some(part)),
                Err(Stop::Failure(failure)) => failures.push((place.name(), failure)),
                Err(Stop::Error(error)) => return Err(error),
            }
        }
        part.close()?;
        Ok(None)
    }

    /// Fills `part` from one place, with as many attempts as the policy grants it.
    fn try_place(
        &self,
        place: &Place,
        file: &RemoteFile,
        part: &mut Part,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Stop> {
        let mut left = if place.is_remote() { self.policy.attempts } else { 1 };
        let mut pause = self.policy.pause;
        loop {
            let failure = match self.attempt(place, file, part, progress) {
                Err(Stop::Failure(failure)) => failure,
                ended => return ended,
            };
            left = left.saturating_sub(1);
            let retry_in = (left > 0 && failure.is_transient()).then_some(pause);
            progress(Event::Failed { place: &place.name(), failure: &failure, retry_in });
            if retry_in.is_none() {
                return Err(failure.into());
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2);
        }
    }

    /// Fills `part` and verifies it. Whatever is left in it afterwards is worth resuming.
    fn attempt(
        &self,
        place: &Place,
        file: &RemoteFile,
        part: &mut Part,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Stop> {
        let mut answer = match place.open(&self.agent, part.len()) {
            Ok(answer) => answer,
            Err(failure) => {
                // Ask for all of it next time.
                if let Failure::Range { .. } = failure {
                    part.restart()?;
                }
                return Err(failure.into());
            }
        };
        let head = answer.body.fill_buf().map_err(Failure::Read)?;
        if answer.html || (answer.offset == 0 && html::is_page(head)) {
            return Err(Failure::Html { words: html::first_words(head) }.into());
        }
        let expected = file.size;
        if let Some(found) = answer.size.filter(|&size| size != expected) {
            return Err(Failure::Size { expected, found }.into());
        }
        if answer.offset == 0 {
            part.restart()?;
        }
        let resumed = part.len() > 0;
        progress(Event::Started { place: &place.name(), offset: part.len() });
        while part.len() < expected {
            let bytes = answer.body.fill_buf().map_err(Failure::Read)?;
            if bytes.is_empty() {
                return Err(Failure::Short { expected, found: part.len() }.into());
            }
            // Never more than the file has, however much the source sends.
            let count = bytes.len().min(usize::try_from(expected - part.len()).unwrap_or(usize::MAX));
            part.append(&bytes[..count])?;
            answer.body.consume(count);
            progress(Event::Received { bytes: part.len() });
        }
        let found = part.sha256()?;
        if found != file.sha256 {
            part.restart()?;
            return Err(Failure::Checksum { expected: file.sha256.to_owned(), found, resumed }.into());
        }
        Ok(())
    }
}
