//! Small real tables that are part of the program.

use crate::error::DatasetError;

/// A built-in table. Its text is a CSV file like any other; `samples/ATTRIBUTION.md` in the crate says what was
/// changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What follows `sample:`.
    pub name: &'static str,
    /// The column to predict when none is asked for.
    pub target: &'static str,
    /// What the table is, in one line.
    pub about: &'static str,
    /// Who made it.
    pub source: &'static str,
    /// Under which terms it is passed on.
    pub license: &'static str,
    /// The CSV text.
    pub csv: &'static str,
}

/// All built-in tables, sorted by name.
pub fn samples() -> &'static [Sample] {
    &SAMPLES
}

/// The sample called `name`.
pub(crate) fn find(name: &str) -> Result<&'static Sample, DatasetError> {
    SAMPLES.iter().find(|sample| sample.name == name).ok_or_else(|| DatasetError::UnknownSample {
        name: name.to_string(),
        available: SAMPLES.iter().map(|sample| sample.name.to_string()).collect(),
    })
}

const PENGUINS: &str = include_str!("../samples/penguins.csv");
const PENGUINS_SOURCE: &str =
    "Gorman, Williams and Fraser (2014), Palmer Station LTER; Horst, Hill and Gorman (2020), palmerpenguins";

static SAMPLES: [Sample; 8] = [
    Sample {
        name: "breast-cancer",
        target: "diagnosis",
        about: "569 tumours, 20 measures of cell nuclei: malignant or benign",
        source: "Wolberg, Street and Mangasarian (1995), Breast Cancer Wisconsin (Diagnostic), UCI Machine \
                 Learning Repository",
        license: "CC BY 4.0",
        csv: include_str!("../samples/breast-cancer.csv"),
    },
    Sample {
        name: "cars",
        target: "price_dollars",
        about: "201 cars of 1985, 15 numeric and 10 categorical columns, missing values: the price",
        source: "Schlimmer (1987), Automobile, UCI Machine Learning Repository",
        license: "CC BY 4.0",
        csv: include_str!("../samples/cars.csv"),
    },
    Sample {
        name: "election",
        target: "expected_vote",
        about: "944 American voters of 1996, 7 numeric and 2 categorical columns: Clinton or Dole",
        source: "American National Election Studies (1996)",
        license: "public domain",
        csv: include_str!("../samples/election.csv"),
    },
    Sample {
        name: "iris",
        target: "species",
        about: "150 irises, 4 measures: one of 3 species",
        source: "Fisher (1936), Iris, UCI Machine Learning Repository",
        license: "CC BY 4.0",
        csv: include_str!("../samples/iris.csv"),
    },
    Sample {
        name: "penguin-mass",
        target: "body_mass_g",
        about: "342 penguins, 6 numeric and 4 categorical columns, missing values: the body mass",
        source: PENGUINS_SOURCE,
        license: "CC0 1.0",
        csv: PENGUINS,
    },
    Sample {
        name: "penguins",
        target: "species",
        about: "342 penguins, 7 numeric and 3 categorical columns, missing values: one of 3 species",
        source: PENGUINS_SOURCE,
        license: "CC0 1.0",
        csv: PENGUINS,
    },
    Sample {
        name: "travel-mode",
        target: "mode",
        about: "210 journeys between Australian cities, 17 numeric columns: air, train, bus or car",
        source: "Greene and Hensher (1997), Travel Mode Choice",
        license: "public domain",
        csv: include_str!("../samples/travel-mode.csv"),
    },
    Sample {
        name: "wine",
        target: "cultivar",
        about: "178 Italian wines, 13 chemical measures: one of 3 cultivars",
        source: "Aeberhard and Forina (1992), Wine, UCI Machine Learning Repository",
        license: "CC BY 4.0",
        csv: include_str!("../samples/wine.csv"),
    },
];
