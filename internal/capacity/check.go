package capacity

import (
	"fmt"
	"strings"
)

// Prediction is the model held to a run that no figure of it was made of.
type Prediction struct {
	What      string
	Unit      string
	Predicted float64
	Measured  float64
}

// Deviation is how far the prediction lies from what was measured, as a share.
func (p *Prediction) Deviation() float64 { return p.Predicted/p.Measured - 1 }

// Predictions are the model's word on the runs that check it. At full speed
// senders, collectors and PostgreSQL share the cores that other processes leave:
// the rate is that at which their CPU together is what these cores have.
func Predictions(c *Costs) []Prediction {
	together := (c.of(CommitCPU) + c.of(PostgresCPU) + c.of(SenderCPU)) * 1e-6
	batch := func(row, batch Figure) float64 { return c.of(row) + c.of(batch)/CheckedBatch }
	return []Prediction{
		{"full speed, one collector", "decisions/s", c.of(DirectCores) / together, c.of(DirectRate)},
		{"full speed, two collectors on one PostgreSQL", "decisions/s", c.of(TwoCores) / together, c.of(TwoRate)},
		{"the two collectors' CPU", "µs a decision", c.of(CommitCPU), c.of(TwoCollectors)},
		{"PostgreSQL's CPU under the two", "µs a decision", c.of(PostgresCPU), c.of(TwoPostgres)},
		{"batches of 100: the collector's CPU", "µs a decision", batch(CommitCPU, CollectorBatch), c.of(CheckCollector)},
		{"batches of 100: PostgreSQL's CPU", "µs a decision", batch(PostgresCPU, PostgresBatch), c.of(CheckPostgres)},
		{"batches of 100: WAL", "bytes a decision", batch(WALBytes, WALBatchBytes), c.of(CheckWAL)},
	}
}

// CheckMarkdown is the table of the predictions.
func CheckMarkdown(c *Costs) string {
	out := &strings.Builder{}
	out.WriteString("| run | predicted | measured | deviation |\n|---|---|---|---|\n")
	for _, p := range Predictions(c) {
		fmt.Fprintf(out, "| %s, %s | %s | %s | %+.0f %% |\n", p.What, p.Unit, number(p.Predicted), number(p.Measured), 100*p.Deviation())
	}
	return out.String()
}
