// Command engine renders manifests for Slipway with the real libraries: kustomize, and Flux's variable substitution.
// It talks in frames over stdin and stdout (see frame.go), works on source trees held in memory, and has neither disk,
// environment, network nor child processes.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	limit := enterSandbox()
	go watchMemory(limit)
	server := &server{
		conn:  &conn{in: bufio.NewReaderSize(os.Stdin, 1<<16), out: bufio.NewWriterSize(os.Stdout, 1<<16)},
		trees: newTreeCache(int64(limit) / 4),
	}
	if err := server.serve(); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// server answers the requests of one connection, one at a time.
type server struct {
	conn  *conn
	trees *treeCache
	keys  *keyring
}

// serve answers until stdin ends; an error means that the connection itself is broken.
func (s *server) serve() error {
	for {
		var req request
		payload, err := s.conn.read(&req)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, body := s.handle(&req, payload)
		answer.ID = req.ID
		if err := s.conn.write(answer, body); err != nil {
			return err
		}
	}
}

// handle runs one request. A panic of a library becomes an error answer; the caller should then replace this process.
func (s *server) handle(req *request, payload []byte) (answer *answer, body []byte) {
	defer func() {
		if r := recover(); r != nil {
			answer, body = failure("Panic", fmt.Errorf("the renderer panicked: %v", r)), nil
			answer.Tainted = true
		}
	}()
	switch req.Op {
	case "warm":
		warm()
		return success(), nil
	case "tree":
		if err := s.trees.add(req.Tree, payload); err != nil {
			return failure("InvalidTree", err), nil
		}
		return success(), nil
	case "build":
		if s.keys != nil {
			return failure("InvalidRequest", errors.New("a process that holds keys builds nothing")), nil
		}
		return s.build(req)
	case "keys":
		return s.loadKeys(req), nil
	case "unwrap":
		return s.unwrapKey(req), nil
	default:
		return failure("InvalidRequest", fmt.Errorf("unknown operation %q", req.Op)), nil
	}
}
