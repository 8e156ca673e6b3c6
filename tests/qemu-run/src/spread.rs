//! Runs that differ by their seed alone, as one row: the median of each figure, and the range.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::series::Row;

/// A column of the table.
struct Column {
    /// With the unit, for people and for programs.
    heading: &'static str,
    name: &'static str,
    width: usize,
    decimals: usize,
    of: fn(&Row) -> Option<f64>,
}

impl Column {
    const fn new(
        heading: &'static str,
        name: &'static str,
        (width, decimals): (usize, usize),
        of: fn(&Row) -> Option<f64>,
    ) -> Self {
        Self { heading, name, width, decimals, of }
    }

    fn spread(&self, rows: &[&Row]) -> Option<Spread> {
        Spread::of(rows.iter().filter_map(|row| (self.of)(row)).collect())
    }
}

const COLUMNS: [Column; 6] = [
    Column::new("bulk, s", "bulk_seconds", (21, 2), |row| Some(row.bulk_us? as f64 / 1e6)),
    Column::new("Mbit/s", "goodput_mbit_per_second", (18, 2), |row| Some(row.goodput()? as f64 / 1e6)),
    Column::new("declared lost", "packets_lost", (16, 0), |row| Some(row.packets_lost? as f64)),
    Column::new("sent again, KiB", "retransmitted_kib", (22, 1), |row| {
        Some(row.bytes_again? as f64 / 1024.0)
    }),
    Column::new("heap, B", "heap_bytes", (9, 0), |row| Some(row.heap? as f64)),
    Column::new("stack, B", "stack_bytes", (10, 0), |row| Some(row.stack? as f64)),
];

/// The middle of some values, and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Of an even number of values the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    /// Of `values`; `None` if there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let upper = values.len() / 2;
        let lower = (values.len() - 1) / 2;
        Some(Self { median: f64::midpoint(values[lower], values[upper]), least, greatest })
    }

    /// `median (least-greatest)`.
    fn text(self, decimals: usize) -> String {
        let Self { median, least, greatest } = self;
        if least.total_cmp(&greatest).is_eq() {
            return format!("{median:.decimals$}");
        }
        format!("{median:.decimals$} ({least:.decimals$}-{greatest:.decimals$})")
    }
}

/// The runs of each plan, whatever their seed, in the order of the runs.
fn groups(rows: &[Row]) -> Vec<(&str, Vec<&Row>)> {
    let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in rows {
        let what = row.name.split("-seed").next().unwrap_or(&row.name);
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, members)) => members.push(row),
            None => groups.push((what, vec![row])),
        }
    }
    groups
}

/// A failed run has figures, too, but they are none of what was to be measured.
fn passed<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    rows.iter().copied().filter(|row| row.passed).collect()
}

/// A row for each plan that ran with several seeds; empty where there is none.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let groups = groups(rows);
    if groups.iter().all(|(_, rows)| rows.len() < 2) {
        return String::new();
    }
    let mut text = format!("{:>6} {:>7}", "loss %", "passed");
    for Column { heading, width, .. } in &COLUMNS {
        _ = write!(text, "{heading:>width$}");
    }
    text.push('\n');
    for (_, rows) in &groups {
        let passed = passed(rows);
        let loss = rows.first().map_or(0.0, |row| row.loss);
        _ = write!(text, "{loss:>6} {:>7}", format!("{}/{}", passed.len(), rows.len()));
        for column in &COLUMNS {
            let spread = column.spread(&passed);
            let cell = spread.map_or_else(|| "-".to_owned(), |spread| spread.text(column.decimals));
            _ = write!(text, "{cell:>width$}", width = column.width);
        }
        text.push('\n');
    }
    text + "median (least-greatest) of the runs that passed\n"
}

/// The same for programs.
#[must_use]
pub fn to_json(rows: &[Row]) -> Value {
    let group = |(what, rows): &(&str, Vec<&Row>)| {
        let passed = passed(rows);
        let mut value = json!({ "runs": what, "count": rows.len(), "passed": passed.len() });
        for column in &COLUMNS {
            value[column.name] = column.spread(&passed).map_or(Value::Null, |spread| {
                json!({ "median": spread.median, "least": spread.least, "greatest": spread.greatest })
            });
        }
        value
    };
    groups(rows).iter().map(group).collect()
}

#[cfg(test)]
mod tests;
