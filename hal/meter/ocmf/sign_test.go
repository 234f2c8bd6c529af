package ocmf

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

func example(page uint64) Payload {
	at := time.Date(2026, 3, 29, 1, 59, 0, 0, time.FixedZone("", 3600))
	return Payload{Gateway: "Example", GatewaySerial: "1", Page: page, Vendor: "Example", Model: "One", Serial: "1EMH0012345678", Identified: true, Level: "HEARSAY",
		IDType: "ISO14443", ID: "1F2D3A4F5506C7", PointType: "EVSEID", Point: "DE*EVS*E1", Readings: []Reading{
			{At: at, Clock: 'S', Reason: "B", Value: 100 * unit.KiloWattHour, Register: "01-00:B0.08.00*FF", Current: "AC"},
			{At: at.Add(90 * time.Minute), Clock: 'S', Reason: "E", Value: 107_250_001, Register: "01-00:B0.08.00*FF", Current: "AC"}}}
}

func TestBuild(t *testing.T) {
	const want = `{"FV":"1.4","GI":"Example","GS":"1","PG":"T7","MV":"Example","MM":"One","MS":"1EMH0012345678","IS":true,"IL":"HEARSAY","IT":"ISO14443","ID":"1F2D3A4F5506C7",` +
		`"CT":"EVSEID","CI":"DE*EVS*E1","RD":[{"TM":"2026-03-29T01:59:00,000+0100 S","TX":"B","RV":100.000000,"RI":"01-00:B0.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"},` +
		`{"TM":"2026-03-29T03:29:00,000+0100 S","TX":"E","RV":107.250001,"RI":"01-00:B0.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"}]}`
	if got := string(example(7).Build()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for e, want := range map[unit.Energy]string{0: "0.000000", -1: "-0.000001", -2_500_000: "-2.500000", 999_999: "0.999999"} {
		if got := kilowattHours(e); got != want {
			t.Errorf("%d: got %s, want %s", e, got, want)
		}
	}
}

// What is written can be judged, whatever a user is called.
func TestSignedIsGood(t *testing.T) {
	k := newMeter(t, elliptic.P256())
	for _, id := range []string{"", "1F2D3A4F5506C7", `a|b"c\d`, "Zoë 😀", "\x00\n|", "\xff|{}", strings.Repeat("|", 300)} {
		p := example(1)
		p.ID, p.Identified = id, id != ""
		text, err := Sign(p, k.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := Sign(p, k.PrivateKey); !bytes.Equal(text, again) {
			t.Errorf("%q: signed in two ways", id)
		}
		if j := judge(t, string(text), k.public()); !j.Good() || len(j.Semantics.Findings) > 0 {
			t.Errorf("%q: %+v\n%s", id, j, text)
		}
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(id, "\ufffd"); r.fields.text("ID") != want {
			t.Errorf("ID: got %q, want %q", r.fields.text("ID"), want)
		}
	}
}

// dead is a key that is gone.
type dead struct{ crypto.Signer }

func (dead) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no token")
}

func TestKeyThatDoesNotSign(t *testing.T) {
	if text, err := Sign(example(3), dead{}); err == nil || err.Error() != "sign OCMF record 3: no token" {
		t.Errorf("got %s, %v", text, err)
	}
}
