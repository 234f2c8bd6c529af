package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden generates from two small versions of a protocol of our own that has one of each case, as straight lines,
// as tables and as both, and from a third version that names no types.
func TestGolden(t *testing.T) {
	lines, mixed, tables := *dialects["msg2"], *dialects["msg2"], *dialects["msg2"]
	lines.straight = map[string]bool{"Ping": true, "Tell": true}
	mixed.straight = map[string]bool{"Ping": true}
	tables.straight = nil
	for golden, d := range map[string]*dialect{"out": &lines, "outmixed": &mixed, "outtables": &tables, "out16": dialects["msg16"]} {
		t.Run(golden, func(t *testing.T) { testGolden(t, d, golden) })
	}
}

func testGolden(t *testing.T, d *dialect, golden string) {
	out := t.TempDir()
	stale := filepath.Join(out, "zz_gone.go")
	if err := os.WriteFile(stale, []byte("package msg2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.run(filepath.Join("testdata", "schemas"), out); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("a file of an action that is gone was left")
	}
	compare(t, out, filepath.Join("testdata", golden), ".golden")
}

// TestCommitted holds the committed code against the schemas it came from.
func TestCommitted(t *testing.T) {
	schemas := os.Getenv("SCHEMAS")
	if schemas == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	for pkg, d := range dialects {
		out := t.TempDir()
		if err := d.run(schemas, out); err != nil {
			t.Fatal(err)
		}
		compare(t, out, filepath.Join("..", "..", "ocpp", pkg), "")
	}
}

func compare(t *testing.T, out, golden, suffix string) {
	t.Helper()
	got, _ := filepath.Glob(filepath.Join(out, "zz_*.go"))
	want, _ := filepath.Glob(filepath.Join(golden, "zz_*.go"+suffix))
	if *update && suffix != "" {
		rewrite(t, got, want, golden, suffix)
		return
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for _, path := range got {
		name := filepath.Base(path)
		a, _ := os.ReadFile(path)
		b, err := os.ReadFile(filepath.Join(golden, name+suffix))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs from %s", name, golden)
		}
	}
}

func rewrite(t *testing.T, got, old []string, golden, suffix string) {
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range got {
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(golden, filepath.Base(path)+suffix), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"evseId": "EVSEID", "evse": "EVSE", "evseIds": "EVSEIDs", "id": "ID", "idToken": "IdToken", "idTokenInfo": "IdTokenInfo",
		"transactionId": "TransactionID", "limit_L2": "LimitL2", "evMaxPower": "EVMaxPower", "event": "Event", "ocppCsmsUrl": "OCPPCSMSURL",
		"responderURL": "ResponderURL", "iccid": "ICCID", "seqNo": "SeqNo", "t": "T", "taxRuleID": "TaxRuleID", "access": "Access",
	} {
		if got := fieldName(in); got != want {
			t.Errorf("fieldName(%s) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"Energy.Active.Import.Register": "EnergyActiveImportRegister", "L1-N": "L1N", "s309-1P-16A": "S309_1P16A", "eMAID": "EMAID", "V2X": "V2X",
	} {
		if got := constName(in); got != want {
			t.Errorf("constName(%s) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"GetDERControl": "get_der_control", "BootNotification": "boot_notification", "AFRRSignal": "afrr_signal", "Reset": "reset"} {
		if got := snake(in); got != want {
			t.Errorf("snake(%s) = %s, want %s", in, got, want)
		}
	}
}

// TestMergeRefuses shows that what the merge cannot express stops the generator.
func TestMergeRefuses(t *testing.T) {
	object := func(property string) schema {
		s := schema{Type: "object"}
		if property != "" {
			if err := s.Properties.UnmarshalJSON([]byte(property)); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	tests := []struct{ name, old, now, want string }{
		{"member gone", `{"a":{"type":"string"}}`, `{}`, "does not have it"},
		{"type changed", `{"a":{"type":"string"}}`, `{"a":{"type":"integer"}}`, "types of 2.0.1 and 2.1 differ"},
		{"arity changed", `{"a":{"type":"array","items":{"type":"integer"},"minItems":1}}`, `{"a":{"type":"array","items":{"type":"integer"}}}`, "list limits differ"},
		{"bounds of a decimal changed", `{"a":{"type":"number"}}`, `{"a":{"type":"number","minimum":0}}`, "bounds of 2.0.1 and 2.1 differ"},
	}
	for _, tt := range tests {
		old := &set{messages: map[string]schema{"XRequest": object(tt.old)}}
		now := &set{messages: map[string]schema{"XRequest": object(tt.now)}}
		if _, err := merge(dialects["msg2"], old, now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := load(t.TempDir()); err == nil {
		t.Error("an empty folder is no error")
	}
}
