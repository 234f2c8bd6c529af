package conformance

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// product is where the golden files are, from this folder.
const product = "../../ocpp"

// goldenMessage is one message of a golden file.
type goldenMessage struct {
	version rpc.Version
	name    string // BootNotificationRequest
	payload []byte
}

// TestGoldenMessages: what the product promises to say is valid where it says it.
func TestGoldenMessages(t *testing.T) {
	load(t, rpc.V201) // skips where there are no schemas
	count := map[rpc.Version]int{}
	err := filepath.WalkDir(product, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		parse := parserOf(path)
		if parse == nil {
			return nil
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), product+"/")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			messages, err := parse(filepath.Base(path), text)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range messages {
				count[g.version]++
				checkGolden(t, g)
			}
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("golden messages: %d of 1.6, %d of 2.0.1, %d of 2.1", count[rpc.V16], count[rpc.V201], count[rpc.V21])
	for _, v := range versions {
		if count[v] == 0 && (v != rpc.V16 || exists(product+"/dialect16/testdata")) {
			t.Errorf("no golden message of %v was found", v)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func checkGolden(t *testing.T, g goldenMessage) {
	t.Helper()
	e := load(t, g.version)
	m := e.messages[g.name]
	if m == nil {
		t.Errorf("%v has no %s", g.version, g.name)
		return
	}
	if err := m.valid(t, g.payload); err != nil {
		t.Errorf("%v %s: %v\n%s", g.version, g.name, err, g.payload)
	}
	if _, err := m.decode(t, g.payload, g.version); err != nil {
		t.Errorf("%v %s: we refuse it: %v", g.version, g.name, err)
	}
}

// parserOf returns what reads the messages of a file; nil for a file that holds none.
func parserOf(path string) func(name string, text []byte) ([]goldenMessage, error) {
	if !strings.Contains(filepath.ToSlash(path), "/testdata/") {
		return nil
	}
	switch base := filepath.Base(path); {
	case strings.HasSuffix(base, ".v16.json"):
		return func(_ string, text []byte) ([]goldenMessage, error) { return parseStory(rpc.V16, text) }
	case strings.HasSuffix(base, ".v201.json"):
		return func(_ string, text []byte) ([]goldenMessage, error) { return parseStory(rpc.V201, text) }
	case strings.HasSuffix(base, ".v21.json"):
		return func(_ string, text []byte) ([]goldenMessage, error) { return parseStory(rpc.V21, text) }
	case strings.HasSuffix(base, ".golden") && filepath.Base(filepath.Dir(path)) == "testdata" && (strings.Contains(path, "dialect2") || strings.Contains(path, "dialect16")):
		return parseSections
	}
	return nil
}

// parseSections reads the golden files of a dialect: "--- 2.0.1 BootNotification", then the payload. The name of the
// file says whether it is a request (report-*) or a response (response-*).
func parseSections(name string, text []byte) ([]goldenMessage, error) {
	kind, _, _ := strings.Cut(name, "-")
	suffix, ok := map[string]string{"report": "Request", "response": "Response"}[kind]
	if !ok {
		return nil, fmt.Errorf("the name says neither report- nor response-")
	}
	var out []goldenMessage
	for _, section := range strings.Split("\n"+string(text), "\n--- ")[1:] {
		head, payload, _ := strings.Cut(section, "\n")
		version, action, ok := strings.Cut(head, " ")
		v, known := map[string]rpc.Version{"1.6": rpc.V16, "2.0.1": rpc.V201, "2.1": rpc.V21}[version]
		if !ok || !known {
			return nil, fmt.Errorf("unknown head %q", head)
		}
		out = append(out, goldenMessage{v, action + suffix, []byte(payload)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no message")
	}
	return out, nil
}

// parseStory reads the golden files of a scenario: a list of ["time and way", "CALL", action, payload], RESULT and ERROR
// alike, in both directions. An ERROR has no schema; what it calls wrong need not be valid.
func parseStory(v rpc.Version, text []byte) ([]goldenMessage, error) {
	var lines [][]json.RawMessage
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, err
	}
	var out []goldenMessage
	for n, line := range lines {
		var when, kind, action string
		if len(line) != 4 {
			return nil, fmt.Errorf("line %d has %d members, want 4", n+1, len(line))
		}
		for i, word := range []*string{&when, &kind, &action} {
			if err := json.Unmarshal(line[i], word); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
		}
		suffix, ok := map[string]string{"CALL": "Request", "RESULT": "Response", "ERROR": ""}[kind]
		switch {
		case !ok:
			return nil, fmt.Errorf("line %d: unknown kind %q", n+1, kind)
		case suffix != "":
			out = append(out, goldenMessage{v, action + suffix, line[3]})
		case len(out) > 0 && out[len(out)-1].name == action+"Request" && !sound(line[3]):
			out = out[:len(out)-1]
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no message")
	}
	return out, nil
}

// sound tells whether a message that was answered with an ERROR may be a valid one that is not offered.
func sound(answer json.RawMessage) bool {
	var e struct{ ErrorCode string }
	return json.Unmarshal(answer, &e) == nil && e.ErrorCode == "NotSupported"
}

// TestGoldenFormats: the readers above see what they should, and refuse the rest.
func TestGoldenFormats(t *testing.T) {
	got, err := parseStory(rpc.V201, []byte(`[["0.100 >","CALL","Heartbeat",{}],
		["0.200 <","RESULT","Heartbeat",{"currentTime":"2026-11-22T07:01:35Z"}], ["0.300 >","ERROR","Reset",{}]]`))
	if err != nil || len(got) != 2 || got[0].name != "HeartbeatRequest" || got[1].name != "HeartbeatResponse" {
		t.Errorf("story: got %v, %v", got, err)
	}
	got, err = parseStory(rpc.V16, []byte(`[["0.1 <","CALL","GetLog",{}],["0.1 >","ERROR","GetLog",{"errorCode":"NotSupported"}],
		["0.2 <","CALL","Reset",{}],["0.2 >","ERROR","Reset",{"errorCode":"OccurenceConstraintViolation"}]]`))
	if err != nil || len(got) != 1 || got[0].name != "GetLogRequest" {
		t.Errorf("story of refusals: got %v, %v", got, err)
	}
	for _, bad := range []string{``, `{}`, `[]`, `[["0","ERROR","Reset",{}]]`, `[["0","CALL","Heartbeat"]]`, `[["0","CAL","Heartbeat",{}]]`,
		`[["0",2,"Heartbeat",{}]]`} {
		if got, err := parseStory(rpc.V201, []byte(bad)); err == nil {
			t.Errorf("story %q: got %v, want an error", bad, got)
		}
	}
	for name, bad := range map[string]string{"report-a.golden": "{}", "other.golden": "--- 2.1 Heartbeat\n{}", "report-b.golden": "--- 3 A\n{}"} {
		if got, err := parseSections(name, []byte(bad)); err == nil {
			t.Errorf("%s %q: got %v, want an error", name, bad, got)
		}
	}
}
