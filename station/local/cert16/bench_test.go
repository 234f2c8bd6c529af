package cert16_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/evsed/evsed/station/local/cases"
)

// obj is the payload of a message.
type obj = cases.Obj

// bench is the stage, with what cases of 1.6 say often. EVSE 1 has a socket with a lock, EVSE 2 a cable of its own: they are
// connectors 1 and 2.
type bench struct {
	*cases.Bench
	words *words
}

// play plays a case against a charge point that has just been unpacked; prepare may change it, and what the Central System
// says, before the power comes on.
func play(t *testing.T, prepare, run func(*bench)) {
	t.Helper()
	t.Parallel()
	w := newWords()
	before := func(b *cases.Bench) {
		if prepare != nil {
			prepare(&bench{b, w})
		}
	}
	cases.Play(t, w, before, func(b *cases.Bench) { run(&bench{b, w}) })
}

// ready plays a case against a charge point that has booted and said that its connectors are available.
func ready(t *testing.T, run func(*bench)) {
	t.Helper()
	play(t, nil, func(b *bench) {
		b.booted()
		run(b)
	})
}

// booted reads what a charge point says first.
func (b *bench) booted() {
	b.Helper()
	b.Want("BootNotification", nil)
	for c := range 3 {
		b.status(c, "Available")
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// password changes whom the Central System lets in.
func (b *bench) password(p string) { b.With(func() { b.Password = p }) }

// plugCar plugs a car of a kind at a connector.
func (b *bench) plugCar(c int, car obj) {
	b.Helper()
	body := obj{"ev": car}
	if c == 2 {
		body["side"] = "ev"
	}
	b.Post(fmt.Sprintf("evses/%d/plug", c), body)
}

// evse is a part of GET /state.
type evse struct {
	Available   bool
	Reserved    any
	Transaction *string
	LimitA      float64
	EnergyWh    float64
	CurrentA    []float64
	Relay       bool
	Connectors  []struct {
		Status          string
		Plugged, Locked bool
	}
}

// look is what the simulator shows of a connector.
func (b *bench) look(c int) evse {
	b.Helper()
	var s struct{ EVSEs []evse }
	b.must(json.Unmarshal([]byte(b.Sim("GET", "state", obj{})), &s))
	return s.EVSEs[c-1]
}

func (b *bench) wantLocked(c int, locked bool) {
	b.Helper()
	b.Until(fmt.Sprintf("connector %d locked: %v", c, locked), func() bool { return b.look(c).Connectors[0].Locked == locked })
}

// status reads the next status of a connector.
func (b *bench) status(c int, status string) obj {
	b.Helper()
	return b.Want("StatusNotification", obj{"connectorId": c, "status": status})
}

// statuses reads the next statuses of a connector.
func (b *bench) statuses(c int, all ...string) {
	b.Helper()
	for _, s := range all {
		b.status(c, s)
	}
}

// configure changes keys: name, value, name, value.
func (b *bench) configure(pairs ...string) {
	b.Helper()
	for p := range slices.Chunk(pairs, 2) {
		b.Answers("Accepted", "ChangeConfiguration", obj{"key": p[0], "value": p[1]})
	}
}

// key reads a configuration key.
func (b *bench) key(name string) string {
	b.Helper()
	body := b.Call("GetConfiguration", obj{"key": []string{name}})
	value, _ := cases.Member(body, "configurationKey.0.value").(string)
	return value
}

// files lets the Central System have an image ("": none), and answer to every file with a status; 0: it takes and gives.
func (b *bench) files(image string, status int) {
	b.With(func() {
		b.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case status != 0:
				w.WriteHeader(status)
			case r.Method == http.MethodGet && (r.URL.Path != imagePath || image == ""):
				http.NotFound(w, r)
			case r.Method == http.MethodGet:
				_, _ = w.Write([]byte(image))
			}
		})
	})
}
