package ocpp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/ocpp/soap"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// TestScenarios plays each story once through the core, says in every dialect what the station and its CSMS tell each
// other, and compares that with the golden file of the dialect: one message a line, with the seconds since the world
// began and ">" for what the station sends, "<" for what it gets. The CSMS's answers to the station are not shown, and of
// its requests those that the story writes as a message ("call Reset {...}"); the others are given in the core's words. The
// messages are those of 2.x; what 1.6 can ask too is said in its own (scenario16_test.go).
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".txt")
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range play(t, string(text), scripts()) {
				compare(t, name+s.suffix, s.golden())
			}
		})
	}
}

// script is a story as one dialect tells it.
type script struct {
	ocpp.Dialect
	suffix string
	table  *ocpp.Table
	lines  []string
	old    *generation1 // nil from 2.0.1 on
	over   soap.Version // 0: not over SOAP
}

func scripts() []*script {
	return []*script{
		{Dialect: dialect2.New(rpc.V201), suffix: ".v201.json", table: ocpp.NewTable()},
		{Dialect: dialect2.New(rpc.V21), suffix: ".v21.json", table: ocpp.NewTable()},
		script16(), script15(soap.V16), script15(soap.V15), script15(soap.V12),
	}
}

func (s *script) add(at time.Duration, way, kind, action string, payload []byte) {
	if s.over != 0 {
		s.addXML(at, way, kind, action, payload)
		return
	}
	s.lines = append(s.lines, fmt.Sprintf(`["%9.3f %s",%q,%q,%s]`, at.Seconds(), way, kind, action, payload))
}

func (s *script) golden() string {
	if s.over != 0 {
		return "<story>\n" + strings.Join(s.lines, "\n") + "\n</story>\n"
	}
	return "[\n" + strings.Join(s.lines, ",\n") + "\n]\n"
}

// story is one run of the core, told in all dialects.
type story struct {
	t       *testing.T
	ear     *stationtest.Ear
	scripts []*script
	called  []called // by messages of the story's own generation
}

func play(t *testing.T, text string, in []*script) []*script {
	s := &story{t: t, scripts: in}
	s.ear = stationtest.NewEar(stationtest.Options{Firmware: strings.Contains(text, "\n# options firmware\n")}, s.hear)
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line, err := s.ear.Bench().Fill(line)
		if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		do := s.ear.Do
		if strings.HasPrefix(line, "call ") {
			if do = s.call; s.scripts[0].old != nil {
				do = s.callOwn
			}
		}
		if err := do(line); err != nil {
			t.Fatalf("line %d: %s: %v\n%s", i+1, line, err, s.ear.Bench().Output())
		}
	}
	if err := s.ear.Bench().Settled(); err != nil {
		t.Errorf("at the end: %v\n%s", err, s.ear.Bench().Output())
	}
	return s.scripts
}

// hear says one fact in every dialect. Each gets the same one: the first must still say the same when all have spoken.
func (s *story) hear(h stationtest.Heard) error {
	say := s.report
	if h.Response != nil {
		say = s.response
	}
	first, start := s.scripts[0], len(s.scripts[0].lines)
	for _, d := range s.scripts {
		if err := say(d, h); err != nil {
			return fmt.Errorf("%v: %w", d.Version(), err)
		}
	}
	end := len(first.lines)
	if err := say(first, h); err != nil {
		return fmt.Errorf("%v, again: %w", first.Version(), err)
	}
	if once, again := first.lines[start:end], first.lines[end:]; !slices.Equal(once, again) {
		s.t.Errorf("%v: said again it is other: %q, then %q", first.Version(), once, again)
	}
	first.lines = first.lines[:end]
	return nil
}

func (s *story) report(d *script, h stationtest.Heard) error {
	calls, err := d.Encode(*h.Report, d.table)
	for _, c := range calls {
		d.add(h.At, ">", "CALL", c.Action, c.Payload)
		if err == nil {
			err = d.answer(c)
		}
	}
	return err
}

