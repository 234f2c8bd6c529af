package link

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/dialect2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// counter is a stage that counts.
type counter struct{ began, added, aborted int }

func (c *counter) Begin() (station.StageID, error)              { c.began++; return 7, nil }
func (c *counter) Add(term.IdToken, term.TokenInfo, bool) error { c.added++; return nil }
func (c *counter) Abort()                                       { c.aborted++ }

// longTalk is an engine that is about to be sent a list of n tokens, part by part.
type longTalk struct {
	t     *testing.T
	e     *Engine
	stage counter
	parts []string
	size  int // of the payload
}

func newLongTalk(t *testing.T, n int, spoil string) *longTalk {
	l := &longTalk{t: t}
	l.e = NewEngine(EngineOptions{Stage: &l.stage, IDPrefix: "m"})
	l.e.Opened(epoch, dialect2.New(rpc.V21), 1, 0)
	item := `{"idToken":{"idToken":"T%d","type":"Central"},"idTokenInfo":{"status":"Accepted"}}`
	var b strings.Builder
	fmt.Fprintf(&b, `{"versionNumber":3,"updateType":"Full","localAuthorizationList":[`+item, 0)
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, ","+item, i)
	}
	b.WriteString(spoil + "]}")
	l.size = b.Len() + 1
	for frame := `[2,"long","SendLocalList",` + b.String() + "]"; frame != ""; {
		n := min(1000, len(frame))
		l.parts = append(l.parts, frame[:n])
		frame = frame[n:]
	}
	return l
}

// send sends all parts that are wanted and returns the events and frames.
func (l *longTalk) send() (events []station.Event, frames []string, sent int) {
	more := true
	for i := 0; i < len(l.parts) && more; i++ {
		var o *Output
		if i == 0 {
			o, more = l.e.Long(epoch, []byte(l.parts[0]))
		} else {
			o, more = l.e.More(epoch, []byte(l.parts[i]), i == len(l.parts)-1)
		}
		events = append(events, o.Events...)
		for _, f := range o.Frames {
			frames = append(frames, string(f))
		}
		sent++
	}
	return events, frames, sent
}

func TestLongListIsReadWhileItArrives(t *testing.T) {
	l := newLongTalk(t, 20_000, "")
	events, frames, _ := l.send()
	want := station.RequestReceived{ID: firstRequest, Size: l.size, Request: station.SendLocalList{Version: 3, Full: true, Stage: 7, Staged: 20_000}}
	if len(events) != 1 || events[0] != want || len(frames) != 0 {
		t.Errorf("got %+v and %q, want %+v", events, frames, want)
	}
	if l.stage != (counter{1, 20_000, 0}) {
		t.Errorf("stage %+v", l.stage)
	}
	o := l.e.Respond(epoch, station.Response{ID: firstRequest, Body: station.Status{Status: "Accepted"}})
	if len(o.Frames) != 1 || string(o.Frames[0]) != `[3,"long",{"status":"Accepted"}]` {
		t.Errorf("answered %q", o.Frames)
	}
}

func TestLongListThatIsRefused(t *testing.T) {
	for spoil, code := range map[string]string{
		`,7`: "TypeConstraintViolation", `,]`: "FormatViolation", `,{"idToken":{"idToken":"x","type":"` + strings.Repeat("x", 1<<20): "FormatViolation",
		`],"localAuthorizationList":[` + "{}": "FormatViolation",
	} {
		l := newLongTalk(t, 2000, spoil)
		events, frames, sent := l.send()
		if len(frames) != 1 || !strings.HasPrefix(frames[0], `[4,"long","`+code) {
			t.Errorf("%.40s: answered %q", spoil, frames)
		}
		if _, told := events[len(events)-1].(station.BadMessage); !told || l.stage.aborted == 0 {
			t.Errorf("%.40s: events %+v, stage %+v", spoil, events, l.stage)
		}
		if len(spoil) > 1<<20 && sent > len(l.parts)/2 {
			t.Errorf("%d of %d parts were wanted", sent, len(l.parts))
		}
	}
}

