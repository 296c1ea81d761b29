//! Predicting the loss of a training that has not run, from the decision and the support.

pub(crate) mod calibration;
pub(crate) mod costs;
pub(crate) mod ensemble;
pub(crate) mod files;
pub(crate) mod gains;
pub(crate) mod linear;
pub(crate) mod manifest;
pub(crate) mod search;
pub(crate) mod surrogate_features;
