package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestSBOM: the program tells every module that it is made of, and no other.
func TestSBOM(t *testing.T) {
	var out, errs output
	if code := dispatch([]string{"sbom"}, &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var d struct {
		Components []struct{ Name, Version string }
	}
	must(t, json.Unmarshal([]byte(out.String()), &d))
	told := map[string]string{}
	for _, c := range d.Components {
		told[c.Name] = c.Version
	}
	linked, err := os.ReadFile("../../scripts/deps.txt")
	must(t, err)
	n := 0
	for line := range strings.Lines(string(linked)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if told[path] != version {
			t.Errorf("%s: version %q, want %s", path, told[path], version)
		}
		n++
	}
	if told["std"] == "" || len(told) < n+1 {
		t.Errorf("told: %v", told)
	}
	if code := dispatch([]string{"sbom", "more"}, &out, &errs); code != exitUsage {
		t.Errorf("exit code %d for an argument", code)
	}
}
