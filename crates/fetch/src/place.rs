//! Where files come from, and how the bytes are asked for.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use ureq::Agent;
use ureq::http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, RANGE,
};

use crate::{DataSet, Failure};

/// Where to look for a data set's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The catalogue's own URLs.
    Catalogue,
    /// A directory that holds `<set>/<file>` for the sets that come with the program, and for the others, or if a
    /// file there is wrong, the catalogue's own URLs.
    Bundled(PathBuf),
    /// A mirror: a directory that holds `<set>/<file>`, or the set's archive in place of its files.
    Directory(PathBuf),
    /// A mirror: a URL under which there are `<set>/<file>`, or the set's archive in place of its files.
    Url(String),
}

impl Source {
    /// The mirror that a user names: a URL if it begins with `http://` or `https://`, else a directory.
    pub fn mirror(name: &str) -> Self {
        if name.starts_with("http://") || name.starts_with("https://") {
            Self::Url(name.to_owned())
        } else {
            Self::Directory(name.into())
        }
    }

    /// The places to try for the file of that name, in order.
    pub(crate) fn places(&self, dataset: &DataSet, file: &str) -> Vec<Place> {
        let in_directory = |directory: &PathBuf| Place::File(dataset.path(file, directory));
        // The public servers have the members of an archive only in it.
        let is_served = dataset.archive.is_none_or(|archive| archive.name() == file);
        let base_urls = if is_served { dataset.base_urls } else { &[] };
        let in_catalogue = base_urls.iter().map(|base| Place::Url(format!("{base}{file}")));
        match self {
            Self::Catalogue => in_catalogue.collect(),
            Self::Bundled(directory) => {
                let bundled = dataset.path(file, directory).exists().then(|| in_directory(directory));
                bundled.into_iter().chain(in_catalogue).collect()
            }
            Self::Directory(directory) => vec![in_directory(directory)],
            Self::Url(base) => {
                vec![Place::Url(format!("{}/{}/{}", base.trim_end_matches('/'), dataset.name, file))]
            }
        }
    }
}

/// One place where one file may be.
#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Url(String),
}

/// Bytes on their way, and what their source says of them.
pub(crate) struct Answer {
    pub body: Box<dyn BufRead>,
    /// Where in the file the bytes begin: at the offset asked for, or at 0 if the source gives only all of it.
    pub offset: u64,
    /// The size of the whole file.
    pub size: Option<u64>,
    /// Whether the source calls it a web page.
    pub html: bool,
}

impl Place {
    /// How the place is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.clone(),
        }
    }

    /// Whether to try again after a transient failure.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// Asks for the bytes from `offset` on.
    pub fn open(&self, agent: &Agent, offset: u64) -> Result<Answer, Failure> {
        match self {
            Self::File(path) => {
                let file = File::open(path).map_err(Failure::Read)?;
                let size = file.metadata().map_err(Failure::Read)?.len();
                Ok(Answer { body: Box::new(BufReader::new(file)), offset: 0, size: Some(size), html: false })
            }
            Self::Url(url) => request(agent, url, offset),
        }
    }
}

fn request(agent: &Agent, url: &str, offset: u64) -> Result<Answer, Failure> {
    // The sums are those of the files as they are: no transparent compression.
    let mut request = agent.get(url).header(ACCEPT_ENCODING, "identity");
    if offset > 0 {
        request = request.header(RANGE, format!("bytes={offset}-"));
    }
    let response = request.call().map_err(|error| Failure::Request(error.into()))?;
    let headers = response.headers();
    let html = header(headers, CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("text/html"));
    let (start, size) = match response.status().as_u16() {
        200 => (0, header(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok())),
        206 if offset > 0 => {
            let range = header(headers, CONTENT_RANGE).unwrap_or("no range");
            match parse_content_range(range) {
                Some((start, size)) if start == offset => (start, size),
                _ => return Err(Failure::Range { offset, found: range.to_owned() }),
            }
        }
        416 if offset > 0 => return Err(Failure::Range { offset, found: "status 416".to_owned() }),
        status => return Err(Failure::Status(status)),
    };
    let body = Box::new(BufReader::with_capacity(1 << 16, response.into_body().into_reader()));
    Ok(Answer { body, offset: start, size, html })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The first byte and the size of the whole file of `bytes FIRST-LAST/SIZE` (RFC 9110, 14.4); the size may be `*`.
fn parse_content_range(range: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(parse_content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes */10", "bytes 5/10", "items 5-9/10", "bytes -5-9/10"] {
            assert_eq!(parse_content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_mirror_is_a_url_or_a_directory() {
        assert_eq!(Source::mirror("https://host/data"), Source::Url("https://host/data".into()));
        assert_eq!(Source::mirror("../http"), Source::Directory("../http".into()));
    }
}
