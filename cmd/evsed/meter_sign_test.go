package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/meter/dcbm"
	"github.com/evsed/evsed/hal/unit"
)

func TestMeterSign(t *testing.T) {
	v, err := dcbm.NewVirtual("12024072805")
	if err != nil {
		t.Fatal(err)
	}
	v.Set(dcbm.Reading(time.Now(), 400*unit.Volt, 125*unit.Ampere, 196_614*unit.WattHour))
	s := httptest.NewServer(v)
	defer s.Close()
	file := filepath.Join(t.TempDir(), "record.ocmf")
	var out, errs bytes.Buffer
	args := []string{"meter", "sign", "--tcp", s.Listener.Addr().String(), "--model", "lem/dcbm400600", "--for", "1ms", "--out", file}
	if code := dispatch(args, &out, &errs); code != exitOK {
		t.Fatal(code, out.String(), errs.String())
	}
	if !strings.Contains(out.String(), "signature    good\ncompleteness good\nsemantics    good") {
		t.Error(out.String())
	}
	text, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(text, []byte("OCMF|")) {
		t.Fatalf("%q, %v", text, err)
	}
	if code := dispatch(args, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "is there already") {
		t.Errorf("a record is written over: exit %d, %s", code, errs.String())
	}
	for _, c := range []struct{ args, want string }{
		{"sign --tcp x --out y", "--model: want lem/dcbm400600"},
		{"sign --tcp x --model lem/dcbm400600", "--out: want a file"},
		{"sign --tcp x: --model abb/b23 --out y", "want a port behind the colon"},
		{"sign --tcp x --model abb/b23 --out y", "signs nothing"},
		{"sign --port x --model lem/dcbm400600 --out y", "speaks HTTP"},
		{"sign --tcp x --model iskra/wm3m4 --out y --for 2h", "want up to 1h"},
		{"sign --tcp x --model iskra/wm3m4 --out y --unit 300", "want 1 to 247"},
	} {
		var out, errs bytes.Buffer
		if code := dispatch(append([]string{"meter"}, strings.Fields(c.args)...), &out, &errs); code != exitUsage || !strings.Contains(errs.String(), c.want) {
			t.Errorf("meter %s: exit %d, %q; want %q", c.args, code, errs.String(), c.want)
		}
	}
}
