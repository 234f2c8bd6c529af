//go:build !arm

package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const shippedBoard = "../../boards/ac-wallbox-cm4.yaml"

// TestBoardDryRun: a shipped board passes, line by line and as JUnit; a file that is not what the board is fails.
func TestBoardDryRun(t *testing.T) {
	junit := filepath.Join(t.TempDir(), "junit.xml")
	var out, errs strings.Builder
	if code := dispatch([]string{"board", "dry-run", "--junit", junit, shippedBoard}, &out, &errs); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, &out, &errs)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, " 0 failed") {
		t.Errorf("last line %q", last)
	}
	text, err := os.ReadFile(junit)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name string `xml:"name,attr"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(text, &suite); err != nil || suite.Tests != len(lines)-1 || len(suite.Cases) != suite.Tests || suite.Failures != 0 {
		t.Errorf("JUnit %+v, %v; %d lines", suite, err, len(lines))
	}

	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	good, err := os.ReadFile(shippedBoard)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wrong, []byte(strings.Replace(string(good), `drive: "gpio:RELAY_EN"`, `drive: "gpio:!RELAY_EN"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if code := dispatch([]string{"board", "dry-run", "--hardware", shippedBoard, wrong}, &out, &errs); code != exitFailed {
		t.Errorf("a drive of the wrong polarity: exit %d: %s", code, &out)
	}
	for _, args := range [][]string{{"board", "dry-run"}, {"board", "dry-run", "--junit"}, {"board", "dry-run", "a.yaml", "--x"}} {
		if code := dispatch(args, &out, &errs); code != exitUsage {
			t.Errorf("%q: exit %d", args, code)
		}
	}
}
