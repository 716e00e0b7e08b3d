// SPDX-License-Identifier: MIT

//! tokio's tasks, on the runtime that has one thread.

mod measure;

use measure::{is_wanted, measure, print_median, version, RUNS};
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{spawn, spawn_blocking, spawn_local, yield_now, LocalSet};
use tokio::time::sleep;

const GROUP: u64 = 1000;
const IN_FLIGHT: u64 = 64;
const CREW: u64 = 1000;
const CREW_REST: Duration = Duration::from_millis(1);
const WATCHED: Duration = Duration::from_millis(20);
const HOUR: u64 = 3_600_000;

async fn yield_often(n: u64) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yield_both(n: u64) {
    let (one, other) = (spawn(yield_often(n)), spawn(yield_often(n)));
    one.await.unwrap();
    other.await.unwrap();
}

async fn yield_apart(n: u64) {
    let done = Rc::new(Cell::new(false));
    let theirs = done.clone();
    let other = spawn_local(async move {
        while !theirs.get() {
            yield_now().await;
        }
    });
    yield_often(n).await;
    done.set(true);
    other.await.unwrap();
}

async fn create_and_await(n: u64) {
    for _ in 0..n {
        spawn(async {}).await.unwrap();
    }
}

async fn group_of_1000(n: u64) {
    for _ in 0..n {
        let tasks: Vec<_> = (0..GROUP).map(|_| spawn(async {})).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}

/// An item to another task, and back.
async fn hand_over(n: u64) {
    let (there, mut there_end) = mpsc::channel(1);
    let (back, mut back_end) = mpsc::channel(1);
    let other = spawn(async move {
        while let Some(item) = there_end.recv().await {
            back.send(item).await.unwrap();
        }
    });
    for i in 0..n {
        there.send(i).await.unwrap();
        back_end.recv().await.unwrap();
    }
    drop(there);
    other.await.unwrap();
}

async fn round_trip(n: u64) {
    for _ in 0..n {
        spawn_blocking(|| ()).await.unwrap();
    }
}

/// By job.
async fn round_trips_at_once(n: u64) {
    let each = n / IN_FLIGHT + 1;
    let tasks: Vec<_> =
        (0..IN_FLIGHT).map(|_| spawn(round_trip(each))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Nanoseconds of the processor.
fn cpu_time() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// The processor time of the crew, by the number of their sleeps.
async fn measure_crew(operation: &str, slept: &Cell<u64>) {
    let mut all = Vec::new();
    sleep(WATCHED).await;
    for _ in 0..RUNS {
        let (before, began) = (slept.get(), cpu_time());
        sleep(WATCHED).await;
        all.push((cpu_time() - began) / (slept.get() - before) as f64);
    }
    print_median(operation, all);
}

fn add_sleepers(count: u64) {
    for i in 0..count {
        let rest = Duration::from_millis(HOUR + i * 7919 % HOUR);
        spawn(async move { sleep(rest).await });
    }
}

async fn measure_sleeps() {
    let slept = Rc::new(Cell::new(0));
    for _ in 0..CREW {
        let slept = slept.clone();
        spawn_local(async move {
            loop {
                sleep(CREW_REST).await;
                slept.set(slept.get() + 1);
            }
        });
    }
    add_sleepers(100);
    measure_crew("sleep/100", &slept).await;
    add_sleepers(100_000 - 100);
    measure_crew("sleep/100000", &slept).await;
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(threads)
        .build()
        .unwrap()
}

/// Within a task, as a program would be.
fn measure_task<F>(runtime: &Runtime, operation: &str, body: fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    measure(operation, &|n| runtime.block_on(spawn_in(runtime, body(n))));
}

async fn spawn_in<F>(runtime: &Runtime, body: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    runtime.spawn(body).await.unwrap();
}

fn main() {
    let pool = runtime(512);
    let executor = runtime(1);
    let local = LocalSet::new();

    println!("version {}", version());
    measure_task(&pool, "yield", yield_both);
    measure("apart", &|n| local.block_on(&pool, yield_apart(n)));
    measure_task(&pool, "await", create_and_await);
    measure_task(&pool, "group", group_of_1000);
    measure_task(&pool, "queue", hand_over);
    measure_task(&pool, "pool/1", round_trip);
    measure_task(&pool, "pool/64", round_trips_at_once);
    measure_task(&executor, "executor/1", round_trip);
    measure_task(&executor, "executor/64", round_trips_at_once);
    if is_wanted("sleep") {
        local.block_on(&pool, measure_sleeps());
    }
}
