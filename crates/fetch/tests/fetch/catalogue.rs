//! The catalogue is data: what a slip of the keyboard would break.

use std::collections::BTreeSet;

use lenslet_fetch::{DataSet, Members, RemoteFile, Sum, catalogue};

/// Archives included.
fn files(dataset: &DataSet) -> impl Iterator<Item = &RemoteFile> {
    dataset.files.iter().chain(dataset.archive.iter().flat_map(|archive| archive.versions))
}

#[test]
fn every_entry_is_well_formed() {
    assert!(!catalogue::ALL.is_empty());
    for dataset in catalogue::ALL {
        assert!(
            dataset.name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_".contains(&c))
        );
        assert!(!dataset.title.is_empty() && !dataset.licence.is_empty(), "{}", dataset.name);
        assert!(dataset.page.starts_with("http"), "{}", dataset.page);
        let is_tree = dataset.archive.is_some_and(|archive| matches!(archive.members, Members::Tree { .. }));
        let is_alone = is_tree || *dataset == catalogue::VGG16;
        assert_eq!(is_alone, dataset.base_urls.len() < 2, "{}", dataset.name);
        assert_eq!(is_tree, dataset.files.is_empty(), "{}", dataset.name);
        for url in dataset.base_urls {
            assert!(url.starts_with("http") && url.ends_with('/'), "{url}");
            assert!(!url.contains("yann.lecun.com"), "that server refuses more often than it serves");
        }
        assert!(files(dataset).count() > 0);
        for version in dataset.archive.iter().flat_map(|archive| archive.versions) {
            assert_eq!(version.name, dataset.archive.map_or("", |archive| archive.name()));
        }
        for file in files(dataset) {
            let is_inside = file.name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
            assert!(is_inside && !file.name.contains('\\'), "{}", file.name);
            assert!(file.size > 0, "{}", file.name);
            let len = if let Sum::Sha256(_) = file.sum { 64 } else { 32 };
            assert_eq!(file.sum.digits().len(), len, "{}", file.name);
            assert!(
                file.sum.digits().bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)),
                "{}",
                file.name
            );
        }
    }
}

#[test]
fn nothing_is_there_twice() {
    let names: BTreeSet<_> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
    assert_eq!(names.len(), catalogue::ALL.len());
    let files = || catalogue::ALL.iter().flat_map(files);
    let sums: BTreeSet<_> = files().map(|file| file.sum).collect();
    assert_eq!(sums.len(), files().count());
}

#[test]
fn sets_are_found_by_name() {
    assert_eq!(catalogue::find("kmnist"), Some(&catalogue::KMNIST));
    assert_eq!(catalogue::find("KMNIST"), None);
    assert_eq!(catalogue::MNIST.size(), 11_594_722);
    assert_eq!(catalogue::IMAGENETTE_224.size(), 151_705_600);
}
