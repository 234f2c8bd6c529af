package soap

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test ./ocpp/soap -update, then read the difference", path)
	}
}

func TestEveryOperationHasSamples(t *testing.T) {
	has := map[string]bool{}
	for _, s := range samples(t) {
		has[s.name()] = true
	}
	counts := map[string]int{}
	for _, svc := range services {
		for _, op := range Operations(svc.version, svc.side) {
			counts[svc.version.String()+string("SP"[svc.side])]++
			for _, response := range []bool{false, true} {
				if s := (sample{svc.version, svc.side, op, response, ""}); !has[s.name()] {
					t.Errorf("no sample of %s", s.name())
				}
			}
		}
	}
	want := map[string]int{"1.2S": 9, "1.2P": 9, "1.5S": 10, "1.5P": 15, "1.6S": 10, "1.6P": 19}
	for k, n := range want {
		if counts[k] != n {
			t.Errorf("%s: %d operations, want %d", k, counts[k], n)
		}
	}
}

func TestShapesFit(t *testing.T) {
	for i, s := range shapes {
		if len(s) > maxFields {
			t.Errorf("shape %d has %d fields, more than maxFields", i, len(s))
		}
	}
}

func TestGoldenBodies(t *testing.T) {
	var all strings.Builder
	for _, s := range samples(t) {
		all.WriteString("# " + s.name() + "\n" + strings.ReplaceAll(body(envelope(t, s)), "><", ">\n<") + "\n")
	}
	golden(t, "bodies.xml.txt", all.String())
}

func TestGoldenEnvelopes(t *testing.T) {
	var all strings.Builder
	for _, v := range []Version{V12, V15, V16} {
		all.Write(envelope(t, sample{v, CentralSystem, "Heartbeat", false, "{}"}))
		all.WriteString("\n")
		all.Write(envelope(t, sample{v, ChargePoint, "ClearCache", true, `{"status":"Accepted"}`}))
		all.WriteString("\n")
		all.Write(AppendFault(nil, v, ChargePoint, Header{RelatesTo: "urn:uuid:1"}, Fault{Sender, IdentityMismatch, "not <this> one"}))
		all.WriteString("\n")
	}
	golden(t, "envelopes.xml.txt", strings.ReplaceAll(all.String(), "><", ">\n<"))
}

func TestRoundTrip(t *testing.T) {
	for _, s := range samples(t) {
		m, err := Parse(envelope(t, s), s.side)
		if err != nil {
			t.Errorf("%s: %v", s.name(), err)
			continue
		}
		if m.Version != s.version || m.Operation != s.operation || m.Response != s.response {
			t.Errorf("%s: read as %v %s", s.name(), m.Version, m.Operation)
		}
		if string(m.Payload) != s.payload {
			t.Errorf("%s:\ngot  %s\nwant %s", s.name(), m.Payload, s.payload)
		}
		if !s.response && (m.Identity != testHeader.Identity || m.MessageID != testHeader.MessageID ||
			m.From != testHeader.From || m.To != testHeader.To || m.ReplyTo != Anonymous || m.Action != "/"+s.operation) {
			t.Errorf("%s: header %+v", s.name(), m.Header)
		}
		if s.response && m.RelatesTo != "urn:uuid:1" {
			t.Errorf("%s: header %+v", s.name(), m.Header)
		}
	}
}

func TestMembersInAnyOrder(t *testing.T) {
	raw, err := AppendRequest(nil, V16, ChargePoint, "SendLocalList", Header{},
		`{"updateType":"Full", "localAuthorizationList":[], "listVersion":2}`)
	if err != nil {
		t.Fatal(err)
	}
	want := "<ocpp:sendLocalListRequest><ocpp:listVersion>2</ocpp:listVersion><ocpp:updateType>Full</ocpp:updateType></ocpp:sendLocalListRequest>"
	if got := body(raw); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		operation, payload, want string
	}{
		"unknown operation": {"SecurityEventNotification", `{}`, "no operation"},
		"unknown member":    {"Heartbeat", `{"a":1}`, "unknown member"},
		"missing member":    {"Authorize", `{}`, "required member missing"},
		"wrong type":        {"Authorize", `{"idTag":7}`, "want a string"},
		"not an integer":    {"StopTransaction", `{"transactionId":1.5,"timestamp":"x","meterStop":1}`, "want an integer"},
		"empty list":        {"MeterValues", `{"connectorId":1,"meterValue":[{"timestamp":"x","sampledValue":[]}]}`, "elements below"},
		"not JSON":          {"Authorize", `{"idTag":`, ""},
	} {
		dst, err := AppendRequest([]byte("kept"), V16, CentralSystem, c.operation, Header{}, c.payload)
		if err == nil || !strings.Contains(err.Error(), c.want) || string(dst) != "kept" {
			t.Errorf("%s: %q, %v", name, dst, err)
		}
	}
}

func TestTextSurvives(t *testing.T) {
	for _, text := range []string{"", " padded ", "a\tb\r\nc", `<&>"']]>`, "ä€𝄞", "\u00a0\u2028"} {
		quoted := strings.NewReplacer("\t", `\t`, "\r", `\r`, "\n", `\n`, `"`, `\"`).Replace(text)
		payload := `{"vendorId":"v","data":"` + quoted + `"}`
		m, err := Parse(envelope(t, sample{V16, CentralSystem, "DataTransfer", false, payload}), CentralSystem)
		if err != nil || string(m.Payload) != payload {
			t.Errorf("%q: %s %v", text, m.Payload, err)
		}
	}
	raw := envelope(t, sample{V16, CentralSystem, "DataTransfer", false, `{"vendorId":"v\u0001\uFFFE"}`})
	if m, err := Parse(raw, CentralSystem); err != nil || string(m.Payload) != `{"vendorId":"v`+"\uFFFD\uFFFD"+`"}` {
		t.Errorf("what XML cannot say: %s %v", m.Payload, err)
	}
}
