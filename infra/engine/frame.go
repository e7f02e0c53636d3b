package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// A frame is: length of the header (uint32, big endian), length of the payload (uint32, big endian), header (JSON),
// payload (bytes whose meaning the header gives). The caller sends a request and reads frames until the answer with the
// same id.
const (
	maxHeader  = 64 << 20
	maxPayload = 1 << 30
)

// conn reads and writes frames.
type conn struct {
	in  *bufio.Reader
	out *bufio.Writer
}

// read reads a frame, decoding its header into header. It returns io.EOF when the other side closed between frames.
func (c *conn) read(header any) ([]byte, error) {
	var sizes [8]byte
	if _, err := io.ReadFull(c.in, sizes[:1]); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(c.in, sizes[1:]); err != nil {
		return nil, fmt.Errorf("frame cut short: %w", err)
	}
	headerSize, payloadSize := binary.BigEndian.Uint32(sizes[:4]), binary.BigEndian.Uint32(sizes[4:])
	if headerSize > maxHeader || payloadSize > maxPayload {
		return nil, fmt.Errorf("frame of %d + %d bytes is too large", headerSize, payloadSize)
	}
	text := make([]byte, headerSize)
	if _, err := io.ReadFull(c.in, text); err != nil {
		return nil, fmt.Errorf("frame cut short: %w", err)
	}
	if err := json.Unmarshal(text, header); err != nil {
		return nil, fmt.Errorf("malformed frame header: %w", err)
	}
	payload := make([]byte, payloadSize)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return nil, fmt.Errorf("frame cut short: %w", err)
	}
	return payload, nil
}

// write writes a frame and flushes it.
func (c *conn) write(header any, payload []byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	var sizes [8]byte
	binary.BigEndian.PutUint32(sizes[:4], uint32(len(text)))
	binary.BigEndian.PutUint32(sizes[4:], uint32(len(payload)))
	for _, part := range [][]byte{sizes[:], text, payload} {
		if _, err := c.out.Write(part); err != nil {
			return err
		}
	}
	return c.out.Flush()
}
