// SPDX-License-Identifier: MIT

// Many sleepers as goroutines, each with a context that has one value.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type key int

var wrong atomic.Int64

func sleeper(ctx context.Context, mine int) {
	time.Sleep(time.Second)
	if ctx.Value(key(0)) != mine {
		wrong.Add(1)
	}
}

func sleepAll(count int) {
	var tasks sync.WaitGroup
	tasks.Add(count)
	for i := 0; i < count; i++ {
		go func(mine int) {
			bound := context.WithValue(context.Background(), key(0), mine)
			sleeper(bound, mine)
			tasks.Done()
		}(i)
	}
	tasks.Wait()
}

// The most memory that the process has had so far.
func peakKiB() (kib float64) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscan(rest, &kib)
	return kib
}

func main() {
	runtime.GOMAXPROCS(1)
	count, _ := strconv.Atoi(os.Args[1])
	kib, began := peakKiB(), time.Now()
	sleepAll(count)
	if wrong.Load() > 0 {
		fmt.Fprintln(os.Stderr, wrong.Load(), "wrong values")
		os.Exit(1)
	}
	over := time.Since(began).Seconds() - 1
	fmt.Printf("sleepers/%d %.4f\n", count, over)
	fmt.Printf("memory/%d %.4f\n", count, (peakKiB()-kib)/float64(count))
}
