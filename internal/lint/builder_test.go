package lint

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	distribution      = "builder-config.yaml"
	kafkaDistribution = "deploy/kafka/builder-config.yaml"
)

// What is built for Kafka is the collector, each component in the same version, and
// what Kafka needs.
func TestTheDistributionForKafkaIsTheOtherOneAndThreeComponentsMore(t *testing.T) {
	t.Parallel()
	left := modules(t, kafkaDistribution)
	for _, component := range modules(t, distribution) {
		require.Contains(t, left, component)
		left = slices.DeleteFunc(left, func(other string) bool { return other == component })
	}
	require.Len(t, left, 3)
	for i, want := range []string{"kafkareceiver ", "connector/vmpartition", "kafkaexporter "} {
		require.Contains(t, left[i], want)
	}
}

var gomod = regexp.MustCompile(`(?m)^  - gomod: (.+)$(?:\n    import: (.+)$)?`)

// modules are the components of a builder configuration: module, version and, for our own,
// package.
func modules(t *testing.T, config string) (all []string) {
	t.Helper()
	for _, match := range gomod.FindAllStringSubmatch(read(t, config), -1) {
		all = append(all, match[1]+" "+match[2])
	}
	require.NotEmpty(t, all, config)
	return all
}
