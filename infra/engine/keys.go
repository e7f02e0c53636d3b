package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	agearmor "filippo.io/age/armor"
	"github.com/ProtonMail/go-crypto/openpgp"
	pgparmor "github.com/ProtonMail/go-crypto/openpgp/armor"

	"slipway.dev/infra/engine/sops"
)

// keyring holds private keys. Only a process that builds nothing has one: the keys are never in the same memory as
// manifests that a tenant wrote.
type keyring struct {
	age []age.Identity
	pgp openpgp.EntityList
}

// parseKeyring reads age key files and armored OpenPGP keys.
func parseKeyring(ageFiles, pgpFiles []string) (*keyring, error) {
	ring := &keyring{}
	for _, file := range ageFiles {
		identities, err := age.ParseIdentities(strings.NewReader(file))
		if err != nil {
			// The error may quote the key.
			return nil, errors.New("an age key file (.agekey) is malformed")
		}
		ring.age = append(ring.age, identities...)
	}
	for _, file := range pgpFiles {
		entities, err := openpgp.ReadArmoredKeyRing(strings.NewReader(file))
		if err != nil {
			return nil, errors.New("an OpenPGP key file (.asc) is malformed")
		}
		ring.pgp = append(ring.pgp, entities...)
	}
	return ring, nil
}

// unwrap decrypts a secret that is given as encrypted for several recipients.
func (r *keyring) unwrap(keys []sops.WrappedKey) ([]byte, error) {
	var failures []string
	for _, key := range keys {
		var plain []byte
		var err error
		switch key.Type {
		case "age":
			plain, err = r.unwrapAge(key.Enc)
		case "pgp":
			plain, err = r.unwrapPGP(key.Enc)
		default:
			err = errors.New("unknown type of key")
		}
		if err == nil && len(plain) > 0 {
			return plain, nil
		}
		failures = append(failures, fmt.Sprintf("%s %s: %v", key.Type, key.Recipient, err))
	}
	return nil, fmt.Errorf("none of the keys of the decryption secret opens it (%s)", strings.Join(failures, "; "))
}

func (r *keyring) unwrapAge(message string) ([]byte, error) {
	if len(r.age) == 0 {
		return nil, errors.New("no age key (.agekey) given")
	}
	reader, err := age.Decrypt(agearmor.NewReader(strings.NewReader(message)), r.age...)
	if err != nil {
		var noMatch *age.NoIdentityMatchError
		if errors.As(err, &noMatch) {
			return nil, errors.New("no matching key")
		}
		return nil, errors.New("malformed message")
	}
	return io.ReadAll(io.LimitReader(reader, 1<<16))
}

func (r *keyring) unwrapPGP(message string) ([]byte, error) {
	if len(r.pgp) == 0 {
		return nil, errors.New("no OpenPGP key (.asc) given")
	}
	block, err := pgparmor.Decode(bytes.NewReader([]byte(message)))
	if err != nil {
		return nil, errors.New("malformed message")
	}
	protected := false
	prompt := func([]openpgp.Key, bool) ([]byte, error) {
		protected = true
		return nil, errors.New("locked")
	}
	details, err := openpgp.ReadMessage(block.Body, r.pgp, prompt, nil)
	if protected {
		return nil, errors.New("the key is protected by a passphrase; give it without one")
	}
	if err != nil {
		return nil, errors.New("no matching key")
	}
	return io.ReadAll(io.LimitReader(details.UnverifiedBody, 1<<16))
}

// loadKeys answers a keys request.
func (s *server) loadKeys(req *request) *answer {
	ring, err := parseKeyring(req.AgeKeys, req.PGPKeys)
	if err != nil {
		return failure("InvalidKey", err)
	}
	s.keys = ring
	return success()
}

// unwrapKey answers an unwrap request.
func (s *server) unwrapKey(req *request) *answer {
	if s.keys == nil {
		return failure("InvalidRequest", errors.New("no keys loaded"))
	}
	plain, err := s.keys.unwrap(req.Wrapped)
	if err != nil {
		return failure("NoKey", err)
	}
	result := success()
	result.DataKey = base64.StdEncoding.EncodeToString(plain)
	return result
}
