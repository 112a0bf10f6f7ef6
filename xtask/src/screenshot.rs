//! `cargo xtask screenshot`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Args;

/// Look at reports in Chromium: wide and on a phone, light and dark.
///
/// Draws each page to OUTPUT/NAME-WIDTH-SCHEME.png, and fails where one is wider than the window, has a picture that cannot
/// be shown, or does not follow the scheme. Needs Chromium (Debian's package `chromium`).
#[derive(Args)]
pub struct Arguments {
    /// HTML files, such as runs/mnist-cnn/report.html.
    #[arg(required = true, value_name = "PAGE")]
    pages: Vec<PathBuf>,

    /// The folder to draw in.
    #[arg(long, value_name = "DIR", default_value = "target/screenshots")]
    output: PathBuf,

    /// The browser to call.
    #[arg(long, value_name = "PROGRAM", default_value = "chromium")]
    browser: String,
}

const WIDTHS: [u32; 2] = [1280, 390];
/// Chromium's number for each.
const SCHEMES: [(&str, u32); 2] = [("light", 1), ("dark", 0)];
/// Chromium has no windows that are narrower; a page on a phone lies in a frame.
const NARROWEST: u32 = 500;
/// Chromium draws no higher pictures.
const HIGHEST: u32 = 16_000;

/// What a page says of itself.
struct Layout {
    width: u32,
    height: u32,
    broken: u32,
    is_dark: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&arguments.output)
        .with_context(|| format!("cannot make the folder {}", arguments.output.display()))?;
    let mut is_good = true;
    for page in &arguments.pages {
        let page = page.canonicalize().with_context(|| format!("no page {}", page.display()))?;
        // Most reports are called so; their folders' names differ.
        let stem = page
            .with_extension("")
            .iter()
            .rev()
            .take(2)
            .map(|part| part.display().to_string())
            .collect::<Vec<_>>();
        let name = stem.into_iter().rev().collect::<Vec<_>>().join("-");
        for width in WIDTHS {
            for (scheme, number) in SCHEMES {
                let browser = Browser { program: &arguments.browser, page: &page, width, scheme: number };
                let layout = browser.layout()?;
                let file = arguments.output.join(format!("{name}-{width}-{scheme}.png"));
                browser.draw(layout.height.min(HIGHEST), &file)?;
                let fits =
                    layout.width <= width && layout.broken == 0 && layout.is_dark == (scheme == "dark");
                is_good &= fits;
                eprintln!(
                    "{}: {}x{}, {} broken pictures, {}{}",
                    file.display(),
                    layout.width,
                    layout.height,
                    layout.broken,
                    if layout.is_dark { "dark" } else { "light" },
                    if fits { "" } else { " - not as it should be" }
                );
            }
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Browser<'a> {
    program: &'a str,
    page: &'a Path,
    width: u32,
    scheme: u32,
}

impl Browser<'_> {
    /// The page in a frame as wide as the window should be, which says how the page lies in it.
    fn frame(&self, height: u32) -> String {
        let address: String =
            self.page.to_string_lossy().bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!(
            "<!DOCTYPE html><meta name=\"color-scheme\" content=\"light dark\"><body style=\"margin:0\">\
             <iframe style=\"border:0;display:block;width:{}px;height:{height}px\" src=\"file://{}\"></iframe><script>\
             onload=()=>{{const page=document.querySelector('iframe').contentDocument,root=page.documentElement;\
             document.body.dataset.layout=[root.scrollWidth,root.scrollHeight,\
             [...page.images].filter(i=>!i.naturalWidth).length,\
             Number(getComputedStyle(page.body).backgroundColor.match(/\\d+/)[0]<128)].join(' ')}}</script>",
            self.width,
            address.replace("%2F", "/")
        )
    }

    /// What Chromium prints with some words more.
    fn call(&self, height: u32, words: &[String]) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let frame = folder.path().join("frame.html");
        fs::write(&frame, self.frame(height)).context("cannot write the frame")?;
        let output = Command::new(self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--allow-file-access-from-files"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--blink-settings=preferredColorScheme={}", self.scheme))
            .arg(format!("--window-size={},{height}", self.width.max(NARROWEST)))
            .args(words)
            .arg(&frame)
            .output()
            .with_context(|| format!("cannot start {}: on Debian, apt install chromium", self.program))?;
        let message = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{} failed: {}", self.program, message.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn layout(&self) -> anyhow::Result<Layout> {
        let dom = self.call(900, &["--dump-dom".to_owned()])?;
        let numbers = dom.split_once("data-layout=\"").and_then(|(_, rest)| rest.split_once('"'));
        let numbers: Vec<u32> =
            numbers.map(|(numbers, _)| numbers.split(' ').flat_map(str::parse).collect()).unwrap_or_default();
        let [width, height, broken, dark] = numbers[..] else {
            anyhow::bail!("{}: {} said nothing of the page", self.page.display(), self.program)
        };
        Ok(Layout { width, height, broken, is_dark: dark == 1 })
    }

    fn draw(&self, height: u32, file: &Path) -> anyhow::Result<()> {
        let file = std::path::absolute(file).context("no current folder")?;
        self.call(height, &[format!("--screenshot={}", file.display())])?;
        anyhow::ensure!(file.exists(), "{} drew nothing to {}", self.program, file.display());
        Ok(())
    }
}
