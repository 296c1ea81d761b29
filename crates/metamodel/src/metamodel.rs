//! The metamodel: encoder, decoder, head.

use crate::config::{ConfigError, MetamodelConfig};
use crate::decoder::{Plan, WeightDecoder};
use crate::encoder::{Summary, SummaryEncoder};
use crate::head::{self, Generated};
use crate::params::{Builder, MetaParams};
use crate::support::{HeadRows, SupportBatch};
use burn::tensor::{Device, Tensor};
use weightsmith_tasks::{Level, Seed};

/// A hypernetwork on a device: reads support rows, writes base-model weights.
pub struct Metamodel {
    config: MetamodelConfig,
    encoder: SummaryEncoder,
    decoder: WeightDecoder,
    leaves: Vec<Tensor<1>>,
}

/// Parameters that do not fit the configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MetamodelError {
    /// The configuration makes no network.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A parameter is missing, extra, or of another shape.
    #[error("the parameters do not fit the configuration at \"{name}\"")]
    Mismatch {
        /// The first parameter that differs.
        name: String,
    },
    /// A parameter is NaN or infinite.
    #[error("parameter \"{name}\" holds a number that is not finite")]
    NotFinite {
        /// The parameter.
        name: String,
    },
}

fn build(builder: &mut Builder, config: &MetamodelConfig) -> (SummaryEncoder, WeightDecoder) {
    let encoder = builder.scope("encoder", |builder| SummaryEncoder::new(builder, config));
    let decoder = builder.scope("decoder", |builder| WeightDecoder::new(builder, config));
    (encoder, decoder)
}

impl MetaParams {
    /// New parameters for a configuration, each drawn from a stream of its own.
    ///
    /// # Errors
    /// A configuration that makes no network.
    pub fn draw(config: &MetamodelConfig, seed: Seed) -> Result<Self, ConfigError> {
        Self::build(config, Builder::drawing(seed, &Device::flex()))
    }

    /// Parameters that all are 0: the names and shapes of a configuration.
    ///
    /// # Errors
    /// A configuration that makes no network.
    pub fn zeros(config: &MetamodelConfig) -> Result<Self, ConfigError> {
        Self::build(config, Builder::zeros(&Device::flex()))
    }

    fn build(config: &MetamodelConfig, mut builder: Builder) -> Result<Self, ConfigError> {
        config.validate()?;
        build(&mut builder, config);
        let (entries, values, _) = builder.finish();
        Ok(Self { entries, values })
    }
}

impl Metamodel {
    /// A metamodel from its parameters. On an autodiff device the parameters are leaves that gather gradients.
    ///
    /// # Errors
    /// Parameters that do not fit the configuration, or are not finite.
    pub fn new(
        config: &MetamodelConfig,
        params: &MetaParams,
        device: &Device,
    ) -> Result<Self, MetamodelError> {
        let expected = MetaParams::zeros(config)?;
        let differs = expected.entries.iter().zip(&params.entries).find(|(a, b)| a != b).map(|(a, _)| a);
        let longer =
            expected.entries.get(params.entries.len()).or(params.entries.get(expected.entries.len()));
        if let Some(entry) = differs.or(longer) {
            return Err(MetamodelError::Mismatch { name: entry.name.clone() });
        }
        if let Some(entry) =
            params.entries.iter().find(|entry| !params.of(entry).iter().all(|v| v.is_finite()))
        {
            return Err(MetamodelError::NotFinite { name: entry.name.clone() });
        }
        Ok(Self::new_unchecked(config, params, device))
    }

    /// [`Metamodel::new`] for parameters that are known to fit, such as the trainer's own.
    ///
    /// # Panics
    /// If they do not.
    pub fn new_unchecked(config: &MetamodelConfig, params: &MetaParams, device: &Device) -> Self {
        let mut builder = Builder::taking(params, device);
        let (encoder, decoder) = build(&mut builder, config);
        let (_, _, leaves) = builder.finish();
        Self { config: config.clone(), encoder, decoder, leaves }
    }

    /// Widths and depths.
    pub fn config(&self) -> &MetamodelConfig {
        &self.config
    }

    /// Where it lives.
    pub fn device(&self) -> Device {
        self.leaves[0].device()
    }

    /// The parameters as flat leaf tensors, in the order of [`MetaParams::entries`].
    pub fn leaves(&self) -> &[Tensor<1>] {
        &self.leaves
    }

    /// Reads support rows.
    pub fn summarise<L: Level>(&self, support: &SupportBatch<L>) -> Summary<L> {
        self.encoder.forward(support)
    }

    /// Writes the weights of one base model a task. The last layer is solved on `support`, which may hold more rows
    /// than the summary was made of; they then all weigh the same.
    pub fn generate<L: Level>(&self, summary: &Summary<L>, support: &HeadRows<L>) -> Generated<L> {
        head::generate(&self.config, &self.plan(summary, support), support, None)
    }

    /// [`Metamodel::generate`] with outputs of the support rows by heads that were solved without them. `folds` tells
    /// for each row which fold it is held out in; regression leaves out one row at a time instead.
    pub fn generate_with_left_out<L: Level>(
        &self,
        summary: &Summary<L>,
        support: &HeadRows<L>,
        folds: &[usize],
    ) -> Generated<L> {
        head::generate(&self.config, &self.plan(summary, support), support, Some(folds))
    }

    fn plan<L: Level>(&self, summary: &Summary<L>, support: &HeadRows<L>) -> Plan {
        let mut plan = self.decoder.forward(summary, support.column_mask.clone());
        let [n_tasks, n_rows, _] = support.dims();
        if plan.row_weights.dims() != [n_tasks, n_rows] {
            plan.row_weights = Tensor::ones([n_tasks, n_rows], &plan.row_weights.device());
        }
        plan
    }

    /// The closed-form head alone, whose strength leave-one-out picks: the untrained metamodel, a tuned linear model.
    pub fn linear_head<L: Level>(
        config: &MetamodelConfig,
        support: &HeadRows<L>,
        folds: Option<&[usize]>,
    ) -> Generated<L> {
        head::linear_head(config, support, folds)
    }
}
