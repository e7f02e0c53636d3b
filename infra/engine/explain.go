package main

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

// explain turns the error of a build into an answer that names the file or URL at fault. kustomize tries a reference as a
// file, as a URL and as a directory, and its error tells of the last attempt.
func (b *builder) explain(err error) *answer {
	text := b.fs.strip(err.Error())
	if urls := takeRefusals(); len(urls) > 0 {
		return failure("RemoteRefused", remoteError(urls[0]))
	}
	if b.fs.outside != "" {
		return failure("BuildFailed", &outsideError{b.fs.outside})
	}
	if answer := b.badReference(text); answer != nil {
		return answer
	}
	if file, cause := b.malformed(); cause != nil {
		return failure("BuildFailed", fmt.Errorf("%s is not a Kubernetes manifest: %s", file, b.fs.strip(cause.Error())))
	}
	code := "BuildFailed"
	if c := (*codedError)(nil); errors.As(err, &c) {
		code = c.code
	}
	return failure(code, errors.New(text))
}

func remoteError(reference string) error {
	return fmt.Errorf("remote reference %s is refused: bring it into the source, for example as a second GitRepository "+
		"with include, or as a submodule", reference)
}

// badReference looks in the kustomization files that were read for a reference in the error that is remote or not there.
func (b *builder) badReference(text string) *answer {
	for _, file := range sortedKeys(b.fs.files) {
		if !isKustomizationFile(file) {
			continue
		}
		var k struct{ Resources, Bases, Components []string }
		if yaml.Unmarshal(b.fs.tree.files[file], &k) != nil {
			continue
		}
		for _, references := range [][]string{k.Resources, k.Bases, k.Components} {
			for _, reference := range references {
				target := path.Join(path.Dir(file), reference)
				if b.fs.isFile(target) || b.fs.isDir(target) || !mentions(text, reference) {
					continue
				}
				if isRemote(reference) || strings.Contains(text, "no 'git' program on path") {
					return failure("RemoteRefused", remoteError(fmt.Sprintf("%q in %s", reference, file)))
				}
				return failure("BuildFailed", fmt.Errorf("%q in %s does not exist", reference, file))
			}
		}
	}
	return nil
}

func mentions(text, reference string) bool {
	return strings.Contains(text, reference) || strings.Contains(text, path.Clean(reference))
}

// malformed looks among the manifests that were listed without looking inside them for one that is no manifest.
func (b *builder) malformed() (file string, err error) {
	factory := provider.NewDefaultDepProvider().GetResourceFactory()
	for _, name := range b.listed {
		if content, isFile := b.fs.tree.files[name]; isFile {
			if err := parses(factory, content); err != nil {
				return name, err
			}
		}
	}
	return "", nil
}

func parses(factory *resource.Factory, content []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	_, err = factory.SliceFromBytes(content)
	return err
}

func isKustomizationFile(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}
