// SPDX-License-Identifier: MIT

// Go's goroutines, on one processor.
package main

import (
	"fmt"
	"math/rand"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	group    = 1000
	inFlight = 64
	crew     = 1000
	crewRest = time.Millisecond
	watched  = 20 * time.Millisecond
)

func yield(n int) {
	var tasks sync.WaitGroup
	yieldOften := func() {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
		tasks.Done()
	}
	tasks.Add(2)
	go yieldOften()
	go yieldOften()
	tasks.Wait()
}

func yieldApart(n int) {
	var done atomic.Bool
	ended := make(chan bool)
	go func() {
		for !done.Load() {
			runtime.Gosched()
		}
		ended <- true
	}()
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
	done.Store(true)
	<-ended
}

func runGroup(size int) {
	var tasks sync.WaitGroup
	tasks.Add(size)
	for i := 0; i < size; i++ {
		go tasks.Done()
	}
	tasks.Wait()
}

func createAndAwait(n int) {
	for i := 0; i < n; i++ {
		runGroup(1)
	}
}

func groupOf1000(n int) {
	for i := 0; i < n; i++ {
		runGroup(group)
	}
}

// An item to another goroutine, and back; to a thread of its own, if so said.
func handOver(toThread bool) func(int) {
	return func(n int) {
		there, back := make(chan int, 1), make(chan int, 1)
		go func() {
			if toThread {
				runtime.LockOSThread()
			}
			for item := range there {
				back <- item
			}
		}()
		for i := 0; i < n; i++ {
			there <- i
			<-back
		}
		close(there)
	}
}

var slept atomic.Int64

func sleepInCrew() {
	for {
		time.Sleep(crewRest)
		slept.Add(1)
	}
}

func addSleepers(count int) {
	for i := 0; i < count; i++ {
		rest := time.Hour + time.Duration(rand.Int63n(int64(time.Hour)))
		go time.Sleep(rest)
	}
}

func cpuTime() int64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// The processor time of the crew, by the number of their sleeps.
func measureCrew(operation string) {
	time.Sleep(watched)
	all := make([]float64, runs)
	for i := range all {
		before, began := slept.Load(), cpuTime()
		time.Sleep(watched)
		all[i] = float64(cpuTime()-began) / float64(slept.Load()-before)
	}
	sort.Float64s(all)
	fmt.Printf("%s %.4f\n", operation, all[runs/2])
}

func measureSleeps() {
	if !isWanted("sleep") {
		return
	}
	for i := 0; i < crew; i++ {
		go sleepInCrew()
	}
	addSleepers(100)
	measureCrew("sleep/100")
	addSleepers(100000 - 100)
	measureCrew("sleep/100000")
}

func main() {
	runtime.GOMAXPROCS(1)
	fmt.Printf("version %s\n", strings.TrimPrefix(runtime.Version(), "go"))
	measure("yield", yield)
	measure("apart", yieldApart)
	measure("await", createAndAwait)
	measure("group", groupOf1000)
	measure("queue", handOver(false))
	measure("executor/1", handOver(true))
	measureSleeps()
}
