package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"
)

// defaultMemory is the heap at which the process ends itself, unless --memory=<bytes> says otherwise.
const defaultMemory = 1 << 30

// refusals are the URLs that libraries tried to reach during the running build.
var refusals struct {
	sync.Mutex
	urls []string
}

// refusingTransport stands in for the network.
type refusingTransport struct{}

func (refusingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	refusals.Lock()
	defer refusals.Unlock()
	refusals.urls = append(refusals.urls, req.URL.String())
	return nil, fmt.Errorf("remote resource %s is refused", req.URL)
}

// takeRefusals returns and forgets the URLs refused so far.
func takeRefusals() []string {
	refusals.Lock()
	defer refusals.Unlock()
	urls := refusals.urls
	refusals.urls = nil
	return urls
}

// enterSandbox takes away what a build must not have: environment (thereby PATH: no program can be found), network, and
// log output. It returns the memory limit in bytes.
func enterSandbox() uint64 {
	limit := uint64(defaultMemory)
	for _, arg := range os.Args[1:] {
		text, given := strings.CutPrefix(arg, "--memory=")
		if value, err := strconv.ParseUint(text, 10, 62); given && err == nil && value > 0 {
			limit = value
		}
	}
	os.Clearenv()
	http.DefaultTransport = refusingTransport{}
	http.DefaultClient = &http.Client{Transport: refusingTransport{}}
	log.SetOutput(io.Discard)
	// Rarer collections would save a tenth of the time and cost 15 MB in each process, which wait most of the time.
	debug.SetGCPercent(100)
	debug.SetMaxStack(256 << 20)
	debug.SetMemoryLimit(int64(limit) / 10 * 8)
	return limit
}

// watchMemory ends the process when its heap passes the limit: a manifest that expands without end must not take the
// machine with it. The caller sees the exit code 137.
func watchMemory(limit uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(50 * time.Millisecond) {
		metrics.Read(sample)
		if sample[0].Value.Uint64() > limit {
			fmt.Fprintf(os.Stderr, "engine: more than %d bytes of memory needed\n", limit)
			os.Exit(137)
		}
	}
}
