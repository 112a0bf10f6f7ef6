//! Runs beside each other.

use crate::data::Run;
use crate::escape::Text;
use std::fmt::Write;

/// The names of the settings in which runs differ, in the order in which they first appear. A setting that a run does not
/// have differs from one that it has.
pub fn differing(runs: &[Run]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.settings) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let differs = |name: &&str| {
        let mut values = runs.iter().map(|run| run.setting(name));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    names.into_iter().filter(differs).collect()
}

impl Run {
    /// What a setting was.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The table of what came of each run, and of the settings in which they differ.
pub(crate) fn table(runs: &[Run]) -> String {
    let differing = differing(runs);
    let mut html = String::from("<div class=\"scroll\"><table><thead><tr><th></th>");
    for run in runs {
        let _ = write!(html, "<th>{}</th>", Text(&run.name));
    }
    html += "</tr></thead><tbody>\n";
    let mut row = |name: &str, value: &dyn Fn(&Run) -> Option<String>| {
        let _ = write!(html, "<tr><td>{}</td>", Text(name));
        for run in runs {
            let value = value(run).unwrap_or_else(|| "–".to_owned());
            let _ = write!(html, "<td>{}</td>", Text(&value));
        }
        html += "</tr>\n";
    };
    let percent = |accuracy: f64| format!("{:.2} %", 100.0 * accuracy);
    row("epochs", &|run| run.epochs.last().map(|epoch| epoch.epoch.to_string()));
    row("best accuracy", &|run| run.best().map(|best| percent(best.score().accuracy)));
    row("in epoch", &|run| run.best().map(|best| best.epoch.to_string()));
    row("loss then", &|run| run.best().map(|best| format!("{:.4}", best.score().loss)));
    row("time", &|run| (!run.epochs.is_empty()).then(|| time(run.seconds())));
    for name in differing {
        row(name, &|run| run.setting(name).map(str::to_owned));
    }
    html + "</tbody></table></div>\n"
}

/// Seconds as one says them.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        ..99.5 => format!("{seconds:.1} s"),
        ..5970.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_run_lacks_differs() {
        let run = |settings: &[(&str, &str)]| Run {
            settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..Run::default()
        };
        let runs =
            [run(&[("network", "a"), ("seed", "1")]), run(&[("network", "a"), ("seed", "2"), ("clip", "1")])];
        assert_eq!(differing(&runs), ["seed", "clip"]);
        assert!(differing(&runs[..1]).is_empty() && differing(&[]).is_empty());
    }

    #[test]
    fn times_are_short() {
        assert_eq!([time(7.25), time(99.6), time(7200.0)], ["7.2 s", "2 min", "2.0 h"]);
    }
}
