package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The contenders must do the same thing, or a ratio says nothing.
func TestCodecsAgree(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.action, func(t *testing.T) {
			c, err := newCodecs(s)
			if err != nil {
				t.Fatal(err)
			}
			for name, f := range map[string]func() error{
				"encode": c.encodeOurs, "encode ocpp-go": c.encodeOCPPGo, "encode json": c.encodeJSON,
				"decode": c.decodeOurs, "decode ocpp-go": c.decodeOCPPGo, "decode json": c.decodeJSON,
			} {
				if err := f(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			same(t, "evsed", string(c.buf), string(c.frame))
			request, err := json.Marshal(c.request)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "ocpp-go", string(request), s.text)
			plain, err := json.Marshal(c.plain)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "encoding/json", string(plain), s.text)
		})
	}
}

func same(t *testing.T, name, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v in %s", name, err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(times(g), times(w)) {
		t.Errorf("%s says\n%s\nwant\n%s", name, got, want)
	}
}

// times takes the fraction off the times of day: ocpp-go writes whole seconds.
func times(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = times(member)
		}
	case []any:
		for i := range v {
			v[i] = times(v[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.Truncate(time.Second).Format(time.RFC3339)
		}
	}
	return v
}

// Every codec refuses a message that breaks a rule; encoding/json does not know one.
func TestCodecsValidate(t *testing.T) {
	for _, s := range samples() {
		c, err := newCodecs(s)
		if err != nil {
			t.Fatal(err)
		}
		broken := strings.NewReplacer(`"PowerUp"`, `"Whim"`, `"L2-N"`, `"L4"`).Replace(string(c.frame))
		if broken == string(c.frame) {
			t.Fatalf("%s: nothing was broken", s.action)
		}
		c.frame = []byte(broken)
		if c.decodeOurs() == nil || c.decodeOCPPGo() == nil {
			t.Errorf("%s: a broken message was taken", s.action)
		}
	}
}

// Allocations are exact: a goal in them is a gate.
func TestCodecAllocations(t *testing.T) {
	for _, s := range samples() {
		c, err := newCodecs(s)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = c.encodeOurs() }); n > goalEncodeAllocs {
			t.Errorf("%s: encode allocates %v times", s.action, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = c.decodeOurs() }); n > goalDecodeAllocs {
			t.Errorf("%s: decode allocates %v times", s.action, n)
		}
	}
}

// The stage of the Step benchmark plays real sessions.
func TestStagePlaysSessions(t *testing.T) {
	g, err := newStage()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		before := g.events
		if err := g.session(); err != nil {
			t.Fatal(err)
		}
		if told := g.events - before; told < 5 {
			t.Errorf("%d transaction events in a session", told)
		}
	}
}

// The three callers make real calls to the small server, and it answers what a boot needs.
func TestCallersAndServer(t *testing.T) {
	seen := make(chan string, 64)
	s, err := startServer(func(_ time.Time, what, _ string) { seen <- what })
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for name, open := range map[string]func(string) (caller, error){"raw": newRawCaller, "link": newLinkCaller, "ocpp-go": newPeerCaller} {
		c, err := open(s.url)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{accepted, opened, "Heartbeat"} {
			if want == "Heartbeat" {
				if err := c.call(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if got := <-seen; got != want {
				t.Errorf("%s: server saw %s, want %s", name, got, want)
			}
		}
		c.close()
	}
	if answer, action := reply([]byte(`[3,"1",{}]`)); action != "" {
		t.Errorf("an answer was answered: %s", answer)
	}
}

// The two programs that the start of the station is compared with do boot.
func TestOtherStationsBoot(t *testing.T) {
	seen := make(chan string, 64)
	s, err := startServer(func(_ time.Time, what, _ string) { seen <- what })
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, name := range []string{"rawstation", "peerstation"} {
		path, err := buildOther(options{work: t.TempDir()}, name)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, s.url).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		for _, want := range []string{accepted, opened, "BootNotification"} {
			if got := <-seen; got != want {
				t.Errorf("%s: server saw %s, want %s", name, got, want)
			}
		}
	}
}

// The agent whose wake-ups are counted is a whole one: it boots, tells its connectors and ends when it is told to.
func TestIdleAgent(t *testing.T) {
	seen := make(chan string, 64)
	s, err := startServer(func(_ time.Time, what, station string) {
		if station == "agent" && what != opened {
			seen <- what
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	in, end := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- childAgent(s.url, t.TempDir(), in, io.Discard) }()
	told := 0
	for first := true; told < 2; first = false {
		select {
		case what := <-seen:
			if first && what != "BootNotification" {
				t.Errorf("the first message is %s", what)
			}
			if what == "StatusNotification" {
				told++
			}
		case <-time.After(patience):
			t.Fatalf("%d connectors told", told)
		}
	}
	_ = end.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What is read of /proc is there for this very process.
func TestProc(t *testing.T) {
	w, err := weighProcess(os.Getpid())
	if err != nil {
		t.Skipf("this kernel has no PSS: %v", err)
	}
	if w.pss <= 0 || w.anon <= 0 || w.peak < w.anon {
		t.Errorf("got %+v", w)
	}
	before, err := look([]int{os.Getpid()})
	if err != nil {
		t.Skipf("no scheduler statistics: %v", err)
	}
	after := before
	for end := time.Now().Add(patience); after[0].cpu-before[0].cpu < 10 && time.Now().Before(end); {
		if after, err = look([]int{os.Getpid()}); err != nil {
			t.Fatal(err)
		}
	}
	if after[0].cpu-before[0].cpu < 10 || after[0].threads == 0 {
		t.Errorf("got %+v after %+v", after, before)
	}
}

func TestReport(t *testing.T) {
	s := section{title: "T", head: []string{"a", "b"}}
	s.row("längst", "1")
	s.goal(false, "g", "<= 1", "%d", 2)
	s.goal(true, "h", "<= 3", "%d", 2)
	s.note("why")
	var b strings.Builder
	s.write(&b)
	want := "\n## T\n\n| a      | b |\n|--------|---|\n| längst | 1 |\n\n| goal | wanted | got |             |\n|------|--------|-----|-------------|\n" +
		"| g    | <= 1   | 2   | NOT reached |\n| h    | <= 3   | 2   | reached     |\n\nwhy\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestRace(t *testing.T) {
	n := [2]int{}
	got := race(3, contender{"quick", func(k int) { n[0] += k }}, contender{"slow", func(k int) {
		n[1] += k
		for end := time.Now().Add(time.Duration(k) * 100 * time.Microsecond); time.Now().Before(end); {
		}
	}})
	if len(got) != 2 || got[0].name != "quick" || got[1].min < 100*time.Microsecond || got[1].median < got[1].min || n[0] == 0 {
		t.Errorf("got %+v after %v", got, n)
	}
	if r := got[1].against(got[0]); r < 10 {
		t.Errorf("%v times as long, got %+v", r, got)
	}
}
