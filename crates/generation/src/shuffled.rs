//! What rows lose once the values of one column are shuffled among them.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use weightsmith_tasks::{Column, Table};

/// For each of the named columns what the loss of each row rises by once the column's values are shuffled among the rows, the mean over
/// `n_shuffles`: `[names][rows]`. `losses` are those of the rows of a table, in their order.
///
/// Source: Breiman 2001, "Random forests", section 10.
///
/// # Errors
/// Those of `losses`.
///
/// # Panics
/// If `losses` gives fewer numbers than there are rows.
pub fn increases_when_shuffled<E>(
    table: &Table,
    names: &[&str],
    n_shuffles: usize,
    rng: &mut ChaCha8Rng,
    losses: impl Fn(&Table) -> Result<Vec<f64>, E>,
) -> Result<Vec<Vec<f64>>, E> {
    let n_rows = table.n_rows();
    let before = losses(table)?;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let mut order: Vec<usize> = (0..n_rows).collect();
        let mut sums = vec![0.0; n_rows];
        for _ in 0..n_shuffles {
            order.shuffle(rng);
            let column = |column: &Column| match column.name == *name {
                true => Column { name: column.name.clone(), values: column.values.select(&order) },
                false => column.clone(),
            };
            let columns = table.columns().iter().map(column).collect();
            let shuffled = Table::new(n_rows, columns).expect("columns of a table, all of one length");
            let after = losses(&shuffled)?;
            sums.iter_mut().zip(after.iter().zip(&before)).for_each(|(sum, (after, before))| {
                *sum += (after - before) / n_shuffles as f64;
            });
        }
        all.push(sums);
    }
    Ok(all)
}
