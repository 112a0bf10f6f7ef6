//! Records: a length, a message, and a checksum of each.

use crate::error::RecordError;
use crate::proto::Event;
use prost::Message;

/// Bytes of the length and its checksum.
const HEAD: usize = 12;
/// Bytes of the message's checksum.
const FOOT: usize = 4;

/// CRC-32C, turned and moved as the format wants it, so that a checksum of data with checksums inside is worth something.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
}

/// An event as a record.
pub fn write(event: &Event) -> Vec<u8> {
    let message = event.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), &message, &checksum(&message)].concat()
}

/// The event in the first record of `bytes`, and the record's length.
pub fn read(bytes: &[u8]) -> Result<(Event, usize), RecordError> {
    let cut_short = |needed: u64| RecordError::CutShort { needed, found: bytes.len() as u64 };
    let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or_else(|| cut_short(HEAD as u64))?;
    let [a, b, c, d, e, f, g, h, sum @ ..] = *head;
    let length = [a, b, c, d, e, f, g, h];
    if checksum(&length) != sum {
        return Err(RecordError::Checksum("length"));
    }
    let length = u64::from_le_bytes(length);
    let needed = length.saturating_add((HEAD + FOOT) as u64);
    if needed > bytes.len() as u64 {
        return Err(cut_short(needed));
    }
    // It is no more than what there is, so it fits.
    let (message, foot) = rest.split_at(length as usize);
    if !foot.starts_with(&checksum(message)) {
        return Err(RecordError::Checksum("message"));
    }
    Ok((Event::decode(message)?, HEAD + message.len() + FOOT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::What;

    /// From RFC 3720, appendix B.4, and the first bytes of every event file that TensorFlow writes.
    #[test]
    fn checksums_are_the_formats() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(checksum(&24u64.to_le_bytes()), [0xA3, 0x7F, 0x4B, 0x22]);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let what = Some(What::FileVersion("brain.Event:2".to_owned()));
        let event = Event { wall_time: 1e9, step: 3, what };
        let bytes = write(&event);
        assert_eq!(read(&bytes), Ok((event, bytes.len())));
        for cut in 0..bytes.len() {
            assert!(matches!(read(&bytes[..cut]), Err(RecordError::CutShort { .. })), "{cut}");
        }
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read(&damaged), Err(RecordError::Checksum(_))), "{bit}");
        }
    }

    #[test]
    fn a_record_longer_than_memory_is_cut_short() {
        for length in [u64::MAX, u64::MAX - 16, 1 << 40] {
            let length = length.to_le_bytes();
            let bytes = [&length[..], &checksum(&length), &[0; 9]].concat();
            assert!(matches!(read(&bytes), Err(RecordError::CutShort { .. })));
        }
    }
}
