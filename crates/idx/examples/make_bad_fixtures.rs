//! Writes `fixtures/bad/idx`: small files that are each wrong in one way. `tests/bad_files.rs` says how each is met.
//!
//! `cargo run -p lenslet-idx --example make_bad_fixtures`

use std::fs;
use std::io::Write;
use std::path::Path;

use lenslet_idx::{Compression, Elements, Idx};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/bad/idx");
    fs::create_dir_all(&directory)?;
    for (name, bytes) in single_files()? {
        fs::write(directory.join(name), bytes)?;
    }
    for (name, images, labels) in pairs()? {
        let directory = directory.join(name);
        fs::create_dir_all(&directory)?;
        images.save(directory.join("images.idx"), Compression::None)?;
        labels.save(directory.join("labels.idx"), Compression::None)?;
    }
    Ok(())
}

/// Two pictures of 2 x 3 pixels: 16 bytes of header and 12 of elements.
fn good() -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    Idx::new(vec![2, 2, 3], (0..12).collect::<Vec<u8>>())?.write_to(&mut bytes, Compression::None)?;
    Ok(bytes)
}

fn single_files() -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let good = good()?;
    let web_page = b"<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n";
    // Rank 1, u8, 2^32 - 1 elements; 12 of them are there.
    let huge_claim = [[0, 0, 8, 1, 255, 255, 255, 255].as_slice(), &good[16..]].concat();
    // Rank 3, u8, (2^32 - 1)^3 elements.
    let overflow = [[0, 0, 8, 3].as_slice(), &[255; 12]].concat();
    // The good header, then 4 MiB of zeros.
    let bomb = [&good[..16], &[0; 4 << 20]].concat();

    let whole = gzip(&good)?;
    let mut bad_checksum = whole.clone();
    let checksum = bad_checksum.len() - 8;
    bad_checksum[checksum] ^= 1;
    let mut bad_block = whole.clone();
    bad_block[10] |= 0b110; // deflate's block type 3, which is reserved

    Ok(vec![
        ("empty.idx", Vec::new()),
        ("magic-truncated.idx", good[..3].to_vec()),
        ("header-truncated.idx", good[..10].to_vec()),
        ("body-truncated.idx", good[..20].to_vec()),
        ("oversized.idx", [&good, b"extra".as_slice()].concat()),
        ("wrong-magic.idx", [b"\x89PNG", &good[4..]].concat()),
        ("unknown-type.idx", [&[0, 0, 0x0a, 3], &good[4..]].concat()),
        ("web-page.gz", web_page.to_vec()),
        ("web-page-compressed.gz", gzip(web_page)?),
        ("claims-4-gib.idx", huge_claim.clone()),
        ("claims-4-gib.gz", gzip(&huge_claim)?),
        ("claims-overflow.idx", overflow),
        ("bomb.gz", gzip(&bomb)?),
        ("empty.gz", gzip(&[])?),
        ("truncated-within-gzip.gz", gzip(&good[..20])?),
        ("gzip-truncated.gz", whole[..whole.len() - 12].to_vec()),
        ("gzip-checksum.gz", bad_checksum),
        ("gzip-block.gz", bad_block),
        ("gzip-then-garbage.gz", [&whole, b"garbage".as_slice()].concat()),
        ("gzip-then-second-file.gz", [whole.as_slice(), &whole].concat()),
    ])
}

fn pairs() -> Outcome<Vec<(&'static str, Idx, Idx)>> {
    let images = || Idx::new(vec![2, 2, 3], (0..12).collect::<Vec<u8>>());
    let labels = |labels: Elements| Idx::new(vec![labels.len()], labels);
    Ok(vec![
        ("pair-counts-mismatched", images()?, labels(vec![0u8, 1, 0].into())?),
        ("pair-swapped", labels(vec![0u8, 1].into())?, images()?),
        ("pair-labels-twice", labels(vec![0u8, 1].into())?, labels(vec![0u8, 1].into())?),
        ("pair-images-twice", images()?, images()?),
        ("pair-float-images", Idx::new(vec![2, 1, 1], vec![0.5f32, 0.25])?, labels(vec![0u8, 1].into())?),
        ("pair-float-labels", images()?, labels(vec![0.0f32, 1.0].into())?),
        ("pair-negative-label", images()?, labels(vec![0i16, -1].into())?),
        ("pair-huge-label", images()?, labels(vec![0i32, i32::MAX].into())?),
    ])
}

fn gzip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
