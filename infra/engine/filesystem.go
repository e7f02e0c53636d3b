package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var errReadOnly = errors.New("the source tree is read-only")

// outsideError is given for paths outside the source tree.
type outsideError struct{ path string }

func (e *outsideError) Error() string {
	return fmt.Sprintf("path %q is outside the source tree", e.path)
}

// filesystem gives kustomize one source tree, mounted at root, and records what it looks at. root has a random name, so
// that no absolute path in a manifest can hit it.
type filesystem struct {
	root string
	tree *tree
	// overlay holds files that replace those of the tree; reading them is not recorded.
	overlay map[string][]byte
	// outside is the first path asked for that is not in the tree.
	outside string

	files, asked, listed map[string]struct{}
}

var _ filesys.FileSystem = (*filesystem)(nil)

func newFilesystem(root string, t *tree) *filesystem {
	return &filesystem{
		root:    root,
		tree:    t,
		overlay: map[string][]byte{},
		files:   map[string]struct{}{},
		asked:   map[string]struct{}{},
		listed:  map[string]struct{}{},
	}
}

// closure returns what was looked at so far.
func (f *filesystem) closure() *closure {
	return &closure{Files: sortedKeys(f.files), Missing: sortedKeys(f.asked), Directories: sortedKeys(f.listed)}
}

func sortedKeys(set map[string]struct{}) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// abs turns a path of the tree into the path that kustomize sees.
func (f *filesystem) abs(name string) string { return path.Join(f.root, name) }

// rel turns a path that kustomize uses into a path of the tree.
func (f *filesystem) rel(name string) (string, error) {
	clean := path.Clean(name)
	if clean == f.root {
		return ".", nil
	}
	if rest, inside := strings.CutPrefix(clean, f.root+"/"); inside {
		return rest, nil
	}
	shown := f.strip(name)
	if f.outside == "" {
		f.outside = shown
	}
	return "", &outsideError{shown}
}

// strip removes the mount point from a text.
func (f *filesystem) strip(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, f.root+"/", ""), f.root, ".")
}

func (f *filesystem) isDir(name string) bool {
	_, found := f.tree.directories[name]
	return found
}

func (f *filesystem) isFile(name string) bool {
	_, found := f.overlay[name]
	if !found {
		_, found = f.tree.files[name]
	}
	return found
}

func (f *filesystem) IsDir(name string) bool {
	rel, err := f.rel(name)
	if err != nil {
		return false
	}
	f.asked[rel] = struct{}{}
	return f.isDir(rel)
}

func (f *filesystem) Exists(name string) bool {
	rel, err := f.rel(name)
	if err != nil {
		return false
	}
	f.asked[rel] = struct{}{}
	return f.isFile(rel) || f.isDir(rel)
}

func (f *filesystem) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	rel, err := f.rel(name)
	if err != nil {
		return "", "", err
	}
	f.asked[rel] = struct{}{}
	switch {
	case f.isDir(rel):
		return filesys.ConfirmedDir(f.abs(rel)), "", nil
	case f.isFile(rel):
		return filesys.ConfirmedDir(f.abs(path.Dir(rel))), path.Base(rel), nil
	default:
		return "", "", &fs.PathError{Op: "open", Path: rel, Err: fs.ErrNotExist}
	}
}

func (f *filesystem) ReadFile(name string) ([]byte, error) {
	rel, err := f.rel(name)
	if err != nil {
		return nil, err
	}
	content, found := f.overlay[rel]
	if !found {
		if content, found = f.tree.files[rel]; found {
			f.files[rel] = struct{}{}
		}
	}
	if found {
		return content, nil
	}
	f.asked[rel] = struct{}{}
	if f.isDir(rel) {
		return nil, &fs.PathError{Op: "read", Path: rel, Err: errors.New("is a directory")}
	}
	return nil, &fs.PathError{Op: "open", Path: rel, Err: fs.ErrNotExist}
}

func (f *filesystem) ReadDir(name string) ([]string, error) {
	rel, err := f.rel(name)
	if err != nil {
		return nil, err
	}
	f.listed[rel] = struct{}{}
	if !f.isDir(rel) {
		return nil, &fs.PathError{Op: "open", Path: rel, Err: fs.ErrNotExist}
	}
	entries := slices.Clone(f.tree.directories[rel])
	for i := range entries {
		entries[i] = strings.TrimSuffix(entries[i], "/")
	}
	return entries, nil
}

func (f *filesystem) Walk(name string, visit filepath.WalkFunc) error {
	rel, err := f.rel(name)
	if err != nil {
		return visit(name, nil, err)
	}
	f.asked[rel] = struct{}{}
	info := f.info(rel)
	if info == nil {
		err = visit(name, nil, &fs.PathError{Op: "lstat", Path: rel, Err: fs.ErrNotExist})
	} else {
		err = f.walk(rel, info, visit)
	}
	if errors.Is(err, filepath.SkipDir) || errors.Is(err, filepath.SkipAll) {
		return nil
	}
	return err
}

func (f *filesystem) walk(rel string, info *fileInfo, visit filepath.WalkFunc) error {
	err := visit(f.abs(rel), info, nil)
	if !info.IsDir() {
		return err
	}
	if errors.Is(err, filepath.SkipDir) {
		return nil
	}
	if err != nil {
		return err
	}
	f.listed[rel] = struct{}{}
	names := make([]string, 0, len(f.tree.directories[rel]))
	for _, entry := range f.tree.directories[rel] {
		names = append(names, strings.TrimSuffix(entry, "/"))
	}
	slices.Sort(names)
	for _, name := range names {
		child := path.Join(rel, name)
		err := f.walk(child, f.info(child), visit)
		if errors.Is(err, filepath.SkipDir) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Glob lists all directories for the closure: which of them matter is not worth knowing for so rare a call.
func (f *filesystem) Glob(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	for name := range f.tree.directories {
		f.listed[name] = struct{}{}
	}
	var found []string
	for name := range f.tree.files {
		if matched, _ := path.Match(pattern, f.abs(name)); matched {
			found = append(found, f.abs(name))
		}
	}
	slices.Sort(found)
	return found, nil
}

func (f *filesystem) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (f *filesystem) Mkdir(string) error                  { return errReadOnly }
func (f *filesystem) MkdirAll(string) error               { return errReadOnly }
func (f *filesystem) RemoveAll(string) error              { return errReadOnly }
func (f *filesystem) Open(string) (filesys.File, error)   { return nil, errReadOnly }
func (f *filesystem) WriteFile(string, []byte) error      { return errReadOnly }

func (f *filesystem) info(rel string) *fileInfo {
	if content, found := f.tree.files[rel]; found {
		return &fileInfo{name: path.Base(rel), size: int64(len(content))}
	}
	if f.isDir(rel) {
		return &fileInfo{name: path.Base(rel), dir: true}
	}
	return nil
}

type fileInfo struct {
	name string
	size int64
	dir  bool
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.size }
func (i *fileInfo) ModTime() time.Time { return time.Time{} }
func (i *fileInfo) IsDir() bool        { return i.dir }
func (i *fileInfo) Sys() any           { return nil }
func (i *fileInfo) Mode() os.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
