package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

// substitution is the postBuild of a Flux Kustomization.
// https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution
type substitution struct {
	Variables map[string]string `json:"variables"`
	// Always substitutes even without any variable, so that defaults apply (substituteStrategy: Always).
	Always bool `json:"always"`
	// Lenient turns unknown variables without a default into nothing instead of an error.
	Lenient bool `json:"lenient"`
}

// disabledKey, as label or annotation with the value "disabled", excludes an object.
const disabledKey = "kustomize.toolkit.fluxcd.io/substitute"

var variableName = regexp.MustCompile("^[_[:alpha:]][_[:alpha:][:digit:]]*$")

// apply substitutes in the YAML text of a resource, as Flux does: a value that looks like a number or a boolean becomes
// one unless the manifest quotes the variable. It returns done=false when the resource is to stay as it is.
func (s *substitution) apply(res *resource.Resource) (object json.RawMessage, done bool, err error) {
	if len(s.Variables) == 0 && !s.Always {
		return nil, false, nil
	}
	if res.GetLabels()[disabledKey] == "disabled" || res.GetAnnotations()[disabledKey] == "disabled" {
		return nil, false, nil
	}
	for name := range s.Variables {
		if !variableName.MatchString(name) {
			return nil, false, fmt.Errorf("variable name %q must match %s", name, variableName)
		}
	}
	text, err := res.AsYAML()
	if err != nil {
		return nil, false, err
	}
	output, err := envsubst.Eval(string(text), func(name string) (string, bool) {
		value, known := s.Variables[name]
		return value, known || s.Lenient
	})
	if err != nil {
		return nil, false, fmt.Errorf("variable substitution failed: %w", err)
	}
	object, err = yaml.YAMLToJSON([]byte(output))
	if err != nil && res.GetKind() == "Secret" {
		return nil, false, errors.New("not YAML any more after variable substitution")
	}
	if err != nil {
		return nil, false, fmt.Errorf("not YAML any more after variable substitution: %w", err)
	}
	return object, true, nil
}
