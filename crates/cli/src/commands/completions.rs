//! `lenslet completions` and `lenslet man`

use crate::args::Arguments;
use crate::output;
use anyhow::Context;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use std::fs;
use std::path::PathBuf;

/// Print what makes a shell complete this command's words.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet completions bash > ~/.local/share/bash-completion/completions/lenslet
  lenslet completions zsh > ~/.zfunc/_lenslet        (a folder of zsh's fpath)
  lenslet completions fish > ~/.config/fish/completions/lenslet.fish")]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write those of all commands to a folder.
#[derive(Args)]
#[command(after_help = "\
Examples:
  lenslet man | man -l -
  lenslet man --output ~/.local/share/man/man1        then: man lenslet-train")]
pub struct ManualPage {
    /// The folder, which is made where it is not there.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub fn completions(arguments: &Completions) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "lenslet", &mut text);
    print(text)
}

pub fn man(arguments: &ManualPage) -> anyhow::Result<()> {
    let mut command = Arguments::command();
    // Names subcommands in full.
    command.build();
    let Some(folder) = &arguments.output else {
        return print(page(&command)?.1);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut count = 0;
    write_pages(&command, &mut |name, text| {
        count += 1;
        output::file(&folder.join(name), &text)
    })?;
    output::line(format_args!("{}: {}", folder.display(), output::count(count, "page")))
}

/// Those of a command and of all below it but `help`, which has nothing to say.
fn write_pages(
    command: &Command,
    write: &mut dyn FnMut(String, Vec<u8>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (name, text) = page(command)?;
    write(name, text)?;
    let mut below = command.get_subcommands().filter(|command| command.get_name() != "help");
    below.try_for_each(|command| write_pages(command, write))
}

/// A page and the name of its file.
fn page(command: &Command) -> anyhow::Result<(String, Vec<u8>)> {
    let (page, mut text) = (Man::new(command.clone()), Vec::new());
    page.render(&mut text)?;
    Ok((page.get_filename(), text))
}

fn print(text: Vec<u8>) -> anyhow::Result<()> {
    output::line(String::from_utf8(text).context("the text is not UTF-8")?.trim_end())
}
