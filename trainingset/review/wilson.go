package review

import "math"

// z95 is the normal quantile of a two-sided 95 % interval.
const z95 = 1.959963984540054

// estimate fills in the share and its interval, by Wilson's score: it holds for
// small samples and shares near 1, where the usual one passes 1.
func (c *Counts) estimate() {
	if c.Judged == 0 {
		return
	}
	n, p := float64(c.Judged), float64(c.Agreed)/float64(c.Judged)
	middle := p + z95*z95/(2*n)
	reach := z95 * math.Sqrt(p*(1-p)/n+z95*z95/(4*n*n))
	scale := 1 + z95*z95/n
	c.Share, c.Low, c.High = p, max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)
}
