// SPDX-License-Identifier: MIT

//! tokio's task_local. Such a variable is bound for the run of a function or
//! a future and never set; there is no context to copy.

mod measure;

use measure::{measure, version};
use std::arch::asm;

tokio::task_local! {
    static VARIABLE: u64;
    static UNSET: u64;
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

fn main() {
    println!("version {}", version());
    VARIABLE.sync_scope(1, || {
        measure("get/1", &get);
        measure("bind/set", &bind);
        measure("bind/unset", &bind_unset);
    });
}
