package sops

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

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
