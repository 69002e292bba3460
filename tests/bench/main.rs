//! `make bench`: how fast and how small, as ratios over a floor measured in the same run.
//! Every figure is the median of several runs of a whole process, in the operating system's own accounting.
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod function;
mod measure;
mod provider;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--measure", command)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        measure::one(command);
        return;
    }
    println!(
        "{:<58} {:>12} {:>12} {:>8}   goal",
        "what", "measured", "floor", "ratio"
    );
    provider::start();
    provider::plans();
    function::inject_endpoints();
    function::validate_parity();
}

/// Prints a row of the table.
fn row(what: &str, measured: f64, floor: f64, unit: &str, goal: &str) {
    println!(
        "{what:<58} {measured:>9.1} {unit:<2} {floor:>9.1} {unit:<2} {:>8.2}   {goal}",
        measured / floor
    );
}
