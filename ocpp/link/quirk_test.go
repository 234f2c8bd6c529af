package link

import (
	"encoding/base64"
	"flag"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
)

var update = flag.Bool("update", false, "write docs/csms-quirks.md")

// The device model allows the names of the table, in its order, and no others.
func TestDeviceModelKnowsEveryQuirk(t *testing.T) {
	m, err := model.New(model.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := func(value string) model.SetStatus {
		results, _ := m.Set([]model.SetItem{{Component: model.Component{Name: "OCPPCommCtrlr"}, Variable: model.Variable{Name: "CSMSQuirks"}, Value: value}})
		return results[0].Status
	}
	if q := ParseQuirks(m.List(model.CSMSQuirks)); q != 0 {
		t.Errorf("quirks %b before anybody asked", q)
	}
	var all []string
	var bits Quirks
	for _, row := range QuirkTable {
		all, bits = append(all, row.Name), bits|row.Bit
		if got := set(row.Name); got != model.SetAccepted || ParseQuirks(m.List(model.CSMSQuirks)) != row.Bit {
			t.Errorf("%s: %s, %q", row.Name, got, m.List(model.CSMSQuirks))
		}
		if row.What == "" {
			t.Errorf("%s does nothing", row.Name)
		}
	}
	if !slices.IsSorted(all) || set(strings.Join(all, ",")) != model.SetAccepted || ParseQuirks(m.List(model.CSMSQuirks)) != bits {
		t.Errorf("all of them: %q", m.List(model.CSMSQuirks))
	}
	for _, unknown := range []string{"bootOnReconnec", "BootOnReconnect,Anything"} {
		if got := set(unknown); got != model.SetRejected {
			t.Errorf("%q: %s", unknown, got)
		}
	}
}

// quirky is a dialogue with an engine that speaks 1.6 to a CSMS with quirks.
func quirky(t *testing.T, q Quirks) *talk {
	h := newTalk(t, rpc.V16)
	h.out(h.e.Configure(h.clock, EngineConfig{Quirks: q}))
	h.accepted()
	return h
}

func TestQuirkErrorCodes2x(t *testing.T) {
	for q, want := range map[Quirks]string{0: "> error c FormationViolation", ErrorCodes2x: "> error c FormatViolation"} {
		h := quirky(t, q)
		h.out(h.e.Frame(h.clock, []byte(`[2,"c","ClearCache",{"bad":1}]`)))
		if h.log[0] != want {
			t.Errorf("quirks %b: %q, want %s", q, h.log, want)
		}
	}
}

func TestQuirkReusedMessageIds(t *testing.T) {
	for q, want := range map[Quirks]int{0: 1, ReusedMessageIds: 2} {
		h := quirky(t, q)
		ask := func() { h.out(h.e.Frame(h.clock, []byte(`[2,"1","ClearCache",{}]`))) }
		ask()
		ask() // under way: the answer serves both
		h.out(h.e.Respond(h.clock, station.Response{ID: firstRequest, Body: station.Status{Status: "Accepted"}}))
		ask()
		if n := strings.Count(strings.Join(h.log, "\n"), "request"); n != want {
			t.Errorf("quirks %b: %d requests, want %d: %q", q, n, want, h.log)
		}
	}
}

func TestQuirkUUIDMessageIds(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, prefix := range []string{"a", "b", "0123456789abcdef"} {
		for serial := range uint64(3) {
			id := UUIDMessageIds.messageID(prefix, serial)
			if !form.MatchString(id) || len(id) > rpc.MaxMessageID || seen[id] {
				t.Errorf("id %q", id)
			}
			seen[id] = true
			if plain := Quirks(0).messageID(prefix, serial); !strings.HasPrefix(plain, prefix) || len(plain) > rpc.MaxMessageID {
				t.Errorf("id %q", plain)
			}
		}
	}
}

func TestQuirkWholeSeconds(t *testing.T) {
	const said = `{"t":"2026-01-01T00:00:00.123Z","l":["2026-12-31T23:59:59.000Z"],"s":"at 2026-01-01T00:00:00.123Z","x":"2026-01-01","e":"\"2026-01-01T00:00:00.123Z"}`
	for q, want := range map[Quirks]string{
		0:            said,
		WholeSeconds: `{"t":"2026-01-01T00:00:00Z","l":["2026-12-31T23:59:59Z"],"s":"at 2026-01-01T00:00:00.123Z","x":"2026-01-01","e":"\"2026-01-01T00:00:00Z"}`,
	} {
		if got := string(q.payload([]byte(said))); got != want {
			t.Errorf("quirks %b: %s", q, got)
		}
	}
}

// An AuthorizationKey is hexadecimal digits of the password's bytes; the example is that of OCPP-J 1.6, 6.2.2, made 20 bytes
// long. A password that was set by another name is sent as it is, whatever it looks like.
func TestQuirkPlainAuthorizationKey(t *testing.T) {
	const digits = "0001020304050607ffffffffccccccccccccccff"
	for _, c := range []struct {
		q              Quirks
		password, want string
	}{
		{0, "hex:" + digits, "\x00\x01\x02\x03\x04\x05\x06\x07\xff\xff\xff\xff\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xff"},
		{PlainAuthorizationKey, "hex:" + digits, digits},
		{0, digits, digits},
		{0, "0123456789ABCDEF", "0123456789ABCDEF"},
		{0, "hex:nothing", "nothing"},
	} {
		p := profileOf(1, "ws://h/ocpp")
		p.SecurityProfile, p.Password = 1, c.password
		e, err := newEndpoint(p, "AL1000", allDialects, c.q)
		if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("AL1000:"+c.want)); err != nil || e.header.Get("Authorization") != want {
			t.Errorf("quirks %b, %q: %q, %v", c.q, c.password, e.header.Get("Authorization"), err)
		}
	}
}

