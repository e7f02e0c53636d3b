package sops

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases may expand to.
const maxNodes = 200_000

// yamlFile is a file of YAML documents, changed in place so that comments stay.
type yamlFile struct {
	documents []*yaml.Node
	meta      any
	nodes     int
}

func loadYAML(content []byte) (document, error) {
	file := &yamlFile{}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		node := &yaml.Node{}
		err := decoder.Decode(node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New("malformed YAML")
		}
		if err := file.add(node); err != nil {
			return nil, err
		}
	}
	return file, nil
}

// add takes a document in, and its sops section out; the first document's section holds for the file.
func (f *yamlFile) add(document *yaml.Node) error {
	f.documents = append(f.documents, document)
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		if len(document.Content) == 1 && document.Content[0].ShortTag() == "!!null" {
			return nil
		}
		return errors.New("a YAML document must hold a mapping")
	}
	root := document.Content[0]
	for i := 0; i+1 < len(root.Content); {
		if root.Content[i].Value != "sops" {
			i += 2
			continue
		}
		if len(f.documents) == 1 {
			var section map[string]any
			if err := root.Content[i+1].Decode(&section); err != nil {
				return errors.New("malformed sops section")
			}
			if moment, isTime := section["lastmodified"].(time.Time); isTime {
				section["lastmodified"] = moment.Format(time.RFC3339)
			}
			f.meta = section
		}
		root.Content = append(root.Content[:i], root.Content[i+2:]...)
	}
	return nil
}

func (f *yamlFile) section() any { return f.meta }

func (f *yamlFile) decrypt(d *decrypter) error {
	for _, document := range f.documents {
		f.comments(d, document, nil)
		for i, node := range document.Content {
			opened, err := f.walk(d, node, nil, nil)
			if err != nil {
				return err
			}
			document.Content[i] = opened
		}
	}
	return nil
}

// walk opens a node and returns what stands in its place.
func (f *yamlFile) walk(d *decrypter, node *yaml.Node, path []string, comments [][]string) (*yaml.Node, error) {
	if f.nodes++; f.nodes > maxNodes {
		return nil, errors.New("the YAML is too large when its aliases are expanded")
	}
	switch node.Kind {
	case yaml.AliasNode:
		return f.walk(d, node.Alias, path, comments)
	case yaml.MappingNode:
		return f.walkMapping(d, node, path, comments)
	case yaml.SequenceNode:
		opened := plainNode(node)
		comments = append(comments, lines(node.HeadComment, node.LineComment))
		top := len(comments) - 1
		for _, item := range node.Content {
			comments[top] = append(comments[top], lines(item.HeadComment, item.LineComment)...)
			child, err := f.walk(d, item, path, comments)
			if err != nil {
				return nil, err
			}
			opened.Content = append(opened.Content, child)
			comments[top] = lines(item.FootComment)
		}
		f.comments(d, opened, path)
		liftComments(opened)
		return opened, nil
	default:
		return f.scalar(d, node, path, comments)
	}
}

func (f *yamlFile) walkMapping(d *decrypter, node *yaml.Node, path []string, comments [][]string) (*yaml.Node, error) {
	opened := plainNode(node)
	comments = append(comments, lines(node.HeadComment, node.LineComment))
	top := len(comments) - 1
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := *node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			return nil, fmt.Errorf("the key %q is no text", key.Value)
		}
		comments[top] = append(comments[top], lines(key.HeadComment, key.LineComment)...)
		if value.Kind == yaml.ScalarNode || value.Kind == yaml.AliasNode {
			comments[top] = append(comments[top], lines(value.HeadComment, value.LineComment)...)
		}
		child, err := f.walk(d, value, append(path, key.Value), comments)
		if err != nil {
			return nil, err
		}
		key.Style, key.Anchor = 0, ""
		f.comments(d, &key, path)
		opened.Content = append(opened.Content, &key, child)
		comments[top] = lines(value.FootComment, key.FootComment)
	}
	f.comments(d, opened, path)
	return opened, nil
}

func (f *yamlFile) scalar(d *decrypter, node *yaml.Node, path []string, comments [][]string) (*yaml.Node, error) {
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, fmt.Errorf("%s: malformed YAML", strings.Join(path, "."))
	}
	if value != nil {
		opened, err := d.leaf(value, path, comments)
		if err != nil {
			return nil, err
		}
		value = opened
		if text, isComment := value.(comment); isComment {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: commentTag, Value: "#" + string(text)}, nil
		}
	}
	opened := &yaml.Node{}
	if err := opened.Encode(value); err != nil {
		return nil, err
	}
	opened.HeadComment, opened.LineComment, opened.FootComment = node.HeadComment, node.LineComment, node.FootComment
	// Comments beside a value belong to the mapping or list around it.
	parent := path
	if len(path) > 0 {
		parent = path[:len(path)-1]
	}
	f.comments(d, opened, parent)
	return opened, nil
}

// plainNode copies a collection without its content, style and anchor.
func plainNode(node *yaml.Node) *yaml.Node {
	return &yaml.Node{
		Kind:        node.Kind,
		HeadComment: node.HeadComment,
		LineComment: node.LineComment,
		FootComment: node.FootComment,
	}
}
