//! Synthetic task families: a seeded sampler of supervised tables that look like small real ones.
//!
//! A [`Prior`] draws [`Task`](weightsmith_tasks::Task)s of a given [`TaskShape`]. A task is made in five steps:
//! the columns are planned within a budget of encoded inputs (`plan`), hidden values are drawn for every column
//! (`latents`, `causal`, `mixture`), each column is shown as a measurement, a count or a category (`observe`),
//! one or more noiseless scores are computed from what the columns stand for (`scores`), and the scores become
//! class labels or a number (`classes`, `values`); tables whose columns say nothing are mostly drawn anew
//! (`worth`). Last, missing cells, outliers and rounding are added
//! (`damage`), what a small support left out by chance is put in (`cover`), and some support rows get wrong targets or are
//! copies of others (`impurities`). The shares of everything are in [`PriorConfig`], whose default is the mixture of the design.
//!
//! Only the given random stream is read, and every function on the way is made of additions,
//! multiplications, divisions and square roots (`math`), so the same stream gives the same bytes on every
//! machine.
//!
//! This crate does not know files, tensors, encodings or any model.

mod causal;
mod classes;
mod config;
mod cover;
mod damage;
mod draw;
mod family;
mod impurities;
mod latents;
mod math;
mod mixture;
mod observe;
mod plan;
mod sample;
mod scores;
mod values;
mod worth;

pub use config::{ColumnShares, ImpurityShares, LabelShares, PriorConfig, PriorError, ValueShares};
pub use family::{Family, FamilyShares};
pub use sample::{Prior, TaskShape};
