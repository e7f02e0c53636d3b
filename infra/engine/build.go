package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// mount is where trees are seen by kustomize.
var mount = func() string {
	var name [16]byte
	_, _ = rand.Read(name[:])
	return "/" + hex.EncodeToString(name[:])
}()

// warm loads the built-in OpenAPI schema, which every build needs.
func warm() { _ = openapi.Schema() }

// build answers a build request.
func (s *server) build(req *request) (*answer, []byte) {
	t := s.trees.get(req.Tree)
	if t == nil {
		return failure("UnknownTree", fmt.Errorf("tree %s is not held", req.Tree)), nil
	}
	takeRefusals()
	b := &builder{req: req, fs: newFilesystem(mount, t)}
	if req.Decrypt {
		b.decryption = newDecryption(b.fs, s.callUnwrap(req.ID))
	}
	payload, count, err := b.run()
	result := success()
	if err != nil {
		result = b.explain(err)
		payload = nil
	}
	result.Count = count
	result.Closure = b.fs.closure()
	if b.decryption != nil {
		result.Warnings = b.decryption.warnings
		result.Secrets = b.decryption.secrets
		result.Error = b.decryption.hide(result.Error)
	}
	result.Shortcut = b.shortcut
	result.Tainted = b.tainted()
	return result, payload
}

// builder renders one directory.
type builder struct {
	req    *request
	fs     *filesystem
	listed []string
	// shortcut is set when kustomize was not needed.
	shortcut bool
	// decryption is nil when nothing is to be decrypted.
	decryption *decryption
}

// codedError is an error with the code of its answer.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func coded(code, format string, args ...any) error {
	return &codedError{code, fmt.Errorf(format, args...)}
}

func (b *builder) run() (payload []byte, count int, err error) {
	// A path that climbs out ends at the root, as in Flux.
	dir := strings.TrimPrefix(path.Clean("/"+b.req.Path), "/")
	if dir == "" {
		dir = "."
	}
	if !b.fs.IsDir(b.fs.abs(dir)) {
		return nil, 0, coded("NotFound", "path %q is not a directory of the source", dir)
	}
	if b.listed, err = prepare(b.fs, dir, &b.req.Spec); err != nil {
		return nil, 0, err
	}
	if b.decryption != nil {
		if err := b.decryption.sources(dir); err != nil {
			return nil, 0, err
		}
	}
	resources, err := b.resources(dir)
	if err != nil {
		return nil, 0, err
	}
	if err := checkObjects(resources); err != nil {
		return nil, 0, err
	}
	if b.req.Format == "yaml" {
		payload, err = joinYAML(resources)
		return payload, len(resources), err
	}
	objects := make([]json.RawMessage, 0, len(resources))
	for _, res := range resources {
		object, err := b.finish(res)
		if err != nil {
			return nil, 0, err
		}
		objects = append(objects, object)
	}
	return rawArray(objects), len(objects), nil
}

// resources builds a directory.
func (b *builder) resources(dir string) ([]*resource.Resource, error) {
	if !b.req.NoShortcut {
		if resources, done := b.plain(dir); done {
			b.shortcut = true
			return resources, nil
		}
	}
	built, err := b.kustomize(dir)
	if err != nil {
		return nil, err
	}
	return built.Resources(), nil
}

// kustomize runs the build; a panic of the library is an error of this build.
func (b *builder) kustomize(dir string) (resources resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = coded("BuildFailed", "kustomize panicked, probably on malformed object data: %v", r)
		}
	}()
	// A schema of the build's own adds to the built-in one, as in Flux, only when that is loaded already.
	warm()
	return krusty.MakeKustomizer(&krusty.Options{
		// The order in which kubectl kustomize prints, unless the kustomization file has sortOptions.
		Reorder:          krusty.ReorderOptionLegacy,
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}).Run(b.fs, b.fs.abs(dir))
}

// finish turns a built resource into the JSON that is to be applied.
func (b *builder) finish(res *resource.Resource) (json.RawMessage, error) {
	if b.decryption != nil {
		if err := b.decryption.resource(res); err != nil {
			return nil, err
		}
	}
	if b.req.Substitute != nil {
		substituted, done, err := b.req.Substitute.apply(res)
		if err != nil {
			return nil, coded("PostBuildFailed", "%s: %w", describe(res), err)
		}
		if done {
			return substituted, nil
		}
	}
	return marshal(res)
}

// marshal gives the JSON that res.MarshalJSON gives, without printing and parsing the object as YAML in between.
func marshal(res *resource.Resource) (json.RawMessage, error) {
	var object map[string]any
	if err := res.YNode().Decode(&object); err != nil {
		return nil, err
	}
	return json.Marshal(object)
}

// joinYAML prints objects as kubectl kustomize does.
func joinYAML(resources []*resource.Resource) ([]byte, error) {
	var out bytes.Buffer
	for i, res := range resources {
		text, err := res.AsYAML()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

func checkObjects(resources []*resource.Resource) error {
	for _, res := range resources {
		if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
			return coded("InvalidObject", "%s lacks apiVersion, kind or metadata.name", describe(res))
		}
	}
	return nil
}

// describe names a resource for people: Kind/namespace/name.
func describe(res *resource.Resource) string {
	parts := []string{res.GetKind()}
	if namespace := res.GetNamespace(); namespace != "" {
		parts = append(parts, namespace)
	}
	return strings.Join(append(parts, res.GetName()), "/")
}

// tainted tells whether the build has set the process-wide OpenAPI schema.
func (b *builder) tainted() bool {
	for name := range b.fs.files {
		content := b.fs.tree.files[name]
		if isKustomizationFile(name) && strings.Contains(string(content), "openapi") {
			return true
		}
	}
	return false
}
