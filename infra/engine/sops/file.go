package sops

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Format is a file format of SOPS.
type Format string

const (
	Binary Format = "binary"
	Dotenv Format = "dotenv"
	INI    Format = "ini"
	JSON   Format = "json"
	YAML   Format = "yaml"
)

// FormatFor tells the format from the end of a file's name.
func FormatFor(name string) Format {
	if strings.HasSuffix(name, ".dockerconfigjson") {
		return JSON
	}
	switch path.Ext(name) {
	case ".yaml", ".yml":
		return YAML
	case ".json":
		return JSON
	case ".env":
		return Dotenv
	case ".ini":
		return INI
	}
	return Binary
}

// IsEncrypted looks for what SOPS leaves in a file of a format.
func IsEncrypted(content []byte, format Format) bool {
	marker := map[Format]string{
		Binary: `"mac": "ENC[`,
		Dotenv: "sops_mac=ENC[",
		INI:    "[sops]",
		JSON:   `"mac": "ENC[`,
		YAML:   "mac: ENC[",
	}[format]
	return marker != "" && bytes.Contains(content, []byte(marker))
}

// Detect finds the format of encrypted data whose name says nothing.
func Detect(content []byte) (Format, bool) {
	for _, format := range []Format{Binary, Dotenv, YAML, INI} {
		if IsEncrypted(content, format) {
			return format, true
		}
	}
	return "", false
}

// Result is a decrypted file.
type Result struct {
	Content []byte
	// Secrets are the texts that were encrypted.
	Secrets []string
	// MAC is nil, or ErrMAC when the file was changed after it was encrypted.
	MAC error
}

// Decrypt opens a file of one format and writes it in another one, as Flux does for entries of a Secret.
func Decrypt(content []byte, from, to Format, unwrap Unwrap) (*Result, error) {
	var doc document
	var err error
	switch from {
	case Binary, JSON:
		doc, err = loadJSON(content)
	case Dotenv:
		doc, err = loadDotenv(content)
	case YAML:
		doc, err = loadYAML(content)
	default:
		return nil, fmt.Errorf("files of the format %s are not supported", from)
	}
	if err != nil {
		return nil, err
	}
	section := doc.section()
	if section == nil {
		return nil, errors.New("there is no sops section")
	}
	meta, err := parseMetadata(section)
	if err != nil {
		return nil, err
	}
	d, err := newDecrypter(meta, unwrap)
	if err != nil {
		return nil, err
	}
	if err := doc.decrypt(d); err != nil {
		return nil, err
	}
	out, err := doc.emit(to)
	if err != nil {
		return nil, err
	}
	return &Result{Content: out, Secrets: d.plain, MAC: d.checkMAC()}, nil
}

// document is a loaded file without its sops section.
type document interface {
	section() any
	decrypt(d *decrypter) error
	emit(format Format) ([]byte, error)
}
