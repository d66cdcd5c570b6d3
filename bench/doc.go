// Command bench measures how fast decisions get into PostgreSQL, and what that
// costs, side by side in one run on one machine:
//
//	go run ./bench            writes bench/RESULTS.md (make bench)
//	go run ./bench -long      writes bench/RESULTS-long.md (make bench-long)
//	go run ./bench -tiers     writes bench/RESULTS-tiers.md (make bench-tiers)
//	go run ./bench -cost      writes internal/capacity/costs.json (make bench-cost)
//
// Every way writes decisions of the sample, under ids and times of their own,
// into the same table with the same indexes, emptied before each turn. The ways
// take turns for some rounds, so that a slow moment of the machine hits all of
// them, and the median counts. Wall clock time depends on the machine and on what
// else runs there; the ratios much less. Collectors run with the GOGC and
// GOMEMLIMIT that docs/collector.md recommends, unless the environment has others.
//
// It needs psql beside a PostgreSQL that is found on the machine.
package main
