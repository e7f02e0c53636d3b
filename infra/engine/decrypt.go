package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"slipway.dev/infra/engine/sops"
)

const (
	// decryptKey, as annotation with the value "disabled", excludes an object.
	decryptKey = "kustomize.toolkit.fluxcd.io/decrypt"
	// maxEncrypted is the size at which Flux refuses an encrypted file, in bytes.
	maxEncrypted = 5 << 20
)

// decryption opens SOPS files during one build. Which ones is decided as Flux does.
// https://fluxcd.io/flux/components/kustomize/kustomizations/#decryption
type decryption struct {
	fs     *filesystem
	unwrap sops.Unwrap
	// visited directories and opened files of the walk over kustomization files.
	visited, opened map[string]bool
	// checked files are those whose MAC was looked at.
	checked map[string]bool
	// secrets are the texts that were encrypted, to be kept out of messages.
	secrets  []string
	warnings []string
}

func newDecryption(f *filesystem, unwrap sops.Unwrap) *decryption {
	return &decryption{
		fs: f, unwrap: unwrap,
		visited: map[string]bool{}, opened: map[string]bool{}, checked: map[string]bool{},
	}
}

// open decrypts, and remembers what was secret.
func (d *decryption) open(content []byte, from, to sops.Format) (*sops.Result, error) {
	if len(content) > maxEncrypted {
		return nil, fmt.Errorf("encrypted data of %d bytes is more than the %d that are allowed", len(content), maxEncrypted)
	}
	result, err := sops.Decrypt(content, from, to, d.unwrap)
	if err == nil {
		d.secrets = append(d.secrets, result.Secrets...)
	}
	return result, err
}

// sources decrypts the files that secret generators and patches of a directory, its bases and components name.
func (d *decryption) sources(dir string) error {
	if d.visited[dir] {
		return nil
	}
	d.visited[dir] = true
	file, content, err := findKustomization(d.fs, dir)
	if err != nil || file == "" {
		// What is wrong with it the build says.
		return nil
	}
	var k types.Kustomization
	if yaml.Unmarshal(content, &k) != nil {
		return nil
	}
	for _, generator := range k.SecretGenerator {
		for _, source := range generator.FileSources {
			key, name, found := strings.Cut(source, "=")
			if !found {
				name = key
			}
			if err := d.source(dir, name, sops.FormatFor(key)); err != nil {
				return err
			}
		}
		names := generator.EnvSources
		if generator.EnvSource != "" {
			names = append(names, generator.EnvSource)
		}
		for _, name := range names {
			format := sops.FormatFor(name)
			if format == sops.Binary {
				format = sops.Dotenv
			}
			if err := d.source(dir, name, format); err != nil {
				return err
			}
		}
	}
	for _, p := range k.Patches {
		if p.Path != "" && !isRemote(p.Path) {
			if err := d.source(dir, p.Path, sops.FormatFor(p.Path)); err != nil {
				return err
			}
		}
	}
	for _, reference := range append(k.Resources, k.Components...) {
		child := path.Join(dir, reference)
		if isRemote(reference) || !d.fs.isDir(child) {
			continue
		}
		if err := d.sources(child); err != nil {
			return err
		}
	}
	return nil
}

// source decrypts one file and puts the result over the tree.
func (d *decryption) source(dir, name string, format sops.Format) error {
	file := path.Join(dir, name)
	content, found := d.fs.tree.files[file]
	if !found || path.IsAbs(name) || d.opened[file] {
		return nil
	}
	d.fs.files[file] = struct{}{}
	if !sops.IsEncrypted(content, format) {
		return nil
	}
	result, err := d.open(content, format, format)
	if err == nil {
		err = result.MAC
	}
	if err != nil {
		return coded("DecryptionFailed", "%s cannot be decrypted: %w", file, err)
	}
	d.opened[file] = true
	d.fs.overlay[file] = result.Content
	return nil
}

