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

// commentTag marks an item of a list that is a comment: encrypted, comments in lists become items.
const commentTag = "!comment"

// liftComments turns such items of a list back into comments.
func liftComments(list *yaml.Node) {
	items := list.Content
	list.Content = nil
	pending := ""
	for _, item := range items {
		if item.Tag == commentTag {
			pending = joinComments(pending, item.Value)
			continue
		}
		item.HeadComment = joinComments(pending, item.HeadComment)
		pending = ""
		list.Content = append(list.Content, item)
	}
	if count := len(list.Content); count > 0 {
		last := list.Content[count-1]
		last.FootComment = joinComments(last.FootComment, pending)
	} else {
		list.HeadComment = joinComments(list.HeadComment, pending)
	}
}

func joinComments(first, second string) string {
	return strings.Trim(first+"\n"+second, "\n")
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

// comments opens the encrypted comments at a node.
func (f *yamlFile) comments(d *decrypter, node *yaml.Node, path []string) {
	for _, text := range []*string{&node.HeadComment, &node.LineComment, &node.FootComment} {
		if !strings.Contains(*text, "ENC[AES256_GCM") {
			continue
		}
		split := strings.Split(*text, "\n")
		for i, line := range split {
			if rest, found := strings.CutPrefix(line, "#"); found {
				split[i] = "#" + d.comment(rest, path)
			}
		}
		*text = strings.Join(split, "\n")
	}
}

// lines splits comments into lines without their "#".
func lines(comments ...string) (out []string) {
	for _, text := range comments {
		for _, line := range strings.Split(text, "\n") {
			if line != "" {
				out = append(out, line[1:])
			}
		}
	}
	return out
}

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
