//! Recognises a web page that came instead of data.

/// Whether `head`, the first bytes of a body, begin a page of HTML.
pub fn is_page(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|mark| head.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes())))
}

/// The first words that a reader of the page would see, at most 80 characters.
pub fn first_words(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let mut inside_tag = false;
    let visible: String = text
        .chars()
        .map(|c| {
            match c {
                '<' => inside_tag = true,
                '>' => {
                    inside_tag = false;
                    return ' ';
                }
                _ => {}
            }
            if inside_tag || c.is_control() { ' ' } else { c }
        })
        .collect();
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_data() {
        for page in ["<!DOCTYPE html><p>", "\u{feff}\r\n <HTML lang=en>", "<html>"] {
            assert!(is_page(page.as_bytes()), "{page:?}");
        }
        for data in [&b"\x1f\x8b\x08"[..], b"", b"<htm", b"text <html>"] {
            assert!(!is_page(data), "{data:?}");
        }
    }

    #[test]
    fn words_are_what_a_reader_sees() {
        let page = b"<html>\n<head><title>Log\x1b in</title></head><body class=\"a\"><h1>Hotel  WLAN</h1>";
        assert_eq!(first_words(page), "Log in Hotel WLAN");
        assert_eq!(first_words("ä".repeat(500).as_bytes()).chars().count(), 80);
    }
}
