//! `weightsmith completions` and `weightsmith man`

use crate::arguments::{Arguments, SelfDescription};
use crate::exit::Outcome;
use crate::print;
use crate::session::Session;
use anyhow::Result;
use clap::CommandFactory;
use serde_json::json;
use std::io;
use std::path::Path;
use weightsmith_runtime::{create_folder, write_output};

pub(super) fn run(arguments: &SelfDescription, session: &Session) -> Result<Outcome> {
    match arguments {
        SelfDescription::Completions { shell } => {
            let (mut command, mut text) = (Arguments::command(), Vec::new());
            let name = command.get_name().to_string();
            clap_complete::generate(*shell, &mut command, name, &mut text);
            print::to(&mut io::stdout().lock(), &text)?;
        }
        SelfDescription::Man { out } => {
            create_folder(out)?;
            let mut command = Arguments::command();
            command.build();
            let n_pages = pages(&command, out)?;
            session.print(&json!({ "out": out, "n_pages": n_pages }), || {
                format!("{n_pages} pages in {}\n", out.display())
            })?;
        }
    }
    Ok(Outcome::Done)
}

/// Writes the page of a command and those of the commands below it; returns how many.
fn pages(command: &clap::Command, folder: &Path) -> Result<usize> {
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    write_output(&folder.join(page.get_filename()), &text)?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    below.map(|below| pages(below, folder)).try_fold(1, |n, below| Ok(n + below?))
}
