//! The page as a document: well-formed, alone, complete, and safe from names.

use lenslet_report::{Epoch, Evaluation, Figure, Gallery, Layer, Run, Score, page};
use roxmltree::{Document, Node};

const HOSTILE: &str = "</td><script>alert('1')</script>\"&\u{0}";

fn classes() -> Vec<String> {
    ["cat", HOSTILE, "日本", "a class with a name that is too long for a narrow column"]
        .map(str::to_owned)
        .to_vec()
}

fn run(name: &str, seed: &str) -> Run {
    let epoch = |epoch: u64| Epoch {
        epoch,
        train: Score { loss: 1.0 / epoch as f64, accuracy: 0.9 },
        validation: (epoch != 2).then_some(Score { loss: f64::NAN, accuracy: 0.8 }),
        learning_rate: 1e-3,
        seconds: 10.0,
    };
    let figure = Figure { png: vec![1, 2, 3], caption: HOSTILE.to_owned() };
    Run {
        name: name.to_owned(),
        settings: vec![(HOSTILE.to_owned(), HOSTILE.to_owned()), ("seed".to_owned(), seed.to_owned())],
        epochs: (1..=3).map(epoch).collect(),
        evaluation: Some(Evaluation {
            of: "On everything.".to_owned(),
            classes: classes(),
            samples: vec![10; 4],
            confusion: (0..4)
                .map(|label| (0..4).map(|answer| if label == answer { 7 } else { 1 }).collect())
                .collect(),
        }),
        layers: vec![Layer {
            name: "conv1".to_owned(),
            layer: "conv(4, 3x3)".to_owned(),
            output: vec![4, 26, 26],
            parameters: 1_234_567,
            multiply_adds: 0,
        }],
        galleries: vec![Gallery {
            title: HOSTILE.to_owned(),
            explanation: "What one sees.".to_owned(),
            wide: false,
            figures: vec![figure],
        }],
        notes: vec![HOSTILE.to_owned()],
    }
}

/// Parses a page, which must be one document without scripts whose every address is within it.
fn check(html: &str) -> String {
    let body = html.strip_prefix("<!DOCTYPE html>\n").expect("HTML");
    let document = Document::parse(body).unwrap_or_else(|error| panic!("{error}\n{html}"));
    for node in document.descendants().filter(Node::is_element) {
        assert!(
            !["script", "link", "iframe", "object", "base"].contains(&node.tag_name().name()),
            "{node:?}"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on"), "{name}");
            assert!(
                !["src", "href"].contains(&name) || value.starts_with("data:image/png;base64,"),
                "{value}"
            );
        }
    }
    for outside in ["http:", "https:", "//", "url(", "@import", "NaN", "inf"] {
        assert!(!html.contains(outside), "{outside}");
    }
    document.descendants().filter_map(|node| node.text()).collect()
}

#[test]
fn a_page_is_well_formed_and_shows_everything() {
    let html = page(&[run("first", "1")]);
    let text = check(&html);
    for class in classes() {
        assert!(text.contains(&class.replace('\u{0}', " ")), "{class}");
    }
    for shown in
        ["80.00 %", "1,234,567", "4×26×26", "Learning rate", "Precision", "On everything.", "What one sees."]
    {
        assert!(text.contains(shown), "{shown}");
    }
    assert!(html.contains("data:image/png;base64,AQID"), "the picture");
    assert_eq!(
        html.matches("<polyline").count(),
        5,
        "two of accuracy, two of loss, one of the learning rate"
    );
}

#[test]
fn runs_are_compared_by_what_differs() {
    let runs = [run(HOSTILE, "1"), run("second", "2")];
    let html = page(&runs);
    let text = check(&html);
    assert!(text.contains("2 runs compared") && text.contains("best accuracy"));
    let head = &html[..html.find("<svg").expect("curves")];
    assert_eq!(head.matches("<td>seed</td><td>1</td><td>2</td>").count(), 1, "what differs");
    assert_eq!(html.matches("<details>").count(), 2);
    assert_eq!(html.matches("<polyline").count(), 10);
}

#[test]
fn what_is_not_there_is_left_out() {
    let html = page(&[Run::default()]);
    check(&html);
    assert!(!html.contains("<svg") && !html.contains("<table"));
    check(&page(&[]));
    // A matrix that is smaller than it says, and epochs without end.
    let mut odd = run("odd", "1");
    odd.evaluation = Some(Evaluation {
        of: String::new(),
        classes: (0..40).map(|class| format!("class {class}")).collect(),
        samples: vec![1],
        confusion: vec![vec![0, 1]],
    });
    let last = odd.epochs[2];
    odd.epochs.extend((4..400).map(|epoch| Epoch { epoch, ..last }));
    let text = check(&page(&[odd]));
    assert!(text.contains("class 39"));
}
