package peertest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

//go:embed mobilityhouse.py
var mobilityHouseScript string

// mobilityHouse is the Python library ocpp in a process of its own.
type mobilityHouse struct {
	version string
	journal *Journal
	decide  Decide
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	url     chan string
	address string
	ended   chan struct{} // closed when its output has ended
	mu      sync.Mutex    // guards below, and writing to stdin
	last    uint64
	called  map[uint64]chan result
}

// NoLibrary says that the packages of the Python peer are missing here.
type NoLibrary struct{ why string }

func (e *NoLibrary) Error() string { return e.why }

// startTimeout is how long Python may take to import the library and listen.
const startTimeout = 30 * time.Second

// NewMobilityHouse starts the peer for version 1.6, 2.0.1 or 2.1. A *NoLibrary error means that python3 in the search path has
// no packages ocpp and websockets.
func NewMobilityHouse(version string, decide Decide) (Peer, error) {
	if out, err := exec.Command("python3", "-c", "import ocpp.v16, ocpp.v201, ocpp.v21, websockets.legacy.server").CombinedOutput(); err != nil {
		return nil, &NoLibrary{fmt.Sprintf("python3 with the packages ocpp and websockets is not here: %v: %s", err, lastLine(out))}
	}
	p := &mobilityHouse{version: version, journal: NewJournal(), decide: decide, url: make(chan string, 1),
		ended: make(chan struct{}), called: map[uint64]chan result{}}
	p.cmd = exec.Command("python3", "-u", "-c", mobilityHouseScript, version)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(out)
	select {
	case p.address = <-p.url:
		return p, nil
	case <-p.ended:
		err = errors.New("it ended")
	case <-time.After(startTimeout):
		err = errors.New("it does not listen")
	}
	p.Close()
	return nil, fmt.Errorf("start mobilityhouse: %w", err)
}

func lastLine(out []byte) string {
	var last string
	for i := len(out); i > 0 && last == ""; {
		j := i - 1
		for j > 0 && out[j-1] != '\n' {
			j--
		}
		if last = string(out[j:i]); last == "\n" {
			last = ""
		}
		i = j
	}
	return last
}

func (p *mobilityHouse) Name() string      { return "mobilityhouse" }
func (p *mobilityHouse) Version() string   { return p.version }
func (p *mobilityHouse) URL() string       { return p.address }
func (p *mobilityHouse) Journal() *Journal { return p.journal }

// Close ends the process: it ends with its standard input, or is killed.
func (p *mobilityHouse) Close() {
	_ = p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(startTimeout):
		_ = p.cmd.Process.Kill()
	}
	_ = p.cmd.Wait()
}

// line is what the process writes; see mobilityhouse.py.
type line struct {
	URL, Kind, Station, Version, Frame, Text string
	Ask, Answer                              *uint64
	Action                                   string
	Payload                                  json.RawMessage
	Code                                     *string
	Description, Error                       string
}

// read takes what the process writes until it ends.
func (p *mobilityHouse) read(out io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			p.journal.Put(Entry{Kind: Finding, Text: "the peer wrote " + lines.Text()})
			continue
		}
		switch {
		case l.URL != "":
			p.url <- l.URL
		case l.Kind != "":
			p.journal.Put(Entry{Kind(l.Kind), l.Station, l.Version, l.Frame, l.Text})
		case l.Ask != nil:
			p.tell(map[string]any{"ask": *l.Ask, "payload": json.RawMessage(p.decide(l.Action, string(l.Payload)))})
		case l.Answer != nil:
			p.settle(*l.Answer, l.result())
		}
	}
	if err := lines.Err(); err != nil {
		p.journal.Put(Entry{Kind: Finding, Text: "the peer's output: " + err.Error()})
	}
}

func (l line) result() result {
	switch {
	case l.Error != "":
		return result{err: errors.New(l.Error)}
	case l.Code != nil:
		return result{answer: Answer{Code: *l.Code, Description: l.Description}}
	}
	return result{answer: Answer{Payload: string(l.Payload)}}
}

func (p *mobilityHouse) settle(n uint64, r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.called[n]; c != nil {
		c <- r
		delete(p.called, n)
	}
}

// tell writes one line to the process. A process that has ended is noticed by who waits for its answer.
func (p *mobilityHouse) tell(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		p.journal.Put(Entry{Kind: Finding, Text: "to the peer: " + err.Error()})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.stdin.Write(append(text, '\n'))
}

// command tells the process to do something and waits for the outcome.
func (p *mobilityHouse) command(order func(n uint64) map[string]any) (Answer, error) {
	c := make(chan result, 1)
	p.mu.Lock()
	p.last++
	n := p.last
	p.called[n] = c
	p.mu.Unlock()
	p.tell(order(n))
	select {
	case r := <-c:
		return r.answer, r.err
	case <-time.After(answerTimeout + time.Second): // the library's own patience first
		return Answer{}, errNoAnswer
	}
}

func (p *mobilityHouse) Send(station, action, payload string) (Answer, error) {
	return p.command(func(n uint64) map[string]any {
		return map[string]any{"send": n, "station": station, "action": action, "payload": json.RawMessage(payload)}
	})
}

func (p *mobilityHouse) SendRaw(station, id, frame string) (Answer, error) {
	return p.command(func(n uint64) map[string]any {
		return map[string]any{"raw": n, "station": station, "id": id, "frame": frame}
	})
}