// resource decrypts an object that is encrypted, and the encrypted entries of a Secret.
func (d *decryption) resource(res *resource.Resource) error {
	if strings.EqualFold(res.GetAnnotations()[decryptKey], "disabled") {
		return nil
	}
	var err error
	if mac := macOf(res); mac != "" {
		err = d.object(res, mac)
	} else if res.GetKind() == "Secret" {
		err = d.entries(res)
	}
	if err != nil {
		return coded("DecryptionFailed", "%s cannot be decrypted: %w", describe(res), err)
	}
	return nil
}

func macOf(res *resource.Resource) string {
	section := res.Field("sops")
	if section.IsNilOrEmpty() {
		return ""
	}
	field := section.Value.Field("mac")
	if field.IsNilOrEmpty() {
		return ""
	}
	return field.Value.YNode().Value
}

func (d *decryption) object(res *resource.Resource, mac string) error {
	text, err := res.MarshalJSON()
	if err != nil {
		return err
	}
	result, err := d.open(text, sops.JSON, sops.JSON)
	if err != nil {
		return err
	}
	if bytes.Contains(result.Content, []byte("ENC[AES256_GCM,")) {
		return errors.New("some values stay encrypted: a comment says which ones are, and kustomize drops comments; " +
			"use encrypted_regex instead")
	}
	if err := d.checkFile(mac); err != nil {
		return err
	}
	return res.UnmarshalJSON(result.Content)
}

// checkFile verifies the MAC of the file that an object came from. The object itself cannot be verified: kustomize may have
// added labels or a namespace to it. A mismatch is a warning, since Flux applies such files, which are common (a label
// edited by hand); each value is authenticated on its own.
func (d *decryption) checkFile(mac string) error {
	for name := range d.fs.files {
		format := sops.FormatFor(name)
		content := d.fs.tree.files[name]
		if d.checked[name] || (format != sops.YAML && format != sops.JSON) || !bytes.Contains(content, []byte(mac)) {
			continue
		}
		d.checked[name] = true
		result, err := d.open(content, format, format)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if result.MAC != nil {
			d.warnings = append(d.warnings, fmt.Sprintf("%s: %v", name, result.MAC))
		}
	}
	return nil
}

func (d *decryption) entries(res *resource.Resource) error {
	data := res.GetDataMap()
	changed := false
	for key, value := range data {
		content, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			continue
		}
		from, found := sops.Detect(content)
		if !found {
			continue
		}
		result, err := d.open(content, from, sops.FormatFor(key))
		if err == nil {
			err = result.MAC
		}
		if err != nil {
			return fmt.Errorf("data.%s: %w", key, err)
		}
		data[key] = base64.StdEncoding.EncodeToString(result.Content)
		changed = true
	}
	if changed {
		res.SetDataMap(data)
	}
	return nil
}

// hide removes decrypted texts from a message.
func (d *decryption) hide(text string) string {
	for _, secret := range d.secrets {
		encoded := base64.StdEncoding.EncodeToString([]byte(secret))
		for _, form := range append(strings.Split(secret, "\n"), secret, encoded) {
			if len(form) >= 4 {
				text = strings.ReplaceAll(text, form, "***")
			}
		}
	}
	return text
}

// callUnwrap asks the caller for a data key during a build.
func (s *server) callUnwrap(id int64) sops.Unwrap {
	return func(keys []sops.WrappedKey) ([]byte, error) {
		if err := s.conn.write(&call{ID: id, Call: "unwrap", Wrapped: keys}, nil); err != nil {
			return nil, err
		}
		var reply callReply
		if _, err := s.conn.read(&reply); err != nil {
			return nil, err
		}
		if reply.Error != "" || reply.DataKey == "" {
			return nil, errors.New(reply.Error)
		}
		return base64.StdEncoding.DecodeString(reply.DataKey)
	}
}

// call is the header of a frame in which a build asks its caller for something.
type call struct {
	ID      int64             `json:"id"`
	Call    string            `json:"call"`
	Wrapped []sops.WrappedKey `json:"wrapped"`
}

// callReply is the header of the caller's frame after a call.
type callReply struct {
	ID      int64  `json:"id"`
	DataKey string `json:"dataKey"`
	Error   string `json:"error"`
}
