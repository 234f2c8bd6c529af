package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
)

// probe is what an evsed under test tells of itself on SIGUSR1, into the file that probeVariable names.
type probe struct {
	Goroutines int
	Heap       uint64 // bytes of live objects
}

const probeVariable = "EVSED_TEST_PROBE"

// answerProbes lets the process under test be looked into; the tests' evsed alone does this.
func answerProbes(path string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for range signals {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			b, _ := json.Marshal(probe{runtime.NumGoroutine(), m.HeapAlloc})
			_ = os.WriteFile(path+".new", b, 0o600)
			_ = os.Rename(path+".new", path)
		}
	}()
}

// siege is a charging station among enemies.
type siege struct {
	*process
	csms    besieger // one of the next two
	foe     *foe     // over a WebSocket; nil over SOAP
	soap    *soapFoe // over SOAP; nil over a WebSocket
	words   words    // of the version that is spoken over a WebSocket
	probed  string
	report  int
	version int // of the local list
	energy  float64
	before  figures // at rest, before the first attack
	rest    memory  // the most that was seen at rest
}

// besieger is what a siege asks of the CSMS.
type besieger interface {
	behave()           // be good again
	works(*siege) bool // the station answers as before: a heartbeat, and everything there is to ask for
	normal(*siege)     // an ordinary CSMS takes the place of the hostile one
}

// figures are what an attack may not raise for good.
type figures struct {
	probe
	files int
	wrote int // bytes to the device, since the start
}

// newSiege besieges a station over a WebSocket.
func newSiege(t *testing.T, w words) *siege {
	f := newFoe(t, w)
	s := &siege{csms: f, foe: f, words: w}
	s.prepare(t, "ws://"+f.address, w.versions)
	s.begin()
	return s
}

// prepare makes a station that can be looked into.
func (s *siege) prepare(t *testing.T, url, versions string) {
	s.process = newProcessOf(t, url, versions, variable("SampledDataCtrlr", "TxUpdatedInterval", "2"),
		variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"),
		variable("OCPPCommCtrlr", "RetryBackOffRepeatTimes", "0"), variable("OCPPCommCtrlr", "WebSocketPingInterval", "1"),
		`{"component":"OCPPCommCtrlr","variable":"MessageAttemptInterval","variableInstance":"TransactionEvent","value":"1"}`)
	s.probed = filepath.Join(s.dir, "probe") // the process can write nowhere else
	t.Setenv(probeVariable, s.probed)
}

// begin starts the station, lets a car charge and looks at it at rest.
func (s *siege) begin() {
	s.boot()
	s.until("the CSMS accepts the station", func() bool { return s.state().Station.Connected })
	s.do("/evses/1/plug", `{"ev":{"socPercent":5,"capacityWh":1000000}}`)
	s.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	s.until("the car charges", func() bool { return s.state().EVSEs[0].Relay })
	time.Sleep(2 * time.Second) // the process gives the memory of its start back after one
	watched := s.watch()
	time.Sleep(time.Second) // a few meter values
	s.recover()
	s.before = s.look()
	s.rest = watched()
}

// look takes the figures.
func (s *siege) look() figures {
	s.t.Helper()
	var f figures
	_ = os.Remove(s.probed)
	if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		s.t.Fatalf("the station is gone: %v\n%s", err, s.out.String())
	}
	s.until("the station answers the probe", func() bool {
		b, err := os.ReadFile(s.probed)
		return err == nil && json.Unmarshal(b, &f.probe) == nil
	})
	files, _ := os.ReadDir(s.proc("fd"))
	f.files = len(files)
	f.wrote = s.number("io", "write_bytes:")
	return f
}

func (s *siege) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), file)
}

// number reads a line of a file under /proc, 0 where this kernel has none.
func (s *siege) number(file, name string) int {
	b, _ := os.ReadFile(s.proc(file))
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n
		}
	}
	return 0
}

// peer returns an open connection on which the station has been heard.
func (s *siege) peer() *peer {
	s.t.Helper()
	var p *peer
	s.until("the station is connected", func() bool {
		s.foe.mu.Lock()
		defer s.foe.mu.Unlock()
		p = s.foe.current
		return p != nil && s.foe.open[p.c]
	})
	return p
}

// recover waits until the station does its work for a CSMS that behaves. What it was told before may have broken the
// connection, so it is asked until it answers.
func (s *siege) recover() {
	s.t.Helper()
	s.csms.behave()
	s.until("the station works for its CSMS after the attack", func() bool { return s.csms.works(s) })
}

// works asks for a heartbeat and for everything there is.
func (f *foe) works(s *siege) bool {
	p := s.peer()
	beats := f.count("Heartbeat")
	return strings.Contains(p.askFor("TriggerMessage", `{"requestedMessage":"Heartbeat"}`, 2*time.Second), `"Accepted"`) &&
		f.words.everything(s, p) && f.count("Heartbeat") > beats
}

// charging fails unless the contactor is closed and the register grows.
func (s *siege) charging(when string) {
	s.t.Helper()
	s.until("the register grows "+when, func() bool {
		time.Sleep(stateEvery)
		st := s.state()
		if len(st.EVSEs) == 0 {
			return false
		}
		e := st.EVSEs[0]
		if !e.Relay {
			s.t.Fatalf("%s: the contactor is open\n%s", when, s.out.String())
		}
		grew := e.EnergyWh > s.energy
		s.energy = max(s.energy, e.EnergyWh)
		return grew
	})
}

