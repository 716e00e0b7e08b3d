// SPDX-License-Identifier: MIT

// Go's context.Value. A context is a chain and cannot be changed: binding
// makes a link, a copy is the link itself, and a read walks the chain.
package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
)

type key int

var (
	sinkValue   interface{}
	sinkContext context.Context
	value       interface{} = new(int)
)

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
