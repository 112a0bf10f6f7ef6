//! The page.

use crate::chart::{Chart, Line};
use crate::compare::{table, time};
use crate::data::{Epoch, Gallery, Layer, Run};
use crate::escape::Text;
use crate::evaluation::sections;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::{Display, Write};

/// One run as a page, or several side by side and then one after the other.
pub fn page(runs: &[Run]) -> String {
    let title = match runs {
        [run] => run.name.clone(),
        runs => format!("{} runs compared", runs.len()),
    };
    let mut body = format!("<h1>{}</h1>\n", Text(&title));
    match runs {
        [run] => {
            body += &tiles(run);
            body += &notes(run);
            body += &curves(runs);
            body += &details(run);
        }
        runs => {
            body += "<p>What came of them, and the settings in which they differ.</p>\n";
            body += &table(runs);
            body += &curves(runs);
            for run in runs {
                let _ = write!(
                    body,
                    "<details><summary>{}</summary>\n{}{}{}</details>\n",
                    Text(&run.name),
                    tiles(run),
                    notes(run),
                    details(run)
                );
            }
        }
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n\
         <style>{}</style>\n</head>\n<body>\n{body}<footer>Made by Lenslet.</footer>\n</body>\n</html>\n",
        Text(&title),
        include_str!("style.css")
    )
}

fn tiles(run: &Run) -> String {
    let mut html = String::from("<div class=\"tiles\">\n");
    let mut tile = |value: &dyn Display, what: &str| {
        let _ = writeln!(html, "<div><b>{value}</b>{}</div>", Text(what));
    };
    if let Some(best) = run.best() {
        let (score, of) = match best.validation {
            Some(score) => (score, "validation"),
            None => (best.train, "training"),
        };
        tile(
            &format_args!("{:.2} %", 100.0 * score.accuracy),
            &format!("best {of} accuracy, in epoch {}", best.epoch),
        );
        tile(&format_args!("{:.4}", score.loss), &format!("{of} loss then"));
        tile(&run.epochs.len(), if run.epochs.len() == 1 { "epoch" } else { "epochs" });
        tile(&time(run.seconds()), "of training");
    }
    if !run.layers.is_empty() {
        let parameters: usize = run.layers.iter().map(|layer| layer.parameters).sum();
        tile(&grouped(parameters), "parameters");
    }
    html + "</div>\n"
}

fn notes(run: &Run) -> String {
    run.notes.iter().map(|note| format!("<p>{}</p>\n", Text(note))).collect()
}

/// What a chart of epochs shows of each.
type Value = fn(&Epoch) -> Option<f64>;

fn curves(runs: &[Run]) -> String {
    if runs.iter().all(|run| run.epochs.is_empty()) {
        return String::new();
    }
    let charts: [(&str, bool, [(&str, Value); 2]); 3] = [
        (
            "Accuracy",
            true,
            [
                ("validation", |epoch| epoch.validation.map(|score| score.accuracy)),
                ("training", |epoch| Some(epoch.train.accuracy)),
            ],
        ),
        (
            "Loss",
            false,
            [
                ("validation", |epoch| epoch.validation.map(|score| score.loss)),
                ("training", |epoch| Some(epoch.train.loss)),
            ],
        ),
        ("Learning rate", false, [("", |epoch| Some(epoch.learning_rate)), ("", |_| None)]),
    ];
    let mut html = String::from(
        "<h2>Over the epochs</h2>\n<p>What the network learns shows on the training pictures; what it is worth on the validation \
         pictures, from which it does not learn. Where only the training curve gets better, it learns by heart.</p>\n\
         <div class=\"charts\">\n",
    );
    for (title, percent, kinds) in charts {
        let mut lines = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            for (kind_number, (kind, value)) in kinds.into_iter().enumerate() {
                let points: Vec<_> =
                    run.epochs.iter().filter_map(|epoch| Some((epoch.epoch as f64, value(epoch)?))).collect();
                let label = match runs {
                    [_] if kind.is_empty() => title.to_lowercase(),
                    [_] => kind.to_owned(),
                    _ => format!("{} {kind}", run.name).trim().to_owned(),
                };
                // A run alone has a colour for each kind.
                let colour = if runs.len() == 1 { kind_number } else { number };
                if !points.is_empty() {
                    lines.push(Line { label, colour, dashed: kind_number == 1, points });
                }
            }
        }
        let chart =
            Chart { title: title.to_owned(), along: "epoch".to_owned(), percent, lines, ..Chart::default() };
        let _ = write!(html, "<figure><h3>{title}</h3>\n{}{}</figure>\n", chart.inline(), key(&chart));
    }
    html + "</div>\n"
}

/// What is which line.
fn key(chart: &Chart) -> String {
    let mut html = String::from("<div class=\"key\">");
    for line in &chart.lines {
        let dashed = if line.dashed { " dashed" } else { "" };
        let _ = write!(html, "<span class=\"c{}{dashed}\">{}</span>", line.class(), Text(&line.label));
    }
    html + "</div>\n"
}

fn details(run: &Run) -> String {
    let mut html = String::new();
    if let Some(evaluation) = &run.evaluation {
        html += &sections(evaluation);
    }
    for gallery in run.galleries.iter().filter(|gallery| !gallery.figures.is_empty()) {
        html += &figures(gallery);
    }
    if !run.layers.is_empty() {
        html += &summary(&run.layers);
    }
    if !run.settings.is_empty() {
        html += "<h2>Settings</h2>\n<p>All that it takes to do the run again, and what it ran on.</p>\n<div class=\"scroll\"><table><tbody>\n";
        for (name, value) in &run.settings {
            let _ = writeln!(html, "<tr><td>{}</td><td class=\"left\">{}</td></tr>", Text(name), Text(value));
        }
        html += "</tbody></table></div>\n";
    }
    html
}

fn figures(gallery: &Gallery) -> String {
    let wide = if gallery.wide { " wide" } else { "" };
    let mut html = format!(
        "<h2>{}</h2>\n<p>{}</p>\n<div class=\"gallery{wide}\">\n",
        Text(&gallery.title),
        Text(&gallery.explanation)
    );
    for figure in &gallery.figures {
        let _ = writeln!(
            html,
            "<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"/><figcaption>{0}</figcaption></figure>",
            Text(&figure.caption),
            STANDARD.encode(&figure.png)
        );
    }
    html + "</div>\n"
}

fn summary(layers: &[Layer]) -> String {
    let mut html = String::from(
        "<h2>The network</h2>\n<p>Layer by layer: the size of what comes out, the numbers that it learns, and the multiplications \
         that one picture takes.</p>\n<div class=\"scroll\"><table><thead><tr><th>name</th><th class=\"left\">layer</th>\
         <th>output</th><th>parameters</th><th>multiply-adds</th></tr></thead><tbody>\n",
    );
    for Layer { name, layer, output, parameters, multiply_adds } in layers {
        let output = output.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td class=\"left\">{}</td><td>{output}</td><td>{}</td><td>{}</td></tr>",
            Text(name),
            Text(layer),
            grouped(*parameters),
            grouped(*multiply_adds)
        );
    }
    html + "</tbody></table></div>\n"
}

/// `1691360` as `1,691,360`.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}
