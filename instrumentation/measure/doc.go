// Package measure helps DWCP to fill a decision with what only DWCP can see:
// entropy and repetition of a payload from a bounded sample, RTT of a
// connection, type and utilisation of a link, time and CPU share of a run, and
// what both algorithms have cost before.
//
//	measure.SampleBytes(payload).Fill(&d)
//	priors.Fill(&d)                                     // before the choice
//	run := measure.Thread(func() { compressed = hde.Compress(payload) })
//	run.FillHDE(&d, decision.Measured, int64(len(payload)), int64(len(compressed)))
//	priors.Observe(&d)                                  // when all is over
//
// # What it promises
//
//   - Whatever comes in, NaN, nil, nothing, a clock that jumps: no panic, and no
//     value that the event would refuse. What cannot be told is missing, never 0.
//   - A sample of a payload costs the same whatever the payload's size, is taken at
//     the same places each time, and is the same of memory and of a file.
//   - Priors never hold anything of the decision they are filled into, and their
//     memory is bounded whatever payload types come.
//   - Nothing runs in the background, nothing is sent, nothing is logged. All but
//     [UtilizationMeter]'s fields may be used by many goroutines.
//   - It imports the standard library, the event and, where the system has to be
//     asked, golang.org/x/sys.
//
// # What it costs, and how near it comes
//
// On a shared machine of 2 cores, CPU time where the work is long (go test -bench .):
//
//	SampleBytes       64 KiB and 1 GiB, in no cache   22 and 29 µs, no allocation
//	SampleReaderAt    the same from the page cache    42 and 44 µs
//	Priors.Fill                                       170 ns, no allocation
//	Priors.Observe                                    220 ns
//	Start and Stop                                    0.6 µs
//	Thread                                            0.5 µs
//	TCPRTT                                            0.7 µs, one system call
//
// docs/measure.md has each method with its source, the error of the sample
// against the full computation, and what is attributed to whom.
package measure
