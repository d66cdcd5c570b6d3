package instrumentation

import (
	"context"

	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/novacron/dwcp-telemetry/decision"
)

// resource reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. The fields of
// the event that come from there are checked now: later every decision would
// be rejected for them.
func (e *environment) resource(ctx context.Context) *resource.Resource {
	const name = "OTEL_RESOURCE_ATTRIBUTES"
	res, err := resource.New(ctx, resource.WithService(), resource.WithFromEnv())
	if err != nil {
		e.problem(name, "%w", err)
	}
	var d decision.Decision
	for _, attribute := range res.Attributes() {
		i, ok := decision.Index(string(attribute.Key))
		if !ok || decision.Fields()[i].Place != decision.ResourceAttr {
			continue
		}
		f := &decision.Fields()[i]
		problem := f.Decode(decision.TextValue(attribute.Value.AsString()), &d)
		if problem == nil {
			problem = f.Check(&d)
		}
		if problem != nil {
			e.problem(name, "%w", problem)
		}
	}
	return res
}
