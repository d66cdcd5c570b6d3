package oraclelabel

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/processor/oraclelabel/internal/metadata"
)

// labeller is the processor.
type labeller struct {
	rule       *oracle.Rule // nil: another oraclelabel checks and labels
	pseudonyms *pseudonymiser
	only       bool // decisions
	telemetry  *metadata.TelemetryBuilder
	decoders   sync.Pool // of *decisionlog.Decoder
	log        *zap.Logger
}

func newLabeller(c *Config, set component.TelemetrySettings) (*labeller, error) {
	rule, err := c.rule()
	if err != nil {
		return nil, err
	}
	pseudonyms, err := newPseudonymiser(c)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	return &labeller{
		rule:       rule,
		pseudonyms: pseudonyms,
		only:       c.OnlyDecisions,
		telemetry:  telemetry,
		decoders:   sync.Pool{New: func() any { return new(decisionlog.Decoder) }},
		log:        set.Logger,
	}, nil
}

func (l *labeller) start(context.Context, component.Host) error {
	if l.pseudonyms.raw {
		l.log.Warn("VM ids are passed on as they are, because pseudonymise: none is configured")
	}
	return nil
}

func (l *labeller) shutdown(context.Context) error {
	l.telemetry.Shutdown()
	return nil
}

// process labels every decision of a batch in place. There may be nothing left to
// pass on.
func (l *labeller) process(ctx context.Context, logs plog.Logs) (plog.Logs, error) {
	decoder := l.decoders.Get().(*decisionlog.Decoder)
	defer l.decoders.Put(decoder)
	var counts tally
	var d decision.Decision // one for all: it is large
	isolate(logs)
	if l.only {
		counts.dropped = dropOthers(logs)
	}
	for _, resource := range logs.ResourceLogs().All() {
		decoder.Resource(resource.Resource())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				if decisionlog.IsDecision(record) {
					l.label(decoder, record, &d, &counts)
				}
			}
		}
	}
	counts.report(ctx, l.telemetry)
	if l.only && logs.ResourceLogs().Len() == 0 {
		return logs, processorhelper.ErrSkipProcessingData
	}
	return logs, nil
}

// label treats one decision, and reads it into d. The pseudonym comes before everything else.
func (l *labeller) label(decoder *decisionlog.Decoder, record plog.LogRecord, d *decision.Decision, counts *tally) {
	attributes := record.Attributes()
	attributes.EnsureCapacity(attributes.Len() + written) // append would make room for twice as many
	problem := l.pseudonyms.apply(attributes)
	problems := decoder.Decode(record, decisionlog.Emitted, d)
	if decoder.Foreign() {
		decisionlog.KeepListed(record)
	}
	if l.rule == nil {
		counts.passed++
		return
	}
	if problem == nil && len(problems) > 0 {
		problem = problems[0]
	}
	if problem == nil {
		problem = l.apply(d)
	}
	if problem != nil {
		decisionlog.Mark(record, problem)
		counts.refused(problem.Reason)
		return
	}
	for i := range labelFields {
		decisionlog.Put(labelFields[i], d, attributes)
	}
	counts.labelled(d)
}

// apply computes the label and times it.
func (l *labeller) apply(d *decision.Decision) *decision.FieldError {
	begin := time.Now()
	if err := l.rule.Label(d); errors.Is(err, oracle.ErrUnlabelable) {
		return &decision.FieldError{
			Reason: decision.Unlabelable,
			Key:    decision.Column("oracle_algorithm").Key,
			Rule:   "cannot be computed: " + err.Error(),
		}
	}
	d.OracleComputationMillis = decision.Some(float64(time.Since(begin)) / float64(time.Millisecond))
	return nil
}

// written is how many attributes a decision gets: label, quality and key id.
var written = len(labelFields) + 1

// labelFields are the fields that the processor writes of label and quality.
var labelFields = func() (late []*decision.Field) {
	fields := decision.Fields()
	for i := range fields {
		if fields[i].Role == decision.RoleLabel || fields[i].Role == decision.RoleQuality {
			late = append(late, &fields[i])
		}
	}
	return late
}()
