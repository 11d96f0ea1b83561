//! Prints what was measured: a table of Markdown for people, one JSON object for programs.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::options::{Effort, Options, Output};

/// What a bench has to say.
pub(crate) struct Report {
    title: &'static str,
    notes: Vec<String>,
    tables: Vec<Table>,
}

/// A table: its columns, and its rows of as many cells.
pub(crate) struct Table {
    name: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// A cell, and with it how exact it is.
#[derive(Clone)]
pub(crate) enum Cell {
    Text(String),
    Count(u64),
    /// Two decimals.
    Number(f64),
    Ratio(f64),
    /// Not measured in this row.
    Empty,
}

impl Report {
    pub(crate) fn new(title: &'static str) -> Report {
        Report { title, notes: Vec::new(), tables: Vec::new() }
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) -> &mut Report {
        self.notes.push(text.into());
        self
    }

    pub(crate) fn table(&mut self, table: Table) -> &mut Report {
        self.tables.push(table);
        self
    }

    pub(crate) fn print(&self, options: &Options) {
        match options.output {
            Output::Table => println!("{}", self.markdown(options.effort)),
            Output::Json => println!("{}", self.json(options.effort)),
        }
    }

    fn markdown(&self, effort: Effort) -> String {
        let mut text = format!("## {}\n\n{}\n", self.title, machine());
        if effort == Effort::Smoke {
            text += "\nA smoke run: the figures mean nothing.\n";
        }
        for note in &self.notes {
            text += &format!("\n{note}\n");
        }
        self.tables.iter().fold(text, |text, table| text + "\n" + &table.markdown())
    }

    fn json(&self, effort: Effort) -> Value {
        let tables: serde_json::Map<String, Value> =
            self.tables.iter().map(|table| (table.name.to_owned(), table.json())).collect();
        json!({
            "bench": self.title, "machine": machine(), "measured": effort == Effort::Full,
            "notes": self.notes, "tables": tables,
        })
    }
}

impl Table {
    pub(crate) fn new(name: &'static str, columns: &[&'static str]) -> Table {
        Table { name, columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<Cell>>) -> &mut Table {
        self.rows.push(cells.into());
        self
    }

    fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = line(self.columns.iter().map(|column| (*column).to_owned()).collect());
        let rule = line(self.columns.iter().enumerate().map(|(at, _)| self.rule(at).to_owned()).collect());
        let rows = self.rows.iter().map(|row| line(row.iter().map(Cell::text).collect()));
        format!("{}:\n\n{head}{rule}{}", self.name, rows.collect::<String>())
    }

    /// Numbers stand to the right.
    fn rule(&self, column: usize) -> &'static str {
        let text = self.rows.iter().filter_map(|row| row.get(column)).any(|cell| matches!(cell, Cell::Text(_)));
        if text { "---" } else { "---:" }
    }

    fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| {
            let cells = self.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), cell.json()));
            Value::Object(cells.collect())
        };
        self.rows.iter().map(row).collect()
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => grouped(*count),
            Cell::Number(number) => format!("{number:.2}"),
            Cell::Ratio(ratio) => format!("{ratio:.3}"),
            Cell::Empty => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Count(count) => json!(count),
            Cell::Number(number) | Cell::Ratio(number) => json!(number),
            Cell::Empty => Value::Null,
        }
    }
}

/// 1234567 as 1,234,567.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a size is called.
pub(crate) fn size(octets: usize) -> Cell {
    Cell::Text(match octets {
        0..0x400 => format!("{octets} B"),
        0x400..0x10_0000 => format!("{} KiB", octets >> 10),
        _ => format!("{} MiB", octets >> 20),
    })
}

/// The machine, in one line.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let values = |key: &str| -> Vec<&str> {
        let of_key = cpus.lines().filter(|line| line.starts_with(key));
        of_key.filter_map(|line| line.split(':').nth(1)).map(str::trim).collect()
    };
    let (names, numbers) = (values("model name"), values("model\t"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    format!(
        "Machine: {} (model {}), {} cores, Linux {}, {}",
        names.first().unwrap_or(&"unknown processor"),
        numbers.first().unwrap_or(&"unknown"),
        names.len(),
        kernel.trim(),
        String::from_utf8_lossy(&rustc).trim(),
    )
}