func TestQuirkFullURL(t *testing.T) {
	u, err := url.Parse("ws://h/ocpp/CP%201")
	if err != nil {
		t.Fatal(err)
	}
	for q, want := range map[Quirks]string{0: "ws://h/ocpp/CP%201/CP%201", FullURL: "ws://h/ocpp/CP%201"} {
		if got := connectionURL(u, "CP 1", q); got != want {
			t.Errorf("quirks %b: %s", q, got)
		}
	}
}

func TestQuirkSilentSubprotocol(t *testing.T) {
	for q, want := range map[Quirks]string{0: "", SilentSubprotocol: "ocpp1.6"} {
		e, err := newEndpoint(profileOf(1, "ws://h"), "A", allDialects, q)
		if o, _ := e.agreed(""); err != nil || o.name != want {
			t.Errorf("quirks %b: %q", q, o.name)
		}
		if _, ok := e.agreed("ocpp1.5"); ok {
			t.Errorf("quirks %b: a subprotocol that was not offered is taken", q)
		}
	}
}

// A station that was rejected keeps silent in 1.6 (4.2), and says so in 2.x (B03.FR.08).
func TestRejectedStationIsSilentIn16(t *testing.T) {
	for v, want := range map[rpc.Version]int{rpc.V16: 0, rpc.V201: 1} {
		h := newTalk(t, v)
		h.gate(station.RegistrationRejected)
		h.open()
		for _, frame := range []string{`[2,"a","ClearCache",{}]`, `[2,"b","ClearCache",{`} {
			h.log = nil
			h.out(h.e.Frame(h.clock, []byte(frame)))
			answers := 0
			for _, line := range h.log {
				if strings.HasPrefix(line, ">") {
					answers++
				}
			}
			if answers != want {
				t.Errorf("%v %s: %q", v, frame, h.log)
			}
		}
	}
}

// A kept report that a CSMS has no message for holds up no bill; a transaction is told to the last attempt.
func TestUnknownMessageHoldsUpNothing(t *testing.T) {
	h := quirky(t, 0)
	h.keep(1<<32+1, "event")
	h.keep(1<<32+2, "event")
	h.want("> SecurityEvent 4294967297")
	h.out(h.e.Frame(h.clock, []byte(`[4,"`+h.last+`","NotImplemented","",{}]`)))
	h.want("> SecurityEvent 4294967298", "reply 4294967297 Acknowledged")
	b := newBills(t)
	b.keep(station.PhaseStarted, "A", 0, "CARD")
	b.open(speaks1)
	b.did(b.e.Frame(b.now, []byte(`[4,"`+b.id+`","NotImplemented","",{}]`)))
	if len(b.shelf.entries) != 1 {
		t.Error("a bill was given up at once")
	}
}

// docs/csms-quirks.md is the table for fitters; go test -update writes it.
func TestQuirksAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Quirks of a CSMS\n\nWhat some CSMS needs against the letter of OCPP, each by its name in `OCPPCommCtrlr.CSMSQuirks`: a list, empty as\n" +
		"delivered. An unknown name is refused. A fitter sets it in the seed (`ocpp2`), a CSMS by SetVariables, one of 1.6 by\nChangeConfiguration with the key `OCPPCommCtrlr.CSMSQuirks`.\n\n| name | what the station does |\n|---|---|\n")
	for _, q := range QuirkTable {
		b.WriteString("| `" + q.Name + "` | " + q.What + " |\n")
	}
	const path = "../../docs/csms-quirks.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != b.String() {
		t.Errorf("%s differs: go test ./ocpp/link -update (%v)", path, err)
	}
}
