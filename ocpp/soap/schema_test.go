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
	l := newLint(t)
	for _, s := range append(samples(t), samplesOf(t, "../dialect15/testdata/reports.txt")...) {
		b := body(envelope(t, s))
		end := strings.IndexByte(b, '>')
		l.add(s.name(), b[:end]+` xmlns:ocpp="`+serviceOf(s.version, s.side).namespace()+`"`+b[end:])
	}
	l.run()
}

// TestStoriesAreValid checks every line that the stories of the dialects tell over SOAP against the XML schema in the WSDL of
// its name space.
func TestStoriesAreValid(t *testing.T) {
	files, err := filepath.Glob("../testdata/scenario/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	l := newLint(t)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			_, message, ok := strings.Cut(line, " -->")
			if !ok || strings.HasPrefix(message, "<soap:Fault") {
				continue
			}
			l.add(fmt.Sprintf("%s:%d", filepath.Base(f), i+1), message)
		}
	}
	l.run()
}

// lint collects documents and checks each against the schema of its name space.
type lint struct {
	t       *testing.T
	schemas string
	work    string
	args    map[*service][]string
}

// newLint skips the test where schemas or xmllint are missing.
func newLint(t *testing.T) *lint {
	t.Helper()
	dir := os.Getenv("SCHEMAS")
	if dir == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("xmllint is not there (Debian: libxml2-utils)")
	}
	return &lint{t: t, schemas: dir, work: t.TempDir(), args: map[*service][]string{}}
}

// add takes a document whose root declares the prefix ocpp.
func (l *lint) add(name, text string) {
	l.t.Helper()
	_, uri, _ := strings.Cut(text, `xmlns:ocpp="`)
	uri, _, _ = strings.Cut(uri, `"`)
	svc := spaceOf(uri).service()
	if svc == nil {
		l.t.Fatalf("%s: no name space of OCPP: %.100s", name, text)
	}
	if l.args[svc] == nil {
		xsd := filepath.Join(l.work, fmt.Sprintf("%s-%d.xsd", svc.version, svc.side))
		schema(l.t, filepath.Join(l.schemas, "ocpp", "soap", svc.version.String()), svc.side, xsd)
		l.args[svc] = []string{"--noout", "--schema", xsd}
	}
	path := filepath.Join(l.work, fmt.Sprintf("%04d %s", len(l.args[svc]), name))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
	l.args[svc] = append(l.args[svc], path)
}

func (l *lint) run() {
	l.t.Helper()
	for _, a := range l.args {
		out, err := exec.Command("xmllint", a...).CombinedOutput()
		if err == nil {
			continue
		}
		for line := range strings.Lines(string(out)) {
			if !strings.HasSuffix(line, " validates\n") {
				l.t.Error(strings.TrimSpace(line))
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
