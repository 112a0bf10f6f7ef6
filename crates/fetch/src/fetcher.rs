use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ureq::Agent;

use crate::dataset::part_path;
use crate::error::local;
use crate::part::Part;
use crate::place::{Place, Source};
use crate::{
    Archive, DataSet, Error, ErrorKind, Event, Failure, Members, RemoteFile, Sum, html, members, sums_file,
};

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
    /// removed then: its members have sums of their own. Of a tree the folder is returned, and events name the archive.
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
        if let Some(archive @ Archive { members: Members::Tree { .. }, .. }) = &dataset.archive {
            return self.fetch_tree(dataset, archive, data_dir, progress);
        }
        let mut fetched = Vec::with_capacity(dataset.files.len());
        for file in dataset.files {
            let path = dataset.path(file.name, data_dir);
            let found = file.sum.of_path(&path)?;
            let was_present = found.as_deref() == Some(file.sum.digits());
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
            let versions = std::slice::from_ref(file);
            let part =
                self.fill(dataset, versions, path, &mut failures, &mut |event| progress(file, event))?;
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
        for name in
            dataset.files.iter().map(|file| file.name).chain(dataset.archive.map(|archive| archive.name()))
        {
            // The set is complete, and what is left harms nobody: no reason to fail where nothing can be removed.
            let _ = members::tidy(&dataset.path(name, data_dir));
        }
        Ok(fetched)
    }

    /// Puts the tree that is known as an archive at `<data_dir>/<set>`, unless it is there and whole.
    fn fetch_tree(
        &self,
        dataset: &DataSet,
        archive: &Archive,
        data_dir: &Path,
        progress: &mut dyn FnMut(&RemoteFile, Event<'_>),
    ) -> Result<Vec<Fetched>, Error> {
        let path = data_dir.join(dataset.name);
        let was_present = sums_file::first_wrong(&path)?.is_none();
        if !was_present {
            self.bring_members(dataset, archive, &[], data_dir, Failures::new(), progress)?;
        }
        if let Some(file) = archive.versions.first() {
            progress(file, if was_present { Event::Present } else { Event::Done });
        }
        let _ = members::tidy(&dataset.path(archive.name(), data_dir));
        Ok(vec![Fetched { path, was_present }])
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
        let path = dataset.path(archive.name(), data_dir);
        let [file, ..] = archive.versions else {
            return Err(Error::new(&path, ErrorKind::Unavailable { failures }));
        };
        let show = &mut |event: Event<'_>| progress(file, event);
        let Some(mut part) = self.fill(dataset, archive.versions, &path, &mut failures, show)? else {
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

    /// The whole and verified part of the file that shall lie at `path`, in any of its versions, from the first place
    /// that has it; `None` if there is none, and then `failures` says why.
    fn fill(
        &self,
        dataset: &DataSet,
        versions: &[RemoteFile],
        path: &Path,
        failures: &mut Failures,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<Part>, Error> {
        let places = versions.first().map_or(Vec::new(), |file| self.source.places(dataset, file.name));
        if places.is_empty() && !part_path(path).exists() {
            return Ok(None);
        }
        let directory = path.parent().unwrap_or(path);
        fs::create_dir_all(directory).map_err(local(directory, "create the directory"))?;
        let mut part = Part::open(path)?;
        // A process may have ended between the last byte and the rename.
        if versions.iter().any(|file| file.size == part.len()) && wrong_sum(&mut part, versions)?.is_none() {
            return Ok(Some(part));
        }
        if versions.iter().all(|file| part.len() >= file.size) {
            part.restart()?;
        }
        for place in places {
            match self.try_place(&place, versions, &mut part, progress) {
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
        versions: &[RemoteFile],
        part: &mut Part,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Stop> {
        let mut left = if place.is_remote() { self.policy.attempts } else { 1 };
        let mut pause = self.policy.pause;
        loop {
            let failure = match self.attempt(place, versions, part, progress) {
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
        versions: &[RemoteFile],
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
        let is_served = |file: &&RemoteFile| answer.size.is_none_or(|size| size == file.size);
        let Some(expected) = versions.iter().filter(is_served).map(|file| file.size).max() else {
            let expected = versions.first().map_or(0, |file| file.size);
            return Err(Failure::Size { expected, found: answer.size.unwrap_or_default() }.into());
        };
        if answer.offset == 0 {
            part.restart()?;
        }
        let resumed = part.len() > 0;
        progress(Event::Started { place: &place.name(), offset: part.len() });
        while part.len() < expected {
            let bytes = answer.body.fill_buf().map_err(Failure::Read)?;
            if bytes.is_empty() && versions.iter().any(|file| file.size == part.len()) {
                break;
            }
            if bytes.is_empty() {
                return Err(Failure::Short { expected, found: part.len() }.into());
            }
            // Never more than the file has, however much the source sends.
            let count = bytes.len().min(usize::try_from(expected - part.len()).unwrap_or(usize::MAX));
            part.append(&bytes[..count])?;
            answer.body.consume(count);
            progress(Event::Received { bytes: part.len() });
        }
        if let Some((expected, found)) = wrong_sum(part, versions)? {
            part.restart()?;
            return Err(Failure::Checksum { expected, found, resumed }.into());
        }
        Ok(())
    }
}

/// Of a part that has none of the versions' sums, the best version's and what it has in its place; `None` where all
/// is well.
fn wrong_sum(part: &mut Part, versions: &[RemoteFile]) -> Result<Option<(Sum, String)>, Error> {
    let mut wrong = None;
    for file in versions {
        let found = part.sum_like(&file.sum)?;
        if found == file.sum.digits() {
            return Ok(None);
        }
        wrong.get_or_insert((file.sum, found));
    }
    Ok(wrong)
}
