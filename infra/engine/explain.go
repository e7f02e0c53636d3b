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
		return failure("BuildFailed", fmt.Errorf("%s is not a Kubernetes manifest: %s", file, shorten(b.fs.strip(cause.Error()))))
	}
	code := "BuildFailed"
	if c := (*codedError)(nil); errors.As(err, &c) {
		code = c.code
	}
	return failure(code, errors.New(shorten(text)))
}

// maxError bounds errors that quote whole manifests, in bytes.
const maxError = 4096

func shorten(text string) string {
	if len(text) <= maxError {
		return text
	}
	return strings.ToValidUTF8(text[:maxError], "") + " …"
}

func remoteError(reference string) error {
	return fmt.Errorf("remote reference %s is refused: bring it into the source, for example as a second GitRepository "+
		"with include, or as a submodule", reference)
}

// badReference looks in the kustomization files that were read for a reference in the error that is remote or not there.
func (b *builder) badReference(text string) *answer {
	for _, r := range b.references() {
		if b.fs.isFile(r.target) || b.fs.isDir(r.target) || !mentions(text, r.text) {
			continue
		}
		if isRemote(r.text) || strings.Contains(text, "no 'git' program on path") {
			return failure("RemoteRefused", remoteError(fmt.Sprintf("%q in %s", r.text, r.file)))
		}
		return failure("BuildFailed", fmt.Errorf("%q in %s does not exist", r.text, r.file))
	}
	return nil
}

// reference is an entry of resources, bases or components.
type reference struct{ file, text, target string }

// references lists what the kustomization files that were read refer to.
func (b *builder) references() (found []reference) {
	for _, file := range sortedKeys(b.fs.files) {
		var k struct{ Resources, Bases, Components []string }
		if !isKustomizationFile(file) || yaml.Unmarshal(b.fs.tree.files[file], &k) != nil {
			continue
		}
		for _, texts := range [][]string{k.Resources, k.Bases, k.Components} {
			for _, text := range texts {
				found = append(found, reference{file, text, path.Join(path.Dir(file), text)})
			}
		}
	}
	return found
}

func mentions(text, reference string) bool {
	return strings.Contains(text, reference) || strings.Contains(text, path.Clean(reference))
}

// malformed looks among the manifests for one that is none.
func (b *builder) malformed() (file string, err error) {
	factory := provider.NewDefaultDepProvider().GetResourceFactory()
	names := b.listed
	for _, r := range b.references() {
		names = append(names, r.target)
	}
	for _, name := range names {
		if _, wasRead := b.fs.files[name]; !wasRead {
			continue
		}
		if err := parses(factory, b.fs.tree.files[name]); err != nil {
			return name, err
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
