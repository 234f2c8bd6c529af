package conformance

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// kept is a frame of a station, as a certification case leaves it.
type kept struct {
	Version string
	Action  string
	Request bool
	Payload json.RawMessage
}

// maxKept bounds a line of a case's frames.
const maxKept = 4 << 20

// TestFramesOfCases plays the test cases of part 6 and holds every frame of the station against the schema of its message.
func TestFramesOfCases(t *testing.T) {
	load(t, rpc.V201) // skips where there are no schemas
	dir := t.TempDir()
	cmd := exec.Command("go", "test", "-count=1", "./station/local/cert2")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "EVSED_FRAMES="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %.4000s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no case left frames, %v", err)
	}
	n := 0
	for _, name := range files {
		n += checkFrames(t, name)
	}
	t.Logf("%d frames of %d cases", n, len(files))
}

// checkFrames checks the frames of a case.
func checkFrames(t *testing.T, name string) (n int) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxKept)
	for ; lines.Scan(); n++ {
		var k kept
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		message := k.Action + "Response"
		if k.Request {
			message = k.Action + "Request"
		}
		checkGolden(t, goldenMessage{version: versionOf(t, k.Version), name: message, payload: k.Payload})
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func versionOf(t *testing.T, subprotocol string) rpc.Version {
	t.Helper()
	for _, v := range versions {
		if v.Subprotocol() == subprotocol {
			return v
		}
	}
	t.Fatalf("no version %q", subprotocol)
	return rpc.V201
}
