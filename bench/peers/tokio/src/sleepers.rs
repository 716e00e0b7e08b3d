// SPDX-License-Identifier: MIT

//! Many sleepers as tokio's tasks, each in the scope of a task_local.

use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::spawn;
use tokio::time::sleep;

tokio::task_local! {
    static BOUND: u64;
}

async fn sleeper(mine: u64) -> bool {
    sleep(Duration::from_secs(1)).await;
    BOUND.get() == mine
}

async fn sleep_all(count: u64) -> u64 {
    let tasks: Vec<_> =
        (0..count).map(|i| spawn(BOUND.scope(i, sleeper(i)))).collect();
    let mut wrong = 0;
    for task in tasks {
        wrong += u64::from(!task.await.unwrap());
    }
    wrong
}

/// The most memory that the process has had so far.
fn peak_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let (_, rest) = status.split_once("VmHWM:").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

fn main() {
    let count: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let (kib, began) = (peak_kib(), Instant::now());
    let wrong = runtime.block_on(sleep_all(count));
    let over = began.elapsed().as_secs_f64() - 1.0;

    assert_eq!(wrong, 0, "wrong values");
    println!("sleepers/{count} {over:.4}");
    println!("memory/{count} {:.4}", (peak_kib() - kib) / count as f64);
}
