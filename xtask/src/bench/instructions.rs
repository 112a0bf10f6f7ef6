//! Instructions of work on one thread, counted by valgrind: the same on a busy machine as on an idle one.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::baseline::Instructions;
use super::program;

/// What the program `steady` of `lenslet-benches` can do.
const WORK: [&str; 2] = ["idx", "batches"];

/// Counts those of all work, or none where there is no valgrind.
pub fn count() -> Result<Option<Instructions>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    // Cargo starts the program under this one.
    let runner = r#"target."cfg(all())".runner = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]"#;
    let count = |work: &&str| {
        let output =
            program("steady", &["--config", runner]).arg(work).output().context("cannot call cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "valgrind failed on {work}: {said}");
        Ok((
            (*work).to_owned(),
            references(&said).with_context(|| format!("valgrind counted nothing: {said}"))?,
        ))
    };
    WORK.iter().map(count).collect::<Result<_>>().map(Some)
}

/// The number in `==32743== I   refs:      104,526,208`, with one blank or three after the I.
fn references(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains(" I ") && line.contains("refs:"))?;
    line.rsplit(':').next()?.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrinds_words() {
        let said = "==1== Cachegrind, a tool: counts\n==1== \n==1== I   refs:      104,526,208\n";
        assert_eq!(references(said), Some(104_526_208));
        assert_eq!(references("==1== I refs:        5\n"), Some(5));
        assert_eq!(references("==1== \n"), None);
    }
}
