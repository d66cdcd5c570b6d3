package deploy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func manifests(t *testing.T) string {
	t.Helper()
	return filepath.Join(root(t), "deploy", "kubernetes")
}

// everything is the whole with what is optional.
func everything(t *testing.T) *cluster {
	t.Helper()
	folder := t.TempDir()
	base, err := filepath.Rel(folder, manifests(t))
	require.NoError(t, err)
	text := fmt.Sprintf("resources: [%[1]s]\ncomponents: [%[1]s/autoscaling, %[1]s/prometheus-operator]\n", base)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600))
	return loadCluster(t, folder)
}

func TestEveryPodIsAsRestrictedWantsIt(t *testing.T) {
	t.Parallel()
	for _, w := range everything(t).workloads() {
		require.True(t, *w.pod.SecurityContext.RunAsNonRoot, w.name)
		require.Equal(t, int64(10001), *w.pod.SecurityContext.RunAsUser, w.name)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, w.pod.SecurityContext.SeccompProfile.Type, w.name)
		require.False(t, *w.pod.AutomountServiceAccountToken, w.name)
		require.False(t, w.pod.HostNetwork || w.pod.HostPID || w.pod.HostIPC, w.name)
		for _, c := range slices.Concat(w.pod.Containers, w.pod.InitContainers) {
			require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, c.Name)
			require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, c.Name)
			require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, c.Name)
			require.Nil(t, c.SecurityContext.Privileged, c.Name)
			require.NotZero(t, c.Resources.Requests.Cpu().MilliValue(), c.Name)
			require.NotZero(t, c.Resources.Requests.Memory().Value(), c.Name)
			require.NotZero(t, c.Resources.Limits.Memory().Value(), c.Name)
			if c.Name != "folder" { // it gives the agent its folder, and has ended before the agent starts
				require.Nil(t, c.SecurityContext.RunAsUser, c.Name)
				require.Empty(t, c.SecurityContext.Capabilities.Add, c.Name)
			}
		}
	}
}

// Only the agents' namespace allows what a queue on a node's disk needs.
func TestNamespacesEnforceWhatTheirPodsAllow(t *testing.T) {
	t.Parallel()
	c := everything(t)
	const enforce = "pod-security.kubernetes.io/enforce"
	require.Equal(t, "restricted", c.namespaces["dwcp-telemetry"].Labels[enforce])
	require.Equal(t, "privileged", c.namespaces["dwcp-agents"].Labels[enforce])
	for _, w := range c.workloads() {
		require.Contains(t, c.namespaces, w.namespace, w.name)
		for _, v := range w.pod.Volumes {
			require.True(t, v.HostPath == nil || w.namespace == "dwcp-agents", w.name)
		}
		for _, p := range ports(w.pod) {
			require.True(t, p.HostPort == 0 || p.HostIP == "127.0.0.1" && w.namespace == "dwcp-agents", "%s: %s", w.name, p.Name)
		}
	}
}

