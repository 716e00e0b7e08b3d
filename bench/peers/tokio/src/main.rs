// SPDX-License-Identifier: MIT

//! tokio's task_local. Such a variable is bound for the run of a function or
//! a future and never set; there is no context to copy.

use std::arch::asm;
use std::time::Instant;

const RUNS: usize = 9;
const RUN_NS: f64 = 4e6;

tokio::task_local! {
    static VARIABLE: u64;
    static UNSET: u64;
}

fn run_time(body: &dyn Fn(u64), n: u64) -> f64 {
    let from = Instant::now();
    body(n);
    from.elapsed().as_nanos() as f64
}

fn is_wanted(operation: &str) -> bool {
    let mut wanted = std::env::args().skip(1).peekable();
    wanted.peek().is_none() || wanted.any(|p| operation.starts_with(&p))
}

fn measure(operation: &str, body: &dyn Fn(u64)) {
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
    let mut all: Vec<f64> =
        (0..RUNS).map(|_| run_time(body, n) / n as f64).collect();
    all.sort_by(f64::total_cmp);
    println!("{operation} {:.4}", all[RUNS / 2]);
}

/// The value is needed, and all memory may have changed: as measure.h.
fn keep(value: u64) {
    unsafe { asm!("/* {0} */", in(reg) value) }
}

fn get(n: u64) {
    for _ in 0..n {
        keep(VARIABLE.get());
    }
}

fn bind(n: u64) {
    for i in 0..n {
        VARIABLE.sync_scope(i, || keep(i));
    }
}

fn bind_unset(n: u64) {
    for i in 0..n {
        UNSET.sync_scope(i, || keep(i));
    }
}

/// Of the tokio that this is built with.
fn version() -> &'static str {
    include_str!("../Cargo.lock")
        .split_once("name = \"tokio\"\nversion = \"")
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("unknown")
}

fn main() {
    println!("version {}", version());
    VARIABLE.sync_scope(1, || {
        measure("get/1", &get);
        measure("bind/set", &bind);
        measure("bind/unset", &bind_unset);
    });
}
