//! `weightsmith plan fit`

use super::{fit_settings, fitted, runs_of};
use crate::arguments::PlanFit;
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::Result;
use serde_json::json;
use weightsmith_planner::{fit_methods_of, load_predictor, save_predictor};

pub(super) fn run(arguments: &PlanFit, session: &Session) -> Result<Outcome> {
    let runs = runs_of(&arguments.ledger)?;
    let settings = fit_settings(arguments.fit.seed, arguments.fit.threads);
    let predictor = match &arguments.trainings_of {
        Some(folder) => fit_methods_of(load_predictor(folder)?, &runs, &settings),
        None => fitted(&arguments.ledger, &runs, &settings, session)?,
    };
    save_predictor(&predictor, &arguments.out)?;
    let n_roots = runs.roots().len();
    session.print(
        &json!({
            "out": arguments.out,
            "n_runs": runs.len() + runs.methods.len(),
            "n_roots": n_roots,
            "calibration": predictor.calibration,
        }),
        || {
            format!(
                "{}: a predictor of {} runs of {n_roots} data sets\n",
                arguments.out.display(),
                runs.len() + runs.methods.len()
            )
        },
    )?;
    Ok(Outcome::Done)
}
