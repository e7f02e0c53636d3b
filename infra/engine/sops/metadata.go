// Package sops decrypts what SOPS has encrypted: YAML, JSON, dotenv and binary files. It implements the file format only;
// data keys are unwrapped by whoever calls it. The package of SOPS itself would bring the clients of all cloud key services
// into a program that must not talk to anyone.
//
// Format: https://github.com/getsops/sops#encryption-protocol
package sops

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Metadata is the "sops" section of an encrypted file, as far as decrypting needs it.
type Metadata struct {
	keyGroup
	KeyGroups               []keyGroup `json:"key_groups"`
	ShamirThreshold         number     `json:"shamir_threshold"`
	LastModified            string     `json:"lastmodified"`
	MAC                     string     `json:"mac"`
	UnencryptedSuffix       string     `json:"unencrypted_suffix"`
	EncryptedSuffix         string     `json:"encrypted_suffix"`
	UnencryptedRegex        string     `json:"unencrypted_regex"`
	EncryptedRegex          string     `json:"encrypted_regex"`
	UnencryptedCommentRegex string     `json:"unencrypted_comment_regex"`
	EncryptedCommentRegex   string     `json:"encrypted_comment_regex"`
	MACOnlyEncrypted        boolean    `json:"mac_only_encrypted"`
}

type keyGroup struct {
	Age     []ageKey          `json:"age"`
	PGP     []pgpKey          `json:"pgp"`
	KMS     []json.RawMessage `json:"kms"`
	GCPKMS  []json.RawMessage `json:"gcp_kms"`
	AzureKV []json.RawMessage `json:"azure_kv"`
	Vault   []json.RawMessage `json:"hc_vault"`
	HCKMS   []json.RawMessage `json:"hckms"`
}

type ageKey struct {
	Recipient string `json:"recipient"`
	Enc       string `json:"enc"`
}

type pgpKey struct {
	Fingerprint string `json:"fp"`
	Enc         string `json:"enc"`
}

// WrappedKey is a data key (or a share of one), encrypted for one recipient.
type WrappedKey struct {
	// Type is "age" or "pgp".
	Type string `json:"type"`
	// Recipient is the public key or the fingerprint.
	Recipient string `json:"recipient"`
	// Enc is the armored message.
	Enc string `json:"enc"`
}

// Unwrap decrypts the same secret, given as encrypted for several recipients.
type Unwrap func(keys []WrappedKey) ([]byte, error)

// defaultUnencryptedSuffix holds when a file names no rule.
const defaultUnencryptedSuffix = "_unencrypted"

// parseMetadata reads the section from its generic form.
func parseMetadata(section any) (*Metadata, error) {
	text, err := json.Marshal(section)
	if err != nil {
		return nil, fmt.Errorf("malformed sops section: %w", err)
	}
	m := &Metadata{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("malformed sops section: %w", err)
	}
	modified, err := time.Parse(time.RFC3339, m.LastModified)
	if err != nil {
		return nil, fmt.Errorf("malformed sops section: lastmodified: %w", err)
	}
	m.LastModified = modified.Format(time.RFC3339)
	rules := 0
	for _, rule := range []string{
		m.UnencryptedSuffix, m.EncryptedSuffix, m.UnencryptedRegex,
		m.EncryptedRegex, m.UnencryptedCommentRegex, m.EncryptedCommentRegex,
	} {
		if rule != "" {
			rules++
		}
	}
	if rules > 1 {
		return nil, errors.New("the sops section has more than one rule for what is encrypted")
	}
	if rules == 0 {
		m.UnencryptedSuffix = defaultUnencryptedSuffix
	}
	return m, nil
}

// dataKey obtains the key that encrypts the values.
func (m *Metadata) dataKey(unwrap Unwrap) ([]byte, error) {
	groups := m.KeyGroups
	if m.keyGroup.size() > 0 {
		groups = []keyGroup{m.keyGroup}
	}
	if len(groups) == 0 {
		return nil, errors.New("the sops section names no key")
	}
	if len(groups) == 1 {
		return groups[0].open(unwrap)
	}
	threshold := int(m.ShamirThreshold)
	if threshold == 0 {
		threshold = len(groups)
	}
	var shares [][]byte
	var failures []error
	for _, group := range groups {
		if len(shares) == threshold {
			break
		}
		share, err := group.open(unwrap)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		shares = append(shares, share)
	}
	if len(shares) < threshold {
		return nil, fmt.Errorf("%d of the %d needed key groups could be opened: %w",
			len(shares), threshold, errors.Join(failures...))
	}
	return combine(shares)
}

func (g *keyGroup) size() int {
	return len(g.Age) + len(g.PGP) + len(g.unsupported())
}

func (g *keyGroup) unsupported() (names []string) {
	for name, keys := range map[string][]json.RawMessage{
		"kms": g.KMS, "gcp_kms": g.GCPKMS, "azure_kv": g.AzureKV, "hc_vault": g.Vault, "hckms": g.HCKMS,
	} {
		if len(keys) > 0 {
			names = append(names, name)
		}
	}
	return names
}

func (g *keyGroup) open(unwrap Unwrap) ([]byte, error) {
	var keys []WrappedKey
	for _, key := range g.Age {
		keys = append(keys, WrappedKey{Type: "age", Recipient: key.Recipient, Enc: key.Enc})
	}
	for _, key := range g.PGP {
		keys = append(keys, WrappedKey{Type: "pgp", Recipient: key.Fingerprint, Enc: key.Enc})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("it is encrypted for %s only; age and OpenPGP keys are supported",
			strings.Join(g.unsupported(), ", "))
	}
	return unwrap(keys)
}

// number and boolean also accept text, which is all that flat formats have.
type number int

func (n *number) UnmarshalJSON(text []byte) error {
	value, err := strconv.Atoi(strings.Trim(string(text), `"`))
	*n = number(value)
	return err
}

type boolean bool

func (b *boolean) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseBool(strings.Trim(string(text), `"`))
	*b = boolean(value)
	return err
}
