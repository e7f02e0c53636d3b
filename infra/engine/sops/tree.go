package sops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

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