// Bounds of what an attack may cost.
const (
	mostOwn        = 2 << 10 // kB of the process's own memory above the most there was at rest
	mostOwnSOAP    = 4 << 10 // kB over SOAP: an envelope of half a megabyte, its text, its payload and its frame live at once
	mostTries      = 3       // at mostOwn: a collector that waits for a processor lets garbage lie, an attack that costs more does so each time
	mostHeap       = 1 << 20 // bytes of live objects afterwards, above what there were before the first attack
	mostGoroutines = 4
	mostFiles      = 2
	mostLogged     = 32 << 10 // bytes of log in an attack
)

// most is what an attack may take of memory, in kB.
func (s *siege) most() int {
	if s.soap != nil {
		return mostOwnSOAP
	}
	return mostOwn
}

// TestHostileCSMS lets one attack after the other loose on a station that speaks 2.1 while a car charges: some, all of them
// with EVSED_HOSTILE, and those that take minutes with EVSED_SOAK.
func TestHostileCSMS(t *testing.T) {
	newSiege(t, words2).withstand("hostile", attacks(words2))
}

// TestHostileCSMS16 does the same to a station that speaks 1.6.
func TestHostileCSMS16(t *testing.T) {
	newSiege(t, words16).withstand("hostile16", attacks(words16))
}

// withstand lets attacks loose. The figures of all of them get the name of a rig.
func (s *siege) withstand(rig string, attacks []attack) {
	t := s.t
	soak := os.Getenv("EVSED_SOAK") != ""
	all := soak || os.Getenv("EVSED_HOSTILE") != ""
	started := time.Now()
	var table strings.Builder
	var sum summary
	for _, a := range attacks {
		if a.soak && !soak || !a.quick && !all {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			s.t = t
			s.endure(a, &table, &sum)
		})
		s.t = t
		if s.cmd == nil {
			return // what failed has ended the station
		}
	}
	t.Logf("at rest %d kB own, %d kB resident, %d kB live, %d goroutines, %d files\n%s%.0f s", s.rest.own, s.rest.resident, s.before.Heap/1024, s.before.Goroutines, s.before.files, &table, time.Since(started).Seconds())
	if all {
		s.csms.normal(s)
		s.write(rig, sum)
	}
}

// stateEvery is how often the simulator's API is asked: its answers are garbage of the station's as well.
const stateEvery = 50 * time.Millisecond

// endure lets one attack loose and looks at what it has done; again, if it took too much memory.
func (s *siege) endure(a attack, table *strings.Builder, sum *summary) {
	s.t.Helper()
	sum.attacks++
	for try := 1; ; try++ {
		above := s.once(a, table, sum)
		if above <= s.most() || underRace {
			return
		}
		if try == mostTries {
			s.t.Errorf("%d kB above the %d at rest, and more than %d each time", above, s.rest.own, s.most())
			return
		}
	}
}

// once returns the memory that an attack took, in kB above the most there was at rest.
func (s *siege) once(a attack, table *strings.Builder, sum *summary) int {
	s.t.Helper()
	began := time.Now()
	at := s.look()
	logged := len(s.out.String())
	watched := s.watch()
	a.run(s)
	s.charging("after: " + a.name)
	most := watched()
	wrote := s.number("io", "write_bytes:") - at.wrote
	s.recover()
	after := s.settled()
	fmt.Fprintf(table, "%-36s %+6d kB own %+6d kB resident %+6d kB heap %+3d goroutines %+3d files %7d kB written %6.1f s\n",
		a.name, most.own-s.rest.own, most.resident-s.rest.resident, (int(after.Heap)-int(s.before.Heap))/1024, after.Goroutines-s.before.Goroutines, after.files-s.before.files, wrote/1024, time.Since(began).Seconds())
	above := most.own - s.rest.own
	logged = len(s.out.String()) - logged
	sum.add(a.name, above, most.resident-s.rest.resident, wrote, logged, after)
	if logged > mostLogged {
		s.t.Errorf("%d bytes of log, want at most %d", logged, mostLogged)
	}
	if a.wrote > 0 && wrote > a.wrote {
		s.t.Errorf("%d bytes written, want at most %d", wrote, a.wrote)
	}
	return above
}

// settled waits until live objects, goroutines and descriptors are back to what they were; those of a connection that
// was closed, or of what is being moved to the database, take a moment.
func (s *siege) settled() figures {
	s.t.Helper()
	var f figures
	defer func() {
		if s.t.Failed() {
			s.t.Logf("left %+v, before %+v", f, s.before)
		}
	}()
	s.until("live objects, goroutines and descriptors are given back", func() bool {
		f = s.look()
		return f.Goroutines <= s.before.Goroutines+mostGoroutines && f.files <= s.before.files+mostFiles && f.Heap <= s.before.Heap+mostHeap
	})
	return f
}

// bootPatience is how long a station that was accepted a moment ago waits before it boots toward a CSMS that does not know it.
const bootPatience = 60 * time.Second

// normal lets an ordinary CSMS take the place of the hostile one.
func (f *foe) normal(s *siege) {
	f.stop()
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		s.t.Fatal(err)
	}
	c := csms.New(csms.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Serve(ctx, l) }()
	defer func() { cancel(); <-done }()
	for end := time.Now().Add(bootPatience); !s.state().Station.Connected && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond) // the station has its own time
	}
	s.until("the station finds the ordinary CSMS", func() bool { _, ok := c.Connected("cp001"); return ok && s.state().Station.Connected })
	call, end := context.WithTimeout(ctx, 30*time.Second)
	defer end()
	for _, ask := range f.words.last {
		if r, err := c.Call(call, "cp001", ask.action, []byte(ask.payload)); err != nil || !strings.Contains(string(r.Payload), ask.want) {
			s.t.Errorf("%s: %s %v", ask.action, r.Payload, err)
		}
		s.until(ask.then+" arrives", func() bool { return ask.then == "" || c.Received("cp001", ask.then) > 0 })
	}
	s.charging("with an ordinary CSMS") // while it serves
}
