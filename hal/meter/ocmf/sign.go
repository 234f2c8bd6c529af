package ocmf

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
)

// Payload is what a meter says in one record of a transaction, in the words of the format. A text that is empty is left out.
type Payload struct {
	Gateway       string // GI
	GatewaySerial string // GS
	Page          uint64 // PG: the number of the record, counted in the context of transactions
	Vendor        string // MV
	Model         string // MM
	Serial        string // MS
	Identified    bool   // IS
	Level         string // IL
	IDType        string // IT, of a record of a transaction always
	ID            string // ID
	PointType     string // CT: EVSEID or CBIDC
	Point         string // CI
	Readings      []Reading
}

// Reading is one reading of a register.
type Reading struct {
	At       time.Time   // TM
	Clock    byte        // how the time was got: U, I, S or R
	Reason   string      // TX: B begins, C goes on, E ends
	Value    unit.Energy // RV, in kWh to six places
	Register string      // RI: its OBIS code
	Current  string      // RT: AC or DC
	Errors   string      // EF
	State    string      // ST; "" is G
}

// decimals of a value in kWh: all that unit.Energy has.
const decimals = 6

// Build returns the text of the payload, which is what is signed.
func (p Payload) Build() []byte {
	var w writer
	w.text("FV", "1.4")
	w.some("GI", p.Gateway)
	w.some("GS", p.GatewaySerial)
	w.text("PG", fmt.Sprintf("T%d", p.Page))
	w.some("MV", p.Vendor)
	w.some("MM", p.Model)
	w.some("MS", p.Serial)
	w.raw("IS", fmt.Sprint(p.Identified))
	w.some("IL", p.Level)
	w.text("IT", p.IDType)
	w.some("ID", p.ID)
	w.some("CT", p.PointType)
	w.some("CI", p.Point)
	var all []string
	for _, r := range p.Readings {
		all = append(all, r.build())
	}
	w.raw("RD", "["+strings.Join(all, ",")+"]")
	return []byte(w.object())
}

func (r Reading) build() string {
	var w writer
	w.text("TM", r.At.Format("2006-01-02T15:04:05,000-0700")+" "+string(rune(r.Clock)))
	w.text("TX", r.Reason)
	w.raw("RV", kilowattHours(r.Value))
	w.text("RI", r.Register)
	w.text("RU", "kWh")
	w.text("RT", r.Current)
	w.text("EF", r.Errors)
	state := r.State
	if state == "" {
		state = "G"
	}
	w.text("ST", state)
	return w.object()
}

func kilowattHours(e unit.Energy) string {
	sign := ""
	if e < 0 {
		sign, e = "-", -e
	}
	return fmt.Sprintf("%s%d.%0*d", sign, e/unit.KiloWattHour, decimals, e%unit.KiloWattHour)
}

// Sign returns a record: the payload with its signature by a key on P-256. A key in memory signs the same payload the same way
// each time (RFC 6979).
func Sign(p Payload, key crypto.Signer) ([]byte, error) {
	text := p.Build()
	sum := sha256.Sum256(text)
	der, err := key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign OCMF record %d: %w", p.Page, err)
	}
	return fmt.Appendf(nil, `%s%s|{"SA":"%s","SD":"%X"}`, marker, text, defaultAlgorithm, der), nil
}

// writer writes the fields of a JSON object in order.
type writer struct{ bytes.Buffer }

func (w *writer) raw(key, value string) {
	sep := byte(',')
	if w.Len() == 0 {
		sep = '{'
	}
	w.WriteByte(sep)
	fmt.Fprintf(w, "%q:%s", key, value)
}

// text writes a text without the bar that ends the payload.
func (w *writer) text(key, value string) {
	s, _ := json.Marshal(value) // text always can be
	w.raw(key, strings.ReplaceAll(string(s), "|", `\u007c`))
}

func (w *writer) some(key, value string) {
	if value != "" {
		w.text(key, value)
	}
}

func (w *writer) object() string { return w.String() + "}" }