func (s *story) response(d *script, h stationtest.Heard) error {
	action := actionOf(h.Request)
	if d.old != nil {
		if action = s.action16(d.before(h.Request)); action == "" || !d.has(action) {
			return nil
		}
	}
	if e := h.Response.Error; e != nil {
		d.refuse(h.At, action, rpc.ErrorCode(e.Code), e.Description)
		return nil
	}
	for _, body := range d.answers(h.Response.Body, len(s.scripts) > 1) {
		payload, err := d.Respond(nil, action, h.Request, body)
		if err != nil {
			return err
		}
		d.add(h.At, ">", "RESULT", action, payload)
	}
	return nil
}

func (s *script) refuse(at time.Duration, action string, code rpc.ErrorCode, text string) {
	if s.over != 0 {
		s.addFault(at, action, code, text)
		return
	}
	payload, _ := json.Marshal(map[string]string{"errorCode": string(code), "errorDescription": text})
	s.add(at, ">", "ERROR", action, payload)
}

// actionOf is OCPP's name for a request of the core.
func actionOf(r station.Request) string {
	switch name := reflect.TypeOf(r).Name(); name {
	case "RequestStart", "RequestStop":
		return name + "Transaction"
	default:
		return name
	}
}

// call lets the CSMS send a message: "call ACTION {...}". All dialects must understand the same.
func (s *story) call(line string) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) != 3 {
		return fmt.Errorf("want call ACTION {...}")
	}
	action := words[1]
	var payload bytes.Buffer
	if err := json.Compact(&payload, []byte(words[2])); err != nil {
		return err
	}
	var requests []station.Request
	n := 0 // dialects that have the message
	for i, d := range s.scripts {
		if d.old != nil {
			continue
		}
		n++
		d.add(s.ear.Now(), "<", "CALL", action, payload.Bytes())
		var stage ocpp.Stage = s.ear
		if i > 0 {
			stage = nowhere{}
		}
		r, err := d.Request(action, payload.String(), ocpp.NewTable(), stage)
		if refused, ok := err.(*ocpp.RequestError); ok {
			d.refuse(s.ear.Now(), action, refused.Code, refused.Description)
			continue
		}
		requests = append(requests, r)
	}
	if len(requests) == 0 {
		return nil
	}
	r, err := same(requests, n)
	if err != nil {
		return err
	}
	for _, d := range s.scripts {
		if d.old == nil {
			continue
		}
		if err := d.ask(s.ear.Now(), r); err != nil {
			return fmt.Errorf("%v: %w", d.Version(), err)
		}
	}
	if list, ok := r.(station.SendLocalList); ok {
		r = s.ear.Staged(list)
	}
	return s.ear.Ask(r)
}

// same returns the request that all n dialects understood.
func same(rs []station.Request, n int) (station.Request, error) {
	if len(rs) != n {
		return nil, fmt.Errorf("%d of %d dialects refuse it", n-len(rs), n)
	}
	for _, r := range rs[1:] {
		if l, ok := r.(station.SendLocalList); ok {
			l.Stage = rs[0].(station.SendLocalList).Stage // only the first has a place for it
			r = l
		}
		if !reflect.DeepEqual(r, rs[0]) {
			return nil, fmt.Errorf("understood as %+v and %+v", rs[0], r)
		}
	}
	return rs[0], nil
}

// nowhere is a stage that keeps nothing.
type nowhere struct{}

func (nowhere) Begin() (station.StageID, error)              { return 0, nil }
func (nowhere) Add(term.IdToken, term.TokenInfo, bool) error { return nil }
func (nowhere) Abort()                                       {}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if strings.HasSuffix(path, ".json") && !json.Valid([]byte(got)) {
		t.Errorf("%s: not JSON", path)
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update, then read it)", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	show := func(l []string) string { return strings.Join(l[min(i, len(l)):min(i+4, len(l))], "\n") }
	t.Errorf("%s differs at line %d (rewrite with -update, then read the diff); got\n%s\nwant\n%s", path, i+1, show(g), show(w))
}

// TestEveryGoldenFileHasItsStory: what no story tells is not left behind.
func TestEveryGoldenFileHasItsStory(t *testing.T) {
	files, err := filepath.Glob("testdata/scenario/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f
		for _, s := range scripts() {
			name = strings.TrimSuffix(name, s.suffix)
		}
		if _, err := os.Stat(strings.TrimSuffix(name, ".txt") + ".txt"); err != nil {
			t.Errorf("%s belongs to no story: %v", f, err)
		}
	}
}
