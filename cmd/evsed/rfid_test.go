package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal/rfid/pn532test"
	"github.com/evsed/evsed/hal/serial/pty"
)

func TestReaderTestPrintsUIDAndToken(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	held, err := os.OpenFile(near, os.O_RDWR, 0) // the line lives on between two commands that use it
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	e := pn532test.New()
	e.Lay(pn532test.Card{UID: []byte{4, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80}})
	served := make(chan struct{})
	go func() { e.Serve(far); close(served) }()
	defer func() { far.Close(); <-served }()
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, "UID 04A1B2C3D4E580\ntoken 04A1B2C3D4E580 of type ISO14443\n"},
		{[]string{"--uid", "hex-lower", "--reverse", "--separator", ":"}, "UID 04A1B2C3D4E580\ntoken 80:e5:d4:c3:b2:a1:04 of type ISO14443\n"},
		{[]string{"--uid", "decimal", "--width", "20"}, "UID 04A1B2C3D4E580\ntoken 00001303689068602752 of type ISO14443\n"},
	} {
		var out, errs bytes.Buffer
		code := dispatch(append([]string{"rfid", "test", "--reader", "pn532", "--port", near, "--for", "60s"}, c.flags...), &out, &errs)
		if code != exitOK || !strings.HasSuffix(out.String(), c.want) {
			t.Errorf("%v: exit %d, %s%s", c.flags, code, out.String(), errs.String())
		}
	}
}

func TestReaderTestSaysWhatIsWrong(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer far.Close()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", exitUsage, "want test --reader"},
		{"test --reader pn532", exitUsage, "want --port"},
		{"test --reader abacus --port x", exitUsage, "want pn532, mfrc522, keyboard or serial"},
		{"test --reader mfrc522 --port x", exitUsage, "want spi:0.0"},
		{"test --reader pn532 --port x --uid octal", exitUsage, "--uid octal"},
		{"test --reader serial --port x --typed words", exitUsage, "--typed words"},
		{"test --reader pn532 --port x --separator abc", exitUsage, "separator"},
		{"test --reader pn532 --port x --cards 0", exitUsage, "positive number"},
		{"test --reader pn532 --port i2c:front", exitFailed, "want an adapter's number"},
		{"test --reader pn532 --port " + near + " --for 3s", exitFailed, "no card was read within 3s"},
	} {
		var out, errs bytes.Buffer
		if code := dispatch(append([]string{"rfid"}, strings.Fields(c.args)...), &out, &errs); code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: exit %d, %s; want %d, %q", c.args, code, errs.String(), c.code, c.want)
		}
	}
}
