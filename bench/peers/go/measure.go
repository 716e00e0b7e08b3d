// SPDX-License-Identifier: MIT

// What the programs in Go measure with; it does what measure.h does.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
)

const (
	runs  = 9
	runNs = 4e6
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
