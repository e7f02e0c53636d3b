package sops

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

func (f *yamlFile) emit(format Format) ([]byte, error) {
	if format == YAML {
		return emitYAML(f.documents)
	}
	if len(f.documents) != 1 {
		return nil, fmt.Errorf("a file of %d documents cannot become %s", len(f.documents), format)
	}
	t := &tree{}
	if len(f.documents[0].Content) == 1 {
		value, err := fromNode(f.documents[0].Content[0])
		if err != nil {
			return nil, err
		}
		t.root, _ = value.(object)
	}
	return t.emit(format)
}

func emitYAML(documents []*yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(4)
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return nil, err
		}
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// fromNode turns a decrypted node into the tree of the other formats.
func fromNode(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.MappingNode:
		members := object{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			value, err := fromNode(node.Content[i+1])
			if err != nil {
				return nil, err
			}
			members = append(members, member{key: node.Content[i].Value, value: value})
		}
		return members, nil
	case yaml.SequenceNode:
		items := []any{}
		for _, child := range node.Content {
			value, err := fromNode(child)
			if err != nil {
				return nil, err
			}
			items = append(items, value)
		}
		return items, nil
	default:
		var value any
		err := node.Decode(&value)
		return value, err
	}
}

// yamlNode turns the tree of another format into YAML.
func yamlNode(value any) (*yaml.Node, error) {
	node := &yaml.Node{}
	switch value := value.(type) {
	case object:
		node.Kind = yaml.MappingNode
		for _, m := range value {
			if _, isComment := m.value.(comment); isComment || m.isComment {
				continue
			}
			key := &yaml.Node{}
			if err := key.Encode(m.key); err != nil {
				return nil, err
			}
			child, err := yamlNode(m.value)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, key, child)
		}
	case []any:
		node.Kind = yaml.SequenceNode
		for _, item := range value {
			child, err := yamlNode(item)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
	default:
		return node, node.Encode(value)
	}
	return node, nil
}
