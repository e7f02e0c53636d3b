package main

import (
	"encoding/json"

	"slipway.dev/infra/engine/sops"
)

// request is the header of a frame from the caller.
//
//   - warm: loads the OpenAPI schema of kustomize, so that the first build does not pay for it.
//   - tree: payload is an uncompressed tar; it is kept under the digest in Tree.
//   - build: renders Path of the tree Tree. Answers UnknownTree when the tree is not (or no longer) held. With Decrypt it may
//     send calls (see decrypt.go) before its answer.
//   - keys: loads private keys into this process, which must then build nothing.
//   - unwrap: decrypts a data key with the loaded keys.
type request struct {
	ID   int64  `json:"id"`
	Op   string `json:"op"`
	Tree string `json:"tree,omitempty"`
	// Path of the directory to build, relative to the root of the tree.
	Path string `json:"path,omitempty"`
	// Spec holds the fields of a Kustomization's spec that change the build.
	Spec buildSpec `json:"spec"`
	// Substitute is absent when the Kustomization has no postBuild.
	Substitute *substitution `json:"substitute,omitempty"`
	// Format of the answer's payload: json (an array of objects, the default) or yaml (as kubectl kustomize prints).
	Format string `json:"format,omitempty"`
	// NoShortcut leaves also builds to kustomize that only list manifests; for comparing the two.
	NoShortcut bool `json:"noShortcut,omitempty"`
	// Decrypt opens SOPS files.
	Decrypt bool `json:"decrypt,omitempty"`
	// AgeKeys and PGPKeys are key files.
	AgeKeys []string `json:"ageKeys,omitempty"`
	PGPKeys []string `json:"pgpKeys,omitempty"`
	// Wrapped is one data key, encrypted for several recipients.
	Wrapped []sops.WrappedKey `json:"wrapped,omitempty"`
}

// answer is the header of a frame to the caller.
type answer struct {
	ID int64 `json:"id"`
	OK bool  `json:"ok"`
	// Code tells kinds of errors apart: UnknownTree, InvalidTree, InvalidRequest, NotFound, BuildFailed,
	// DecryptionFailed, PostBuildFailed, InvalidObject, RemoteRefused, InvalidKey, NoKey, Panic.
	Code string `json:"code,omitempty"`
	// Error is for people. It may quote manifests.
	Error string `json:"error,omitempty"`
	// Closure is set for builds, also for failed ones.
	Closure *closure `json:"closure,omitempty"`
	// Count is the number of objects in the payload.
	Count int `json:"count,omitempty"`
	// Warnings are worth telling, but no errors.
	Warnings []string `json:"warnings,omitempty"`
	// Secrets are the texts that a build has decrypted, so that the caller can keep them out of what it writes.
	Secrets []string `json:"secrets,omitempty"`
	// DataKey answers unwrap, in base64.
	DataKey string `json:"dataKey,omitempty"`
	// Shortcut tells that the build only listed manifests and was done without kustomize.
	Shortcut bool `json:"shortcut,omitempty"`
	// Tainted asks the caller to replace this process: the build has changed what later builds would give.
	Tainted bool `json:"tainted,omitempty"`
}

// closure is what a build looked at, as paths relative to the root of the tree; the root itself is ".".
type closure struct {
	// Files were read.
	Files []string `json:"files"`
	// Missing were looked for: whether they are a file, a directory or nothing mattered.
	Missing []string `json:"missing"`
	// Directories were listed.
	Directories []string `json:"directories"`
}

func success() *answer { return &answer{OK: true} }

func failure(code string, err error) *answer { return &answer{Code: code, Error: err.Error()} }

// rawArray joins JSON texts to an array.
func rawArray(items []json.RawMessage) []byte {
	size := 2
	for _, item := range items {
		size += len(item) + 1
	}
	out := make([]byte, 0, size)
	out = append(out, '[')
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, ']')
}
