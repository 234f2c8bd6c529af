package soap

import (
	"os"
	"strings"
	"testing"
)

// sample is one message of a WSDL with everything that it may have, or with nothing that it may lack.
type sample struct {
	version   Version
	side      Side
	operation string
	response  bool
	payload   string
}

func (s sample) name() string {
	side := "CentralSystem"
	if s.side == ChargePoint {
		side = "ChargePoint"
	}
	part := requestSuffix
	if s.response {
		part = responseSuffix
	}
	return s.version.String() + " " + side + " " + s.operation + " " + part
}

func samples(t testing.TB) []sample {
	t.Helper()
	return samplesOf(t, "testdata/samples.txt")
}

// samplesOf reads a file of messages, one a line: version, service, operation, request or response, payload.
func samplesOf(t testing.TB, path string) []sample {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]Version{"1.2": V12, "1.5": V15, "1.6": V16}
	sides := map[string]Side{"CentralSystem": CentralSystem, "ChargePoint": ChargePoint}
	var all []sample
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		all = append(all, sample{versions[f[0]], sides[f[1]], f[2], f[3] == responseSuffix, f[4]})
	}
	return all
}

var testHeader = Header{
	Identity: "CP<1>", MessageID: "urn:uuid:1", From: "http://192.0.2.7:8080/", To: "http://csms.example/ocpp?a=1&b=2",
}

func envelope(t testing.TB, s sample) []byte {
	t.Helper()
	var raw []byte
	var err error
	if s.response {
		raw, err = AppendResponse(nil, s.version, s.side, s.operation, Header{RelatesTo: "urn:uuid:1"}, s.payload)
	} else {
		raw, err = AppendRequest(nil, s.version, s.side, s.operation, testHeader, s.payload)
	}
	if err != nil {
		t.Fatalf("%s: %v", s.name(), err)
	}
	return raw
}

// body returns what stands in the body of an envelope of ours.
func body(raw []byte) string {
	_, rest, _ := strings.Cut(string(raw), "<soap:Body>")
	b, _, _ := strings.Cut(rest, "</soap:Body>")
	return b
}
