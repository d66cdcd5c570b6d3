package report

import (
	"fmt"
	"strings"

	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// feature is one column's distribution by label.
type feature struct {
	validate.Feature
	HDE, AMST   string // paths
	Low, High   string // the axis
	Outlying    float64
	OutlyingBar float64
	Bins        []binRow
}

type binRow struct {
	From, To  string
	HDE, AMST int64
}

func features(all []validate.Feature) (views []feature) {
	for _, f := range all {
		v := feature{Feature: f, Low: number(f.Histogram.Edges[0]), High: number(f.Histogram.Edges[len(f.Histogram.Edges)-1]), Outlying: f.Outliers}
		if f.LogScale {
			v.Outlying = f.LogOutliers
		}
		v.OutlyingBar = round(min(100, 100*v.Outlying/0.2))
		peak := max(peakOf(f.Histogram.HDE), peakOf(f.Histogram.AMST))
		v.HDE, v.AMST = outline(f.Histogram.HDE, peak), outline(f.Histogram.AMST, peak)
		for i := range f.Histogram.HDE {
			v.Bins = append(v.Bins, binRow{number(f.Histogram.Edges[i]), number(f.Histogram.Edges[i+1]), f.Histogram.HDE[i], f.Histogram.AMST[i]})
		}
		views = append(views, v)
	}
	return views
}

func total(counts []int64) (all int64) {
	for _, n := range counts {
		all += n
	}
	return max(all, 1)
}

// peakOf is the greatest share of a label's rows in one bin.
func peakOf(counts []int64) (peak float64) {
	for _, n := range counts {
		peak = max(peak, float64(n)/float64(total(counts)))
	}
	return peak
}

// outline draws a histogram as steps: each label's own shares, so that the
// rarer label is as well seen.
func outline(counts []int64, peak float64) string {
	if peak == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %g", chartHeight)
	step, all := chartWidth/float64(len(counts)), float64(total(counts))
	for i, n := range counts {
		y := round(chartHeight - 0.94*chartHeight*float64(n)/all/peak)
		fmt.Fprintf(&b, "V%gH%g", y, round(step*float64(i+1)))
	}
	fmt.Fprintf(&b, "V%gZ", chartHeight)
	return b.String()
}
