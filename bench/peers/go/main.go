// SPDX-License-Identifier: MIT

// Go's context.Value. A context is a chain and cannot be changed: binding
// makes a link, a copy is the link itself, and a read walks the chain.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"
)

const (
	runs  = 9
	runNs = 4e6
)

type key int

var (
	sinkValue   interface{}
	sinkContext context.Context
	value       interface{} = new(int)
)

func runTime(body func(int), n int) float64 {
	from := time.Now()
	body(n)
	return float64(time.Since(from).Nanoseconds())
}

func isWanted(operation string) bool {
	for _, prefix := range os.Args[1:] {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return len(os.Args) <= 1
}

func measure(operation string, body func(int)) {
	if !isWanted(operation) {
		return
	}
	n := 256
	ns := runTime(body, n)
	for ns < runNs/4 {
		n *= 2
		ns = runTime(body, n)
	}
	n = int(float64(n)*runNs/ns) + 1
	all := make([]float64, runs)
	for i := range all {
		all[i] = runTime(body, n) / float64(n)
	}
	sort.Float64s(all)
	fmt.Printf("%s %.4f\n", operation, all[runs/2])
}

// depth contexts, each with a value; key(0) is the oldest.
func chain(depth int) context.Context {
	ctx := context.Background()
	for i := 0; i < depth; i++ {
		ctx = context.WithValue(ctx, key(i), value)
	}
	return ctx
}

func get(ctx context.Context, wanted key) func(int) {
	return func(n int) {
		for i := 0; i < n; i++ {
			sinkValue = ctx.Value(wanted)
		}
	}
}

func bind(ctx context.Context) func(int) {
	return func(n int) {
		for i := 0; i < n; i++ {
			sinkContext = context.WithValue(ctx, key(0), value)
		}
	}
}

func main() {
	fmt.Printf("version %s\n", strings.TrimPrefix(runtime.Version(), "go"))
	measure("get/1", get(chain(1), 0))
	measure("get/20", get(chain(20), 0))
	measure("get/1000", get(chain(1000), 0))
	measure("get/default", get(chain(1), 1))
	measure("bind/set", bind(chain(1)))
	measure("bind/unset", bind(chain(0)))
}
