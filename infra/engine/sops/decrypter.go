package sops

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

// decrypter opens the values of one file in their order, and computes the file's MAC on the way.
type decrypter struct {
	meta *Metadata
	key  []byte
	hash hash.Hash
	rule func(path []string, comments [][]string, isComment bool) bool
	// plain collects the decrypted texts, so that they can be kept out of messages.
	plain []string
}

// macOnlyEncrypted starts the MAC of files whose MAC covers encrypted values alone: the SHA-256 of "sops".
var macOnlyEncrypted = []byte{
	0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
	0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
}

func newDecrypter(meta *Metadata, unwrap Unwrap) (*decrypter, error) {
	key, err := meta.dataKey(unwrap)
	if err != nil {
		return nil, err
	}
	rule, err := meta.encryptedRule()
	if err != nil {
		return nil, err
	}
	d := &decrypter{meta: meta, key: key, hash: sha512.New(), rule: rule}
	if meta.MACOnlyEncrypted {
		d.hash.Write(macOnlyEncrypted)
	}
	return d, nil
}

// leaf opens one value. Values that are stored as they are come back unchanged.
func (d *decrypter) leaf(value any, path []string, comments [][]string) (any, error) {
	isEncrypted := d.rule(path, comments, false)
	if isEncrypted {
		text, isText := value.(string)
		if !isText {
			return nil, fmt.Errorf("%s: a value that should be encrypted is not", strings.Join(path, "."))
		}
		opened, err := decryptValue(text, d.key, strings.Join(path, ":")+":")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(path, "."), err)
		}
		if text, isText := opened.(string); isText {
			d.plain = append(d.plain, text)
		}
		value = opened
	}
	if _, isComment := value.(comment); isComment || (bool(d.meta.MACOnlyEncrypted) && !isEncrypted) {
		return value, nil
	}
	bytes, err := macBytes(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(path, "."), err)
	}
	d.hash.Write(bytes)
	return value, nil
}

// comment opens a comment; one that is not encrypted comes back unchanged.
func (d *decrypter) comment(text string, path []string) string {
	opened, err := decryptValue(text, d.key, strings.Join(path, ":")+":")
	if err != nil {
		return text
	}
	switch opened := opened.(type) {
	case comment:
		return string(opened)
	case string:
		return opened
	}
	return text
}

// ErrMAC means that a file was changed after it was encrypted.
var ErrMAC = errors.New("the MAC does not match: the file was changed after it was encrypted; edit it with sops")

// checkMAC compares the MAC of everything seen with the one in the file.
func (d *decrypter) checkMAC() error {
	stored, err := decryptValue(d.meta.MAC, d.key, d.meta.LastModified)
	if err != nil || stored != fmt.Sprintf("%X", d.hash.Sum(nil)) {
		return ErrMAC
	}
	return nil
}

// encryptedRule makes the function that tells which values are encrypted: by a suffix or pattern of any key on the path, or of
// a comment before it.
func (m *Metadata) encryptedRule() (func(path []string, comments [][]string, isComment bool) bool, error) {
	pattern := m.UnencryptedRegex + m.EncryptedRegex + m.UnencryptedCommentRegex + m.EncryptedCommentRegex
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("malformed sops section: %w", err)
	}
	onPath := func(matches func(string) bool) func([]string, [][]string, bool) bool {
		return func(path []string, _ [][]string, _ bool) bool {
			for _, key := range path {
				if matches(key) {
					return true
				}
			}
			return false
		}
	}
	hasSuffix := func(suffix string) func(string) bool {
		return func(key string) bool { return strings.HasSuffix(key, suffix) }
	}
	inComments := func(_ []string, comments [][]string, isComment bool) bool {
		for level, texts := range comments {
			for i, text := range texts {
				own := isComment && level == len(comments)-1 && i == len(texts)-1
				if !(own && m.EncryptedCommentRegex != "") && compiled.MatchString(text) {
					return true
				}
			}
		}
		return false
	}
	not := func(rule func([]string, [][]string, bool) bool) func([]string, [][]string, bool) bool {
		return func(path []string, comments [][]string, isComment bool) bool { return !rule(path, comments, isComment) }
	}
	switch {
	case m.EncryptedSuffix != "":
		return onPath(hasSuffix(m.EncryptedSuffix)), nil
	case m.UnencryptedRegex != "":
		return not(onPath(compiled.MatchString)), nil
	case m.EncryptedRegex != "":
		return onPath(compiled.MatchString), nil
	case m.UnencryptedCommentRegex != "":
		return not(inComments), nil
	case m.EncryptedCommentRegex != "":
		return inComments, nil
	default:
		return not(onPath(hasSuffix(m.UnencryptedSuffix))), nil
	}
}
