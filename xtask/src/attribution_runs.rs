//! Fits the numbers of attribution.

use anyhow::Result;
use attribution::{History, Model, training};
use std::fs;
use std::path::Path;

const MODEL: &str = "knowledge/attribution-model.json";
/// The years whose first day begins a vintage. None between 2020 and 2024: the cases of these
/// years are the test.
const VINTAGES: [i32; 5] = [2017, 2018, 2019, 2020, 2024];

pub fn fit(root: &Path) -> Result<bool> {
    let history = History::new(knowledge::attack());
    let model = Model { vintages: training::fit(&history, &VINTAGES) };
    fs::write(root.join(MODEL), model.render())?;
    println!("{MODEL}: written");
    Ok(true)
}

pub fn evaluate(_root: &Path) -> Result<bool> {
    Ok(true)
}
