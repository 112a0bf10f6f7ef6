//! Which classes are taken for which.

use crate::data::Evaluation;
use crate::escape::Text;
use std::fmt::Write;

/// Above so many classes a matrix is no longer read.
const MATRIX: usize = 30;
/// Frequent mistakes to name.
const MISTAKES: usize = 10;

pub(crate) fn sections(evaluation: &Evaluation) -> String {
    let (right, all) = evaluation.right();
    let mut html = format!(
        "<h2>Which classes are taken for which</h2>\n<p>{} Of {all} pictures {right} are told right. A row of the matrix holds \
         the pictures of one class, a column those that the network took for one.</p>\n",
        Text(&evaluation.of)
    );
    if evaluation.classes.len() <= MATRIX {
        html += &matrix(evaluation);
    }
    html += &frequent(evaluation);
    html + &rates(evaluation)
}

fn matrix(evaluation: &Evaluation) -> String {
    let classes = evaluation.classes.len();
    let mut html = String::from("<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>class</th>");
    for class in 0..classes {
        let _ = write!(html, "<th title=\"{}\">{class}</th>", Text(&evaluation.classes[class]));
    }
    html += "</tr></thead><tbody>\n";
    for (label, name) in evaluation.classes.iter().enumerate() {
        let named = if *name == label.to_string() { name.clone() } else { format!("{label} {name}") };
        let _ = write!(html, "<tr><th title=\"{0}\">{0}</th>", Text(&named));
        let samples = evaluation.samples.get(label).copied().unwrap_or(0).max(1);
        for answer in 0..classes {
            let count = evaluation.count(label, answer);
            let share = count as f64 / samples as f64;
            // A rare mistake is to be seen, too.
            let strength = if count == 0 { 0.0 } else { 0.08 + 0.62 * share.sqrt() };
            let kind = if label == answer { "r" } else { "w" };
            let _ = match count {
                0 => write!(html, "<td></td>"),
                _ => write!(html, "<td class=\"{kind}\" style=\"--s:{strength:.2}\">{count}</td>"),
            };
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

fn frequent(evaluation: &Evaluation) -> String {
    let mistakes = evaluation.mistakes();
    if mistakes.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<h3>The most frequent mistakes</h3>\n<div class=\"scroll\"><table><thead><tr><th>is</th><th class=\"left\">taken for</th>\
         <th>pictures</th></tr></thead><tbody>\n",
    );
    for (label, answer, count) in mistakes.into_iter().take(MISTAKES) {
        let [label, answer] = [label, answer].map(|class| Text(&evaluation.classes[class]));
        let _ = writeln!(html, "<tr><td>{label}</td><td class=\"left\">{answer}</td><td>{count}</td></tr>");
    }
    html + "</tbody></table></div>\n"
}

fn rates(evaluation: &Evaluation) -> String {
    let mut html = String::from(
        "<h2>Class by class</h2>\n<p>Precision: how many of those taken for the class are of it. Recall: how many of the class are \
         found. F1: their harmonic mean.</p>\n<div class=\"scroll\"><table><thead><tr><th>class</th><th>precision</th>\
         <th>recall</th><th>F1</th><th>pictures</th></tr></thead><tbody>\n",
    );
    for (class, name) in evaluation.classes.iter().enumerate() {
        let _ = write!(html, "<tr><td>{}</td>", Text(name));
        for rate in evaluation.rates(class) {
            let rate = rate.map_or("–".to_owned(), |rate| format!("{:.1} %", 100.0 * rate));
            let _ = write!(html, "<td>{rate}</td>");
        }
        let _ = writeln!(html, "<td>{}</td></tr>", evaluation.samples.get(class).copied().unwrap_or(0));
    }
    html + "</tbody></table></div>\n"
}
