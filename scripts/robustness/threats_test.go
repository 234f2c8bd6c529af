package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var claimed = regexp.MustCompile("`([a-z0-9/]+\\.(?:Test|Fuzz)[A-Za-z0-9_]+)`")

// TestThreatModel: every test that the threat model names exists, and every weakness of the list has its row there, with a
// test or an owner.
func TestThreatModel(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "security", "threat-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := []Row{{ID: "threat model"}}
	for _, m := range claimed.FindAllSubmatch(text, -1) {
		rows[0].Tests = append(rows[0].Tests, string(m[1]))
	}
	if len(rows[0].Tests) < 60 {
		t.Errorf("%d tests are named", len(rows[0].Tests))
	}
	if err := check(root, rows); err != nil {
		t.Error(err)
	}
	for _, w := range Weaknesses {
		_, after, found := strings.Cut(string(text), "\n| "+w.ID+" |")
		line, _, _ := strings.Cut(after, "\n")
		if !found || !claimed.MatchString(line) && !strings.Contains(line, "owner:") {
			t.Errorf("%s (%s): no row with a test or an owner", w.ID, w.What)
		}
	}
}
