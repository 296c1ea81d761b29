//! Writes sampled tables as CSV files, one folder for each type of target: `tables FOLDER COUNT`. A table's name is its
//! family and number.
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::fmt::Write as _;
use std::path::Path;
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{ColumnValues, Seed, Table, Target, TaskType};

/// Rows of `table` as lines, the target last.
fn write_rows(text: &mut String, table: &Table, target: &Target) {
    for row in 0..table.n_rows() {
        for column in table.columns() {
            match &column.values {
                ColumnValues::Numeric(values) if values[row].is_nan() => {}
                ColumnValues::Numeric(values) => _ = write!(text, "{}", values[row]),
                ColumnValues::Categorical { levels, codes } => {
                    text.push_str(codes[row].map_or("", |code| &levels[code as usize]));
                }
            }
            text.push(',');
        }
        match target {
            Target::Classes { class_names, labels } => text.push_str(&class_names[labels[row]]),
            Target::Values(values) => _ = write!(text, "{}", values[row]),
        }
        text.push('\n');
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("tables FOLDER COUNT")?;
    let count: u64 = arguments.next().ok_or("tables FOLDER COUNT")?.parse()?;
    let prior = Prior::new(PriorConfig::default())?;
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let into = Path::new(&folder).join(task_type.to_string());
        std::fs::create_dir_all(&into)?;
        for table in 0..count {
            let n_classes = [2, 2, 3, 2, 2, 4, 2, 5, 2, 8][table as usize % 10];
            let n_encoded = [4, 6, 8, 12, 16, 20, 30, 50][table as usize % 8];
            let shape = TaskShape { task_type, n_support: 300, n_query: 600, n_classes, n_encoded };
            let task = prior.sample(&shape, &mut Seed(7).indexed_stream("tables", &[table]));
            let names: Vec<&str> =
                task.support().table().columns().iter().map(|column| column.name.as_str()).collect();
            let mut text = format!("{},target\n", names.join(","));
            write_rows(&mut text, task.support().table(), task.support().target());
            write_rows(&mut text, task.query().table(), task.query().target());
            std::fs::write(into.join(format!("{}-{table:03}.csv", task.name())), text)?;
        }
    }
    println!("{count} tables of each type in {folder}");
    Ok(())
}
