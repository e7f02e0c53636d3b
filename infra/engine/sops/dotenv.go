package sops

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

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
