package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// buildSpec holds the fields of a Flux Kustomization's spec that change the build.
// https://fluxcd.io/flux/components/kustomize/kustomizations/
type buildSpec struct {
	TargetNamespace         string        `json:"targetNamespace"`
	NamePrefix              string        `json:"namePrefix"`
	NameSuffix              string        `json:"nameSuffix"`
	Patches                 []patch       `json:"patches"`
	Images                  []types.Image `json:"images"`
	Components              []string      `json:"components"`
	IgnoreMissingComponents bool          `json:"ignoreMissingComponents"`
	BuildMetadata           []string      `json:"buildMetadata"`
}

type patch struct {
	Patch  string    `json:"patch"`
	Target *selector `json:"target"`
}

type selector struct {
	Group              string `json:"group"`
	Version            string `json:"version"`
	Kind               string `json:"kind"`
	Name               string `json:"name"`
	Namespace          string `json:"namespace"`
	LabelSelector      string `json:"labelSelector"`
	AnnotationSelector string `json:"annotationSelector"`
}

// prepare finds the kustomization file of a directory, or makes one that lists its manifests, applies the spec to it and
// puts the result over the tree. It returns the manifests listed in a made file.
func prepare(f *filesystem, dir string, spec *buildSpec) (listed []string, err error) {
	file, content, err := findKustomization(f, dir)
	if err != nil {
		return nil, err
	}
	kustomization := types.Kustomization{
		TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind},
	}
	if file == "" {
		file = path.Join(dir, konfig.DefaultKustomizationFileName())
		if listed, err = listManifests(f, dir); err != nil {
			return nil, err
		}
		for _, name := range listed {
			kustomization.Resources = append(kustomization.Resources, "."+strings.TrimPrefix(f.abs(name), f.abs(dir)))
		}
		if len(listed) == 0 {
			// kustomize refuses an empty file.
			kustomization.Namespace = "_placeholder"
		}
	} else {
		if err := yaml.Unmarshal(content, &kustomization); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(kustomization.Resources) == 0 {
			// As Flux does, so that kustomize does not refuse an empty file; objects of generators then carry the annotation.
			kustomization.BuildMetadata = []string{types.OriginAnnotations}
		}
	}
	if err := applySpec(f, dir, &kustomization, spec); err != nil {
		return nil, err
	}
	content, err = yaml.Marshal(kustomization)
	if err != nil {
		return nil, err
	}
	f.overlay[file] = content
	return listed, nil
}

// findKustomization returns the first of the recognised kustomization files of a directory, or nothing.
func findKustomization(f *filesystem, dir string) (file string, content []byte, err error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := path.Join(dir, name)
		content, err := f.ReadFile(f.abs(file))
		if err == nil {
			return file, content, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !f.isDir(file) {
			return "", nil, err
		}
	}
	return "", nil, nil
}

// listManifests finds what Flux would list in a made kustomization file: every .yaml and .yml file below the directory,
// and in place of their files the sub-directories that have a kustomization file.
func listManifests(f *filesystem, dir string) ([]string, error) {
	var found []string
	err := f.Walk(f.abs(dir), func(name string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := f.rel(name)
		if err != nil || rel == dir {
			return err
		}
		if info.IsDir() {
			for _, kustomization := range konfig.RecognizedKustomizationFileNames() {
				file := path.Join(rel, kustomization)
				f.asked[file] = struct{}{}
				if f.isFile(file) {
					found = append(found, rel)
					return filepath.SkipDir
				}
			}
			return nil
		}
		if extension := path.Ext(rel); extension == ".yaml" || extension == ".yml" {
			found = append(found, rel)
		}
		return nil
	})
	return found, err
}

// applySpec adds the fields of a Flux Kustomization to a kustomization file.
func applySpec(f *filesystem, dir string, k *types.Kustomization, spec *buildSpec) error {
	if spec.TargetNamespace != "" {
		k.Namespace = spec.TargetNamespace
	}
	if spec.NamePrefix != "" {
		k.NamePrefix = spec.NamePrefix
	}
	if spec.NameSuffix != "" {
		k.NameSuffix = spec.NameSuffix
	}
	for _, p := range spec.Patches {
		k.Patches = append(k.Patches, types.Patch{Patch: p.Patch, Target: p.Target.adapt()})
	}
	for _, component := range spec.Components {
		if isRemote(component) || path.IsAbs(strings.TrimPrefix(strings.ToLower(component), "file://")) {
			return fmt.Errorf("component %q must be a relative path inside the source", component)
		}
		if spec.IgnoreMissingComponents && !f.Exists(path.Join(f.abs(dir), component)) {
			continue
		}
		k.Components = append(k.Components, component)
	}
	for _, image := range spec.Images {
		k.Images = mergeImage(k.Images, image)
	}
	if len(spec.BuildMetadata) > 0 {
		k.BuildMetadata = spec.BuildMetadata
	}
	return nil
}

// mergeImage overrides the fields that are set. Tag and digest are one choice: setting either replaces both.
func mergeImage(images []types.Image, image types.Image) []types.Image {
	i := slices.IndexFunc(images, func(existing types.Image) bool { return existing.Name == image.Name })
	if i < 0 {
		return append(images, types.Image{
			Name: image.Name, NewName: image.NewName, NewTag: image.NewTag, Digest: image.Digest,
		})
	}
	if image.NewName != "" {
		images[i].NewName = image.NewName
	}
	if image.NewTag != "" || image.Digest != "" {
		images[i].NewTag, images[i].Digest = image.NewTag, image.Digest
	}
	return images
}

func (s *selector) adapt() *types.Selector {
	if s == nil {
		return nil
	}
	out := &types.Selector{LabelSelector: s.LabelSelector, AnnotationSelector: s.AnnotationSelector}
	out.Group, out.Version, out.Kind = s.Group, s.Version, s.Kind
	out.Name, out.Namespace = s.Name, s.Namespace
	return out
}

// isRemote tells whether kustomize would take a reference for a URL.
func isRemote(reference string) bool {
	lower := strings.ToLower(reference)
	for _, prefix := range []string{
		"git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/",
	} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return false
}
