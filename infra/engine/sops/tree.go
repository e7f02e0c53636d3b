package sops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// object is a JSON object that keeps the order of its members, which the MAC depends on.
type object []member

type member struct {
	key   string
	value any
	// isComment marks a comment line of a dotenv file; its text is key.
	isComment bool
}

// tree is a file of JSON or dotenv.
type tree struct {
	root object
	meta any
}

func (t *tree) section() any { return t.meta }

func (t *tree) decrypt(d *decrypter) error {
	return walkObject(d, t.root, nil, nil)
}

func walkObject(d *decrypter, members object, path []string, comments [][]string) error {
	comments = append(comments, nil)
	top := len(comments) - 1
	for i := range members {
		if members[i].isComment {
			comments[top] = append(comments[top], members[i].key)
			members[i].key = d.comment(members[i].key, path)
			continue
		}
		value, err := walkValue(d, members[i].value, append(path, members[i].key), comments)
		if err != nil {
			return err
		}
		members[i].value = value
		comments[top] = nil
	}
	return nil
}

func walkValue(d *decrypter, value any, path []string, comments [][]string) (any, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case object:
		return value, walkObject(d, value, path, comments)
	case []any:
		for i := range value {
			opened, err := walkValue(d, value[i], path, append(comments, nil))
			if err != nil {
				return nil, err
			}
			value[i] = opened
		}
		return value, nil
	default:
		return d.leaf(value, path, comments)
	}
}

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

func loadDotenv(content []byte) (document, error) {
	t := &tree{}
	flat := map[string]string{}
	for number, line := range strings.Split(string(content), "\n") {
		if line == "" {
			continue
		}
		if text, isComment := strings.CutPrefix(line, "#"); isComment {
			t.root = append(t.root, member{key: text, isComment: true})
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("line %d is no assignment", number+1)
		}
		value = strings.ReplaceAll(value, `\n`, "\n")
		if name, isMeta := strings.CutPrefix(key, "sops_"); isMeta {
			flat[name] = value
		} else {
			t.root = append(t.root, member{key: key, value: value})
		}
	}
	if len(flat) > 0 {
		t.meta = unflatten(flat)
	}
	return t, nil
}

// unflatten rebuilds the sops section from keys such as age__list_0__map_enc.
func unflatten(flat map[string]string) any {
	root := map[string]any{}
	for key, value := range flat {
		at := root
		steps := strings.Split(strings.ReplaceAll(key, "__list_", "__map_"), "__map_")
		for _, step := range steps[:len(steps)-1] {
			next, isMap := at[step].(map[string]any)
			if !isMap {
				next = map[string]any{}
				at[step] = next
			}
			at = next
		}
		at[steps[len(steps)-1]] = value
	}
	return listed(root)
}

// listed turns maps with the keys 0, 1, 2… into lists.
func listed(value any) any {
	members, isMap := value.(map[string]any)
	if !isMap {
		return value
	}
	items := make([]any, 0, len(members))
	for i := range len(members) {
		item, found := members[strconv.Itoa(i)]
		if !found {
			break
		}
		items = append(items, listed(item))
	}
	if len(members) > 0 && len(items) == len(members) {
		return items
	}
	for key := range members {
		members[key] = listed(members[key])
	}
	return members
}

func (t *tree) emit(format Format) ([]byte, error) {
	switch format {
	case JSON:
		var out bytes.Buffer
		compact, err := json.Marshal(withoutComments(t.root))
		if err != nil {
			return nil, err
		}
		err = json.Indent(&out, compact, "", "\t")
		out.WriteByte('\n')
		return out.Bytes(), err
	case Dotenv:
		return emitDotenv(t.root)
	case YAML:
		node, err := yamlNode(t.root)
		if err != nil {
			return nil, err
		}
		return emitYAML([]*yaml.Node{{Kind: yaml.DocumentNode, Content: []*yaml.Node{node}}})
	case Binary:
		for _, m := range t.root {
			if text, isText := m.value.(string); isText && m.key == "data" && !m.isComment {
				return []byte(text), nil
			}
		}
		return nil, errors.New("there is no binary data in it")
	}
	return nil, fmt.Errorf("files of the format %s are not supported", format)
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

func emitDotenv(members object) ([]byte, error) {
	var out bytes.Buffer
	for _, m := range members {
		switch value := m.value.(type) {
		case object, []any:
			return nil, fmt.Errorf("%s is no single value, as a dotenv file needs", m.key)
		case string:
			fmt.Fprintf(&out, "%s=%s\n", m.key, strings.ReplaceAll(value, "\n", `\n`))
		case nil:
			if m.isComment {
				fmt.Fprintf(&out, "#%s\n", m.key)
			} else {
				fmt.Fprintf(&out, "%s=%v\n", m.key, value)
			}
		case float64:
			text := strconv.FormatFloat(value, 'G', -1, 64)
			if !strings.ContainsAny(text, ".E") {
				text = strconv.FormatFloat(value, 'f', 1, 64)
			}
			fmt.Fprintf(&out, "%s=%s\n", m.key, text)
		case time.Time:
			fmt.Fprintf(&out, "%s=%s\n", m.key, value.Format(time.RFC3339))
		default:
			fmt.Fprintf(&out, "%s=%v\n", m.key, value)
		}
	}
	return out.Bytes(), nil
}
