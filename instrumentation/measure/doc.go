// Package measure helps DWCP to fill a decision with what only DWCP can see:
// entropy and repetition of a payload from a bounded sample, RTT of a
// connection, type and utilisation of a link, time and CPU share of a run, and
// what both algorithms have cost before.
//
//	priors.Fill(&d)                                     // before the choice
//	measure.SampleBytes(payload).Fill(&d)
//	run := measure.Thread(func() { compressed = hde.Compress(payload) })
//	run.FillHDE(&d, decision.Measured, int64(len(payload)), int64(len(compressed)))
//	priors.Observe(&d)                                  // when all is over
//
// It imports the standard library, the event and, where the system has to be
// asked, golang.org/x/sys.
package measure
