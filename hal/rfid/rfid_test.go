package rfid

import (
	"errors"
	"testing"

	"github.com/evsed/evsed/station/term"
)

func uid(t *testing.T, b ...byte) UID {
	t.Helper()
	u, err := NewUID(b)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestFormatSpellsTheSameCardAsOperatorsKnowIt(t *testing.T) {
	seven := []byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80}
	four := []byte{0x00, 0xA1, 0xB2, 0xC3}
	for _, c := range []struct {
		name   string
		format Format
		uid    []byte
		want   string
	}{
		{"zero value", Format{}, seven, "04A1B2C3D4E580"},
		{"lower case", Format{Base: HexLower}, seven, "04a1b2c3d4e580"},
		{"reversed", Format{Reverse: true}, seven, "80E5D4C3B2A104"},
		{"colons", Format{Separator: ":"}, four, "00:A1:B2:C3"},
		{"reversed with hyphens", Format{Reverse: true, Separator: "-", Base: HexLower}, four, "c3-b2-a1-00"},
		{"decimal", Format{Base: Decimal}, four, "10597059"},
		{"decimal of ten digits", Format{Base: Decimal, Width: 10}, four, "0010597059"},
		{"decimal, reversed", Format{Base: Decimal, Reverse: true}, four, "3283263744"},
		{"decimal of seven bytes", Format{Base: Decimal}, seven, "1303689068602752"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.format.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := c.format.Token(Card{UID: uid(t, c.uid...)})
			if err != nil || got.Value != c.want {
				t.Errorf("token %q, %v; want %q", got.Value, err, c.want)
			}
			if got.Type != term.TokenISO14443 {
				t.Errorf("type %s", got.Type)
			}
		})
	}
}

func TestFormatNamesTheType(t *testing.T) {
	c := Card{UID: uid(t, 1, 2, 3, 4), ISO: term.TokenISO15693}
	if got, _ := (Format{}).Token(c); got.Type != term.TokenISO15693 {
		t.Errorf("a vicinity card is called %s", got.Type)
	}
	if got, _ := (Format{Type: term.TokenLocal}).Token(c); got.Type != term.TokenLocal {
		t.Errorf("the setting does not count: %s", got.Type)
	}
}

func TestFormatRefusesRandomUIDs(t *testing.T) {
	random := Card{UID: uid(t, 0x08, 1, 2, 3)}
	if _, err := (Format{}).Token(random); !errors.Is(err, ErrRandom) || !errors.Is(err, ErrCard) {
		t.Errorf("want ErrRandom, got %v", err)
	}
	if got, err := (Format{Random: true}).Token(random); err != nil || got.Value != "08010203" {
		t.Errorf("let through: %q, %v", got.Value, err)
	}
	if got, err := (Format{}).Token(Card{UID: uid(t, 0x08, 1, 2, 3, 4, 5, 6)}); err != nil || got.Value != "08010203040506" {
		t.Errorf("seven bytes are never random: %q, %v", got.Value, err)
	}
}

func TestFormatCheckRefusesWhatMeansNothing(t *testing.T) {
	for _, f := range []Format{
		{Base: 3}, {Separator: ":::"}, {Separator: "x"}, {Base: Decimal, Separator: ":"}, {Width: 4}, {Base: Decimal, Width: 26},
	} {
		if f.Check() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

func TestTypedReadsWhatReadersWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		typed Typed
		in    string
		want  []byte
	}{
		{"hexadecimal", Typed{}, "04a1B2c3", []byte{0x04, 0xA1, 0xB2, 0xC3}},
		{"with colons", Typed{}, "04:A1:B2:C3", []byte{0x04, 0xA1, 0xB2, 0xC3}},
		{"decimal", Typed{Decimal: true}, "0010597059", []byte{0x00, 0xA1, 0xB2, 0xC3}},
		{"decimal, last byte first", Typed{Decimal: true, Reverse: true}, "3283263744", []byte{0x00, 0xA1, 0xB2, 0xC3}},
		{"decimal of 7 bytes", Typed{Decimal: true, Bytes: 7}, "1303689068602752", []byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0x80}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.typed.Card(c.in)
			if err != nil || got.UID != uid(t, c.want...) {
				t.Errorf("%X, %v; want %X", got.UID.Bytes(), err, c.want)
			}
		})
	}
	for _, c := range []struct {
		typed Typed
		in    string
	}{
		{Typed{}, ""}, {Typed{}, "0"}, {Typed{}, "0g"}, {Typed{}, ":04"}, {Typed{}, "0102030405060708090A0B"},
		{Typed{Decimal: true}, ""}, {Typed{Decimal: true}, "-1"}, {Typed{Decimal: true}, "4294967296"}, {Typed{Decimal: true}, "12a"},
	} {
		if got, err := c.typed.Card(c.in); !errors.Is(err, ErrGarbled) {
			t.Errorf("%q is read as %X, %v", c.in, got.UID.Bytes(), err)
		}
	}
}
