package main

import (
	"bytes"
	"path"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
)

// Most kustomization files of a fleet only list manifests. kustomize compares each of their objects with each other one,
// which takes seconds for a thousand of them, and changes nothing. plainBuild gives what kustomize would give, and declines
// whenever it is not certain of that; test/features/render-plain.test.ts compares the two.

// marks are texts by which kustomize, or another tool working on its behalf, is told to treat an object in its own way.
var marks = [][]byte{[]byte("config.kubernetes.io"), []byte("config.k8s.io")}

// rewritten are texts of kinds in which kustomize completes references by namespace even when no name changes.
var rewritten = [][]byte{
	[]byte("RoleBinding"), []byte("WebhookConfiguration"), []byte("APIService"), []byte("conversion"),
}

// maxPlainDepth bounds how deep directories may name each other before kustomize has to look at it.
const maxPlainDepth = 32

// plainBuild collects the objects of directories whose kustomization files only list resources.
type plainBuild struct {
	fs      *filesystem
	factory *resource.Factory
	files   [][]byte
}

// plain builds a directory without kustomize, or returns false.
func (b *builder) plain(dir string) (resources []*resource.Resource, done bool) {
	defer func() {
		if recover() != nil {
			resources, done = nil, false
		}
	}()
	p := &plainBuild{fs: b.fs, factory: provider.NewDefaultDepProvider().GetResourceFactory()}
	if !p.collect([]string{dir}) {
		return nil, false
	}
	for _, content := range p.files {
		parsed, err := p.factory.SliceFromBytes(content)
		if err != nil {
			return nil, false
		}
		resources = append(resources, parsed...)
	}
	if !distinct(resources) {
		return nil, false
	}
	for _, res := range resources {
		res.RemoveBuildAnnotations()
	}
	sortLegacy(resources)
	return resources, true
}

// collect reads the manifests of the last of the directories; the others are those that led to it.
func (p *plainBuild) collect(dirs []string) bool {
	dir := dirs[len(dirs)-1]
	kustomization, ok := p.load(dir)
	if !ok || len(dirs) > maxPlainDepth {
		return false
	}
	for _, reference := range kustomization.Resources {
		target := path.Join(dir, reference)
		if path.IsAbs(reference) || isRemote(reference) || strings.Contains(reference, "://") {
			return false
		}
		if content, err := p.fs.ReadFile(p.fs.abs(target)); err == nil {
			if !isPlain(content) {
				return false
			}
			p.files = append(p.files, content)
			continue
		}
		if !p.fs.isDir(target) || slices.ContainsFunc(dirs, func(seen string) bool { return within(seen, target) }) {
			return false
		}
		if !p.collect(append(slices.Clone(dirs), target)) {
			return false
		}
	}
	return true
}

// within tells whether dir is ancestor or the same as, so that building it from there could not end.
func within(dir, ancestor string) bool {
	return ancestor == "." || dir == ancestor || strings.HasPrefix(dir, ancestor+"/")
}

// load reads the kustomization file of a directory, which may have resources and nothing else.
func (p *plainBuild) load(dir string) (*types.Kustomization, bool) {
	var found []byte
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		content, err := p.fs.ReadFile(p.fs.abs(path.Join(dir, name)))
		if err != nil {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = content
	}
	k := &types.Kustomization{}
	if found == nil || k.Unmarshal(found) != nil {
		return nil, false
	}
	k.FixKustomization()
	if len(k.EnforceFields()) > 0 || k.Kind != types.KustomizationKind {
		return nil, false
	}
	return k, reflect.DeepEqual(k, &types.Kustomization{TypeMeta: k.TypeMeta, Resources: k.Resources}) &&
		len(k.Resources) > 0
}

func isPlain(content []byte) bool {
	contains := func(text []byte) bool { return bytes.Contains(content, text) }
	return !slices.ContainsFunc(marks, contains) && !slices.ContainsFunc(rewritten, contains)
}

// distinct tells whether no two objects share kind and name, and nothing about one needs a closer look. kustomize refuses
// equal identities, and may find references to equal names ambiguous.
func distinct(resources []*resource.Resource) bool {
	type identity struct{ kind, name string }
	seen := make(map[identity]struct{}, len(resources))
	for _, res := range resources {
		id := identity{res.GetKind(), res.GetName()}
		if _, twice := seen[id]; twice || id.name == "" || id.kind == "" || hasEmptyMetadata(res) {
			return false
		}
		seen[id] = struct{}{}
	}
	return true
}

// hasEmptyMetadata tells of labels or annotations without content, which kustomize drops or keeps depending on references.
func hasEmptyMetadata(res *resource.Resource) bool {
	metadata := res.Field("metadata")
	for _, name := range []string{"labels", "annotations"} {
		if field := metadata.Value.Field(name); field != nil && field.IsNilOrEmpty() {
			return true
		}
	}
	return false
}

// first and last are the kinds with a place of their own in the order in which kustomize prints.
var (
	first = []string{
		"Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy",
		"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service",
		"LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob",
		"PodDisruptionBudget",
	}
	last = []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
)

// sortKey is what the order of kustomize compares, one field after the other.
type sortKey struct {
	place    int
	gvk, id  string
	resource *resource.Resource
}

func sortLegacy(resources []*resource.Resource) {
	keys := make([]sortKey, len(resources))
	for i, res := range resources {
		id := res.CurId()
		keys[i] = sortKey{place: placeOf(id.Kind), gvk: gvkText(id.Gvk), id: idText(id), resource: res}
	}
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.place != b.place {
			return a.place - b.place
		}
		if a.gvk != b.gvk {
			return strings.Compare(a.gvk, b.gvk)
		}
		return strings.Compare(a.id, b.id)
	})
	for i, key := range keys {
		resources[i] = key.resource
	}
}

func placeOf(kind string) int {
	if place := slices.Index(first, kind); place >= 0 {
		return place - len(first)
	}
	return 1 + slices.Index(last, kind)
}

func gvkText(gvk resid.Gvk) string {
	return or(gvk.Group, "~G") + "_" + or(gvk.Version, "~V") + "_" + or(gvk.Kind, "~K")
}

func idText(id resid.ResId) string {
	return id.Gvk.String() + "|" + or(id.Namespace, "~X") + "|" + or(id.Name, "~N")
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
