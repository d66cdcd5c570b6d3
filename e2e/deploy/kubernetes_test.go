package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// cluster is what `kubectl apply -k` would send, decoded strictly.
type cluster struct {
	namespaces  map[string]*corev1.Namespace
	configMaps  map[string]*corev1.ConfigMap
	deployments []*appsv1.Deployment
	daemonSets  []*appsv1.DaemonSet
	jobs        []*batchv1.Job
	services    []*corev1.Service
	budgets     []*policyv1.PodDisruptionBudget
	policies    []*networkingv1.NetworkPolicy
	scalers     []*autoscalingv2.HorizontalPodAutoscaler
	monitors    []*podMonitor
}

// podMonitor is what is used of the Prometheus Operator's type.
type podMonitor struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Selector struct {
			MatchLabels map[string]string `json:"matchLabels"`
		} `json:"selector"`
		PodMetricsEndpoints []struct {
			Port        string              `json:"port"`
			Interval    string              `json:"interval"`
			Relabelings []map[string]string `json:"relabelings"`
		} `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

// loadCluster renders a kustomization as kubectl does, by the same code.
func loadCluster(t *testing.T, folder string) *cluster {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	require.NoError(t, err)
	c := &cluster{namespaces: map[string]*corev1.Namespace{}, configMaps: map[string]*corev1.ConfigMap{}}
	for _, resource := range rendered.Resources() {
		text, err := resource.AsYAML()
		require.NoError(t, err)
		c.add(t, resource.GetGvk().ApiVersion()+" "+resource.GetKind(), text)
	}
	return c
}

func (c *cluster) add(t *testing.T, kind string, text []byte) {
	t.Helper()
	switch kind {
	case "v1 Namespace":
		namespace := decode[corev1.Namespace](t, text)
		c.namespaces[namespace.Name] = namespace
	case "v1 ConfigMap":
		m := decode[corev1.ConfigMap](t, text)
		c.configMaps[m.Namespace+"/"+m.Name] = m
	case "apps/v1 Deployment":
		c.deployments = append(c.deployments, decode[appsv1.Deployment](t, text))
	case "apps/v1 DaemonSet":
		c.daemonSets = append(c.daemonSets, decode[appsv1.DaemonSet](t, text))
	case "batch/v1 Job":
		c.jobs = append(c.jobs, decode[batchv1.Job](t, text))
	case "v1 Service":
		c.services = append(c.services, decode[corev1.Service](t, text))
	case "policy/v1 PodDisruptionBudget":
		c.budgets = append(c.budgets, decode[policyv1.PodDisruptionBudget](t, text))
	case "networking.k8s.io/v1 NetworkPolicy":
		c.policies = append(c.policies, decode[networkingv1.NetworkPolicy](t, text))
	case "autoscaling/v2 HorizontalPodAutoscaler":
		c.scalers = append(c.scalers, decode[autoscalingv2.HorizontalPodAutoscaler](t, text))
	case "monitoring.coreos.com/v1 PodMonitor":
		c.monitors = append(c.monitors, decode[podMonitor](t, text))
	default: // a Secret among them: none is in the project
		require.Fail(t, "what checks this?", "%s\n%s", kind, text)
	}
}

func decode[T any](t *testing.T, text []byte) *T {
	t.Helper()
	var object T
	require.NoError(t, yaml.UnmarshalStrict(text, &object), string(text))
	return &object
}

// workload is one kind of pods.
type workload struct {
	name, namespace string
	labels          map[string]string
	pod             corev1.PodSpec
}

func (c *cluster) workloads() []workload {
	var all []workload
	for _, d := range c.deployments {
		all = append(all, workload{d.Name, d.Namespace, d.Spec.Template.Labels, d.Spec.Template.Spec})
	}
	for _, d := range c.daemonSets {
		all = append(all, workload{d.Name, d.Namespace, d.Spec.Template.Labels, d.Spec.Template.Spec})
	}
	for _, j := range c.jobs {
		all = append(all, workload{j.Name, j.Namespace, j.Spec.Template.Labels, j.Spec.Template.Spec})
	}
	return all
}

// environment is a container's, with the ConfigMaps' values.
func (c *cluster) environment(t *testing.T, namespace string, container *corev1.Container) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, from := range container.EnvFrom {
		m := c.configMaps[namespace+"/"+from.ConfigMapRef.Name]
		require.NotNil(t, m, "no ConfigMap %s", from.ConfigMapRef.Name)
		for key, value := range m.Data {
			env[key] = value
		}
	}
	for _, v := range container.Env {
		env[v.Name] = v.Value
		if v.ValueFrom != nil {
			ref := v.ValueFrom.ConfigMapKeyRef
			require.NotNil(t, ref, "%s: a secret in an environment", v.Name)
			require.Contains(t, c.configMaps, namespace+"/"+ref.Name)
			require.Contains(t, c.configMaps[namespace+"/"+ref.Name].Data, ref.Key)
			env[v.Name] = c.configMaps[namespace+"/"+ref.Name].Data[ref.Key]
		}
	}
	return env
}

// mount puts what a container sees of ConfigMaps and Secrets into folders, and
// says where each of its paths is.
func (c *cluster) mount(t *testing.T, w workload, container *corev1.Container, secrets map[string]string) *strings.Replacer {
	t.Helper()
	var pairs []string
	for _, m := range container.VolumeMounts {
		folder := filepath.Join(t.TempDir(), m.Name)
		pairs = append(pairs, m.MountPath+"/", folder+"/")
		for name, content := range c.content(t, w, m.Name, secrets) {
			require.NoError(t, os.MkdirAll(folder, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
		}
	}
	return strings.NewReplacer(pairs...)
}

func (c *cluster) content(t *testing.T, w workload, volume string, secrets map[string]string) map[string]string {
	t.Helper()
	for _, v := range w.pod.Volumes {
		switch {
		case v.Name != volume:
		case v.ConfigMap != nil:
			require.Contains(t, c.configMaps, w.namespace+"/"+v.ConfigMap.Name)
			return c.configMaps[w.namespace+"/"+v.ConfigMap.Name].Data
		case v.Secret != nil:
			files := map[string]string{}
			require.NotEmpty(t, v.Secret.Items, "%s: which keys?", volume)
			for _, item := range v.Secret.Items {
				require.Contains(t, secrets, item.Key)
				files[item.Path] = secrets[item.Key]
			}
			return files
		default:
			return nil
		}
	}
	require.Fail(t, "no such volume", "%s of %s", volume, w.name)
	return nil
}