func TestSelectorsFindTheirPodsAndPortsAreTheirs(t *testing.T) {
	t.Parallel()
	c := everything(t)
	for _, d := range c.deployments {
		require.NotNil(t, c.selected(d.Namespace, d.Spec.Selector.MatchLabels), d.Name)
	}
	for _, d := range c.daemonSets {
		require.NotNil(t, c.selected(d.Namespace, d.Spec.Selector.MatchLabels), d.Name)
	}
	for _, b := range c.budgets {
		require.NotNil(t, c.selected(b.Namespace, b.Spec.Selector.MatchLabels), b.Name)
	}
	for _, s := range c.services {
		w := c.selected(s.Namespace, s.Spec.Selector)
		require.NotNil(t, w, s.Name)
		for _, p := range s.Spec.Ports {
			require.NotZero(t, numberOf(w.pod, p.TargetPort), "%s: %s", s.Name, p.Name)
		}
	}
	for _, p := range c.policies {
		if labels := p.Spec.PodSelector.MatchLabels; len(labels) > 0 {
			w := c.selected(p.Namespace, labels)
			require.NotNil(t, w, p.Name)
			for _, rule := range p.Spec.Ingress {
				for _, port := range rule.Ports {
					require.NotZero(t, numberOf(w.pod, *port.Port), p.Name)
				}
			}
		}
	}
	for _, m := range c.monitors {
		w := c.selected(m.Metadata.Namespace, m.Spec.Selector.MatchLabels)
		require.NotNil(t, w, m.Metadata.Name)
		for _, e := range m.Spec.PodMetricsEndpoints {
			require.NotZero(t, numberOf(w.pod, intstr.FromString(e.Port)))
		}
	}
	require.Equal(t, c.deployments[0].Name, c.scalers[0].Spec.ScaleTargetRef.Name)
	require.Nil(t, c.deployments[0].Spec.Replicas, "the autoscaler says how many")
}

func TestEachNamespaceLetsNothingElseThrough(t *testing.T) {
	t.Parallel()
	c := everything(t)
	for name := range c.namespaces {
		require.True(t, slices.ContainsFunc(c.policies, func(p *networkingv1.NetworkPolicy) bool {
			return p.Namespace == name && p.Spec.PodSelector.Size() == 0 && len(p.Spec.PolicyTypes) == 2 && len(p.Spec.Ingress)+len(p.Spec.Egress) == 0
		}), name)
	}
}

func TestProbesAskWhereTheCollectorAnswers(t *testing.T) {
	t.Parallel()
	c := everything(t)
	for _, w := range c.workloads() {
		for i := range w.pod.Containers {
			container := &w.pod.Containers[i]
			env := c.environment(t, w.namespace, container)
			for probe, variable := range map[*corev1.Probe]string{container.StartupProbe: "DWCP_HEALTH", container.LivenessProbe: "DWCP_HEALTH"} {
				if probe != nil {
					require.Equal(t, fmt.Sprintf("0.0.0.0:%d", numberOf(w.pod, probe.HTTPGet.Port)), env[variable], w.name)
				}
			}
			for name, variable := range map[string]string{"otlp-grpc": "DWCP_OTLP_GRPC", "otlp-http": "DWCP_OTLP_HTTP", "metrics": "DWCP_METRICS", "ready": "DWCP_READY"} {
				if number := numberOf(w.pod, intstr.FromString(name)); number != 0 {
					require.Equal(t, fmt.Sprintf("0.0.0.0:%d", number), env[variable], w.name)
				}
			}
		}
	}
	gateway := c.deployments[0].Spec.Template.Spec.Containers[0]
	require.Equal(t, "ready", gateway.ReadinessProbe.HTTPGet.Port.String(), "a gateway without PostgreSQL gets no agents")
	agent := c.daemonSets[0].Spec.Template.Spec.Containers[0]
	require.Equal(t, "health", agent.ReadinessProbe.HTTPGet.Port.String(), "an agent takes decisions also without gateways")
}

func TestTheProgramsTakeWhatTheManifestsGiveThem(t *testing.T) {
	t.Parallel()
	c := loadCluster(t, manifests(t))
	secrets := clusterSecrets(t)
	seen := 0
	for _, w := range c.workloads() {
		for i := range w.pod.Containers {
			container := &w.pod.Containers[i]
			env := c.environment(t, w.namespace, container)
			replace := c.mount(t, w, container, secrets)
			switch {
			case strings.HasPrefix(container.Image, "otelcol-dwcp"):
				args := slices.Clone(container.Args)
				for n := range args {
					args[n] = replace.Replace(args[n])
				}
				checkCollector(t, args, env, replace)
			default:
				require.True(t, strings.HasPrefix(container.Image, "dwcp-telemetry"), container.Image)
				checkCommand(t, container.Args)
			}
			seen++
		}
	}
	require.Equal(t, 3, seen)
}

