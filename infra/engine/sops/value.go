package sops

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// comment is a comment that was encrypted as if it were a value.
type comment string

var encrypted = regexp.MustCompile(`^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]`)

// decryptValue opens one value. The path of its keys is authenticated with it, so that values cannot be exchanged.
func decryptValue(text string, key []byte, path string) (any, error) {
	if text == "" {
		return "", nil
	}
	parts := encrypted.FindStringSubmatch(text)
	if parts == nil {
		return nil, errors.New("a value that should be encrypted is not")
	}
	var decoded [3][]byte
	for i := range decoded {
		bytes, err := base64.StdEncoding.DecodeString(parts[i+1])
		if err != nil {
			return nil, errors.New("an encrypted value is malformed")
		}
		decoded[i] = bytes
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("the data key is unusable: %w", err)
	}
	nonce := decoded[1]
	if len(nonce) == 0 || len(decoded[2]) != aes.BlockSize {
		return nil, errors.New("an encrypted value is malformed")
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, len(nonce))
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, append(decoded[0], decoded[2]...), []byte(path))
	if err != nil {
		return nil, errors.New("an encrypted value does not belong here or was changed")
	}
	return typed(string(plain), parts[4])
}

func typed(plain, kind string) (value any, err error) {
	switch kind {
	case "str", "bytes":
		return plain, nil
	case "int":
		value, err = strconv.Atoi(plain)
	case "float":
		value, err = strconv.ParseFloat(plain, 64)
	case "bool":
		value, err = strconv.ParseBool(plain)
	case "time":
		var moment time.Time
		err = moment.UnmarshalText([]byte(plain))
		value = moment
	case "comment":
		return comment(plain), nil
	default:
		return nil, fmt.Errorf("an encrypted value has the unknown type %q", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("an encrypted value is no %s", kind)
	}
	return value, nil
}

// macBytes is how a value enters the MAC of its file.
func macBytes(value any) ([]byte, error) {
	switch value := value.(type) {
	case string:
		return []byte(value), nil
	case int:
		return []byte(strconv.Itoa(value)), nil
	case float64:
		return []byte(strconv.FormatFloat(value, 'f', -1, 64)), nil
	case bool:
		if value {
			return []byte("True"), nil
		}
		return []byte("False"), nil
	case time.Time:
		return value.MarshalText()
	default:
		return nil, fmt.Errorf("a value has the unsupported type %T", value)
	}
}
