package sops

import (
	"bytes"
	"encoding/json"
	"errors"
)

func loadJSON(content []byte) (document, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	value, err := readJSON(decoder)
	if err != nil {
		return nil, errors.New("malformed JSON")
	}
	members, isObject := value.(object)
	if !isObject {
		return nil, errors.New("a JSON file must hold an object")
	}
	t := &tree{}
	for _, m := range members {
		if m.key == "sops" {
			t.meta = m.value
		} else {
			t.root = append(t.root, m)
		}
	}
	return t, nil
}

func readJSON(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			items := []any{}
			for decoder.More() {
				item, err := readJSON(decoder)
				if err != nil {
					return nil, err
				}
				items = append(items, item)
			}
			_, err = decoder.Token()
			return items, err
		}
		members := object{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := readJSON(decoder)
			if err != nil {
				return nil, err
			}
			members = append(members, member{key: key.(string), value: value})
		}
		_, err = decoder.Token()
		return members, err
	case json.Number:
		if whole, err := token.Int64(); err == nil {
			return int(whole), nil
		}
		return token.Float64()
	default:
		return token, nil
	}
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	first := true
	for _, m := range o {
		if m.isComment {
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(key)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// withoutComments drops encrypted comments, which have no place in JSON.
func withoutComments(value any) any {
	switch value := value.(type) {
	case object:
		kept := object{}
		for _, m := range value {
			if _, isComment := m.value.(comment); !isComment {
				kept = append(kept, member{key: m.key, value: withoutComments(m.value), isComment: m.isComment})
			}
		}
		return kept
	case []any:
		kept := []any{}
		for _, item := range value {
			if _, isComment := item.(comment); !isComment {
				kept = append(kept, withoutComments(item))
			}
		}
		return kept
	}
	return value
}