// A password would be in the ConfigMap, and in what anybody may describe.
func TestConfigMapsHoldNoPasswordAndFullVerification(t *testing.T) {
	t.Parallel()
	found := 0
	for _, m := range loadCluster(t, manifests(t)).configMaps {
		for key, value := range m.Data {
			if strings.HasSuffix(key, "_URL") {
				address, err := url.Parse(value)
				require.NoError(t, err)
				_, has := address.User.Password()
				require.False(t, has, key)
				require.Equal(t, "verify-full", address.Query().Get("sslmode"), key)
				found++
			}
		}
	}
	require.Equal(t, 3, found)
}

func TestAgentsSendToTheServiceOfTheGateways(t *testing.T) {
	t.Parallel()
	c := loadCluster(t, manifests(t))
	agent := c.daemonSets[0]
	env := c.environment(t, agent.Namespace, &agent.Spec.Template.Spec.Containers[0])
	found := false
	for _, s := range c.services {
		if s.Spec.ClusterIP == corev1.ClusterIPNone {
			require.Equal(t, fmt.Sprintf("dns:///%s.%s.svc.cluster.local:%d", s.Name, s.Namespace, s.Spec.Ports[0].Port), env["DWCP_GATEWAYS"])
			found = true
		}
	}
	require.True(t, found)
}

func TestAnUpdateLeavesEveryGatewayUntilItsSuccessorIsReady(t *testing.T) {
	t.Parallel()
	c := loadCluster(t, manifests(t))
	d := c.deployments[0]
	require.Zero(t, d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue())
	require.GreaterOrEqual(t, int(*d.Spec.Replicas), 2)
	require.Equal(t, 1, c.budgets[0].Spec.MaxUnavailable.IntValue())
	pod := d.Spec.Template.Spec
	pause := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds
	require.GreaterOrEqual(t, *pod.TerminationGracePeriodSeconds, 60+pause, "an attempt at a batch may take 60 s")
	require.Zero(t, c.daemonSets[0].Spec.UpdateStrategy.RollingUpdate.MaxSurge.IntValue(), "two agents must not have one queue")
}

func (c *cluster) selected(namespace string, labels map[string]string) *workload {
	for _, w := range c.workloads() {
		matches := w.namespace == namespace && len(labels) > 0
		for key, value := range labels {
			matches = matches && w.labels[key] == value
		}
		if matches {
			return &w
		}
	}
	return nil
}

func ports(pod corev1.PodSpec) []corev1.ContainerPort {
	var all []corev1.ContainerPort
	for _, c := range pod.Containers {
		all = append(all, c.Ports...)
	}
	return all
}

// numberOf is a container's port by name or number, 0 where there is none.
func numberOf(pod corev1.PodSpec, port intstr.IntOrString) int32 {
	for _, p := range ports(pod) {
		if p.Name == port.String() || p.ContainerPort == port.IntVal {
			return p.ContainerPort
		}
	}
	return 0
}

// clusterSecrets are the keys of all Secrets that README.md has an operator make.
func clusterSecrets(t *testing.T) map[string]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	encode := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	secrets := map[string]string{
		"tls.crt": encode("CERTIFICATE", certificate), "ca.crt": encode("CERTIFICATE", certificate), "tls.key": encode("PRIVATE KEY", private),
		"vm-id.key": strings.Repeat("6b", 32) + "\n",
	}
	readme := read(t, filepath.Join(manifests(t), "README.md"))
	for _, name := range []string{"collector.pgpass", "keeper.pgpass", "owner.pgpass"} {
		secrets[name] = "*:*:telemetry:" + strings.TrimSuffix(name, ".pgpass") + ":0123456789abcdef\n"
	}
	for name := range maps.Keys(secrets) {
		require.Contains(t, readme, name, "README.md says how to make it")
	}
	return secrets
}
