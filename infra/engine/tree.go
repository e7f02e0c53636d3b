package main

import (
	"archive/tar"
	"bytes"
	"container/list"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// tree is an immutable source tree. Paths are relative and cleaned; the root is ".".
type tree struct {
	files map[string][]byte
	// directories maps each directory to its sorted entries; names of directories end in "/".
	directories map[string][]string
	size        int64
}

// parseTree reads an uncompressed tar. Only files and directories are accepted; a directory without files does not exist,
// as in Git.
func parseTree(archive []byte) (*tree, error) {
	t := &tree{files: map[string][]byte{}, directories: map[string][]string{".": nil}, size: int64(len(archive))}
	source := bytes.NewReader(archive)
	reader := tar.NewReader(source)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("malformed archive: %w", err)
		}
		switch header.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		case tar.TypeReg:
		default:
			return nil, fmt.Errorf("archive entry %q is neither file nor directory", header.Name)
		}
		name := path.Clean(header.Name)
		if path.IsAbs(name) || name == "." || name == ".." || strings.HasPrefix(name, "../") {
			return nil, fmt.Errorf("archive entry %q leaves the tree", header.Name)
		}
		start := len(archive) - source.Len()
		if int64(start)+header.Size > int64(len(archive)) {
			return nil, fmt.Errorf("archive entry %q is cut short", header.Name)
		}
		t.files[name] = archive[start : int64(start)+header.Size : int64(start)+header.Size]
	}
	for name := range t.files {
		t.link(name)
	}
	for name := range t.directories {
		slices.Sort(t.directories[name])
	}
	for name := range t.files {
		if _, clash := t.directories[name]; clash {
			return nil, fmt.Errorf("archive entry %q is both file and directory", name)
		}
	}
	return t, nil
}

// link enters a file into its directories.
func (t *tree) link(name string) {
	for entry := name; ; {
		parent := path.Dir(entry)
		base := path.Base(entry)
		if entry != name {
			base += "/"
		}
		entries, known := t.directories[parent]
		t.directories[parent] = append(entries, base)
		if known || parent == "." {
			return
		}
		entry = parent
	}
}

// treeCache keeps the trees used last, up to a number of bytes; the newest is kept whatever its size.
type treeCache struct {
	limit, size int64
	order       *list.List
	byDigest    map[string]*list.Element
}

type cachedTree struct {
	digest string
	tree   *tree
}

func newTreeCache(limit int64) *treeCache {
	return &treeCache{limit: limit, order: list.New(), byDigest: map[string]*list.Element{}}
}

func (c *treeCache) add(digest string, archive []byte) error {
	if digest == "" {
		return errors.New("a tree needs a digest")
	}
	if _, held := c.byDigest[digest]; held {
		return nil
	}
	t, err := parseTree(archive)
	if err != nil {
		return err
	}
	c.byDigest[digest] = c.order.PushFront(&cachedTree{digest, t})
	c.size += t.size
	for c.size > c.limit && c.order.Len() > 1 {
		last := c.order.Back()
		old := c.order.Remove(last).(*cachedTree)
		delete(c.byDigest, old.digest)
		c.size -= old.tree.size
	}
	return nil
}

func (c *treeCache) get(digest string) *tree {
	element, held := c.byDigest[digest]
	if !held {
		return nil
	}
	c.order.MoveToFront(element)
	return element.Value.(*cachedTree).tree
}