func TestLongListIsDroppedWithItsConnection(t *testing.T) {
	l := newLongTalk(t, 2000, "")
	l.e.Long(epoch, []byte(l.parts[0]))
	l.e.More(epoch, []byte(l.parts[1]), false)
	for _, p := range l.parts[2:40] {
		l.e.More(epoch, []byte(p), false)
	}
	l.e.Closed(epoch, "gone")
	if l.stage.began != 1 || l.stage.aborted != 1 {
		t.Errorf("stage %+v", l.stage)
	}
	if o, more := l.e.More(epoch, []byte(l.parts[40]), false); more || len(o.Frames)+len(o.Events) > 0 {
		t.Errorf("what comes after the end of the connection gives %+v", o)
	}
}

func TestLongMessageOfAnotherKind(t *testing.T) {
	for prefix, want := range map[string]string{
		`[2,"id","GetVariables",{"x":"`:    `[4,"id","FormatViolation","frame too long",{}]`,
		`[3,"id",{"x":"`:                   `[5,"id","FormatViolation","frame too long",{}]`,
		`[2,"` + strings.Repeat("x", 2000): `[4,"-1","RpcFrameworkError","message id cannot be read",{}]`,
		strings.Repeat("[", 2000):          `[4,"-1","RpcFrameworkError","message id cannot be read",{}]`,
	} {
		e := NewEngine(EngineOptions{IDPrefix: "m"})
		e.Opened(epoch, dialect2.New(rpc.V21), 1, 0)
		o, more := e.Long(epoch, []byte(prefix))
		if more || len(o.Frames) != 1 || string(o.Frames[0]) != want {
			t.Errorf("%.30s: answered %q, more wanted: %v", prefix, o.Frames, more)
		}
	}
}

func TestLongListIsAdmittedAsAnyRequest(t *testing.T) {
	l := newLongTalk(t, 2000, "")
	l.e.Gate(epoch, station.RegistrationRejected)
	if _, frames, sent := l.send(); sent != 1 || len(frames) != 1 || !strings.HasPrefix(frames[0], `[4,"long","SecurityError"`) {
		t.Errorf("a rejected station answered %q after %d parts", frames, sent)
	}
	l = newLongTalk(t, 2000, "")
	l.send()
	if _, frames, sent := l.send(); sent != 1 || len(frames) != 0 || l.stage.began != 1 {
		t.Errorf("a repeated id was answered %q after %d parts", frames, sent)
	}
}

func TestListsAreRationedByTheirLength(t *testing.T) {
	l := newLongTalk(t, 2000, "")
	l.e.lists = budget{ListBurst - 1, epoch} // what three of the longest leave
	events, frames, _ := l.send()
	if len(frames) != 0 || len(events) != 1 || l.stage.added != 2000 {
		t.Fatalf("the last list that there is something left for is answered %q", frames)
	}
	l.e.Respond(epoch, station.Response{ID: events[0].(station.RequestReceived).ID, Body: station.Status{Status: "Accepted"}})
	l.parts[0] = strings.Replace(l.parts[0], "long", "next", 1)
	if _, frames, sent := l.send(); sent != 1 || len(frames) != 1 || !strings.HasPrefix(frames[0], `[4,"next","GenericError"`) {
		t.Errorf("the next is answered %q after %d parts", frames, sent)
	}
	short := []byte(`[2,"short","SendLocalList",{"versionNumber":4,"updateType":"Full"}]`)
	if o := l.e.Frame(epoch.Add(5*KeptEvery), short); len(o.Events) != 0 {
		t.Error("a short list is taken that nothing is left for")
	}
	short = []byte(`[2,"later","SendLocalList",{"versionNumber":4,"updateType":"Full"}]`)
	if o := l.e.Frame(epoch.Add(1000*KeptEvery), short); len(o.Events) != 1 {
		t.Errorf("a short list is answered %q when time has passed", o.Frames)
	}
}
