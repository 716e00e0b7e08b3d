// SPDX-License-Identifier: MIT

// Node's AsyncLocalStorage.
import { AsyncLocalStorage } from 'node:async_hooks';

const RUNS = 9;
const RUN_NS = 4e6;
const WARM_UP = 20;

let sink;
const stores = [{}, {}];
const empty = () => {};

function runTime(body, n) {
    const from = process.hrtime.bigint();
    body(n);
    return Number(process.hrtime.bigint() - from);
}

function isWanted(operation) {
    const wanted = process.argv.slice(2);
    return wanted.length === 0 || wanted.some((p) => operation.startsWith(p));
}

function measure(operation, body) {
    if (!isWanted(operation)) {
        return;
    }
    for (let i = 0; i < WARM_UP; i++) {
        body(20000);
    }
    let n = 256;
    let ns = runTime(body, n);
    while (ns < RUN_NS / 4) {
        n *= 2;
        ns = runTime(body, n);
    }
    n = Math.ceil((n * RUN_NS) / ns);
    const all = Array.from({ length: RUNS }, () => runTime(body, n) / n);
    all.sort((a, b) => a - b);
    console.log(operation, all[RUNS >> 1].toFixed(4));
}

function get(storage) {
    return (n) => {
        for (let i = 0; i < n; i++) {
            sink = storage.getStore();
        }
    };
}

function bind(storage) {
    return (n) => {
        for (let i = 0; i < n; i++) {
            storage.run(stores[i & 1], empty);
        }
    };
}

function set(storage) {
    return (n) => {
        for (let i = 0; i < n; i++) {
            storage.enterWith(stores[i & 1]);
        }
    };
}

function takeSnapshot(n) {
    for (let i = 0; i < n; i++) {
        sink = AsyncLocalStorage.snapshot();
    }
}

function runIn(snapshot) {
    return (n) => {
        for (let i = 0; i < n; i++) {
            snapshot(empty);
        }
    };
}

const storages = [];
function setUpTo(count) {
    while (storages.length < count) {
        const storage = new AsyncLocalStorage();
        storage.enterWith(stores[0]);
        storages.push(storage);
    }
    return storages[count - 1];
}

console.log('version', process.versions.node);
const first = setUpTo(1);
measure('get/1', get(first));
measure('set', set(first));
measure('bind/set', bind(first));
measure('enter+exit', runIn(AsyncLocalStorage.snapshot()));
measure('snapshot/1', takeSnapshot);
measure('get/default', get(new AsyncLocalStorage()));
measure('bind/unset', bind(new AsyncLocalStorage()));
measure('get/20', get(setUpTo(20)));
measure('get/1000', get(setUpTo(1000)));
