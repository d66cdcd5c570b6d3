package vmpartition

import (
	"hash/fnv"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
)

var vmID = decision.Column("vm_id").Key

// split moves the records into n parts by VM and keeps their order. Records without
// a VM id share the part of the empty one.
func split(logs plog.Logs, n int) []plog.Logs {
	parts := make([]plog.Logs, n)
	for i := range parts {
		parts[i] = plog.NewLogs()
	}
	scopes := make([]plog.ScopeLogs, n) // of each part, for the scope at hand
	for _, resource := range logs.ResourceLogs().All() {
		resources := make([]*plog.ResourceLogs, n)
		for _, scope := range resource.ScopeLogs().All() {
			opened := make([]bool, n)
			for _, record := range scope.LogRecords().All() {
				i := partOf(record, n)
				if !opened[i] {
					opened[i] = true
					scopes[i] = open(parts[i], &resources[i], resource, scope)
				}
				record.MoveTo(scopes[i].LogRecords().AppendEmpty())
			}
		}
	}
	return parts
}

// open makes room in a part for records of a scope; own is the resource that the part
// has for it, if it has one.
func open(part plog.Logs, own **plog.ResourceLogs, resource plog.ResourceLogs, scope plog.ScopeLogs) plog.ScopeLogs {
	if *own == nil {
		r := part.ResourceLogs().AppendEmpty()
		resource.Resource().CopyTo(r.Resource())
		r.SetSchemaUrl(resource.SchemaUrl())
		*own = &r
	}
	s := (*own).ScopeLogs().AppendEmpty()
	scope.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(scope.SchemaUrl())
	return s
}

// partOf is the part that a record's VM belongs to.
func partOf(record plog.LogRecord, n int) int {
	id := ""
	if v, ok := record.Attributes().Get(vmID); ok {
		id = v.AsString()
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(id))
	return int(hash.Sum64() % uint64(n))
}

// keys are message keys, the i-th of which Kafka's default partitioner puts on
// partition i of n. They are found by trying numbers; hashing the parts' numbers
// themselves would give some partitions several parts, and others none.
func keys(n int) []string {
	found := make([]string, n)
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic("")
	for number, left := 0, n; left > 0; number++ {
		key := strconv.Itoa(number)
		if i := partitioner.Partition(&kgo.Record{Key: []byte(key)}, n); found[i] == "" {
			found[i] = key
			left--
		}
	}
	return found
}
