package soap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBodiesAreValid checks every sample, and what dialect15 tells, as we write it, against the XML schema in the WSDL.
func TestBodiesAreValid(t *testing.T) {
	dir := os.Getenv("SCHEMAS")
	if dir == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not there (Debian: libxml2-utils)")
	}
	work := t.TempDir()
	args := map[string][]string{}
	for i, s := range append(samples(t), samplesOf(t, "../dialect15/testdata/reports.txt")...) {
		svc := serviceOf(s.version, s.side)
		xsd := filepath.Join(work, fmt.Sprintf("%s-%d.xsd", s.version, s.side))
		if args[xsd] == nil {
			schema(t, filepath.Join(dir, "ocpp", "soap", s.version.String()), s.side, xsd)
			args[xsd] = []string{"--noout", "--schema", xsd}
		}
		b := body(envelope(t, s))
		end := strings.IndexByte(b, '>')
		path := filepath.Join(work, fmt.Sprintf("%03d %s.xml", i, s.name()))
		text := b[:end] + ` xmlns:ocpp="` + svc.namespace() + `"` + b[end:]
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args[xsd] = append(args[xsd], path)
	}
	for _, a := range args {
		if out, err := exec.Command(xmllint, a...).CombinedOutput(); err != nil {
			for line := range strings.Lines(string(out)) {
				if !strings.HasSuffix(line, " validates\n") {
					t.Error(strings.TrimSpace(line))
				}
			}
		}
	}
}

// schema writes the XML schema that is in a WSDL as a file of its own.
func schema(t *testing.T, dir string, side Side, to string) {
	t.Helper()
	name := map[Side]string{CentralSystem: "centralsystem", ChargePoint: "chargepoint"}[side]
	files, err := filepath.Glob(filepath.Join(dir, "*.wsdl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(strings.ToLower(filepath.Base(f)), name) {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(text), "<s:schema ")
		inner, _, ok2 := strings.Cut(rest, "</s:schema>")
		_, tns, ok3 := strings.Cut(inner, `targetNamespace="`)
		tns, _, ok4 := strings.Cut(tns, `"`)
		if !ok || !ok2 || !ok3 || !ok4 {
			t.Fatalf("%s has no schema of the known shape", f)
		}
		xsd := `<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="` + tns + `" ` + inner + "</s:schema>"
		if err := os.WriteFile(to, []byte(xsd), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no WSDL of %s in %s", name, dir)
}
