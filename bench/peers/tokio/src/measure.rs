// SPDX-License-Identifier: MIT

//! What the programs in Rust measure with; it does what measure.h does.

use std::time::Instant;

pub const RUNS: usize = 9;
const RUN_NS: f64 = 4e6;

fn run_time(body: &dyn Fn(u64), n: u64) -> f64 {
    let from = Instant::now();
    body(n);
    from.elapsed().as_nanos() as f64
}

pub fn is_wanted(operation: &str) -> bool {
    let mut wanted = std::env::args().skip(1).peekable();
    wanted.peek().is_none() || wanted.any(|p| operation.starts_with(&p))
}

pub fn measure(operation: &str, body: &dyn Fn(u64)) {
    if !is_wanted(operation) {
        return;
    }
    let mut n = 256;
    let mut ns = run_time(body, n);
    while ns < RUN_NS / 4.0 {
        n *= 2;
        ns = run_time(body, n);
    }
    n = (n as f64 * RUN_NS / ns) as u64 + 1;
    let all = (0..RUNS).map(|_| run_time(body, n) / n as f64).collect();
    print_median(operation, all);
}

pub fn print_median(operation: &str, mut all: Vec<f64>) {
    all.sort_by(f64::total_cmp);
    println!("{operation} {:.4}", all[all.len() / 2]);
}

/// Of the tokio that this is built with.
pub fn version() -> &'static str {
    include_str!("../Cargo.lock")
        .split_once("name = \"tokio\"\nversion = \"")
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("unknown")
}
