package dcbm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
)

// Virtual is a DCBM in memory, with a key of its own: an http.Handler that answers as the meter does, as far as Meter
// asks. It shows what it is given.
type Virtual struct {
	serial string
	key    *ecdsa.PrivateKey
	public string

	mu      sync.Mutex // guards all below
	reading hal.MeterReading
	silent  bool
	page    uint64
	open    string
	begun   map[string]ocmf.Reading // transaction: its first reading
	done    map[string]string       // transaction: its record
}

// NewVirtual returns a virtual meter with a new key.
func NewVirtual(serial string) (*Virtual, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &Virtual{serial: serial, key: key, public: hex.EncodeToString(der), begun: map[string]ocmf.Reading{}, done: map[string]string{}}, nil
}

// Set lets the meter show a reading of DC: line 1 of it.
func (v *Virtual) Set(r hal.MeterReading) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reading = r
}

// Fail lets the meter answer with an error of its own, or no longer.
func (v *Virtual) Fail(silent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.silent = silent
}

// ServeHTTP implements http.Handler.
func (v *Virtual) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := r.URL.Query().Get("transactionId")
	switch {
	case v.silent:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case r.URL.Path == "/v1/status" && r.Method == http.MethodGet:
		write(w, http.StatusOK, map[string]any{"meterId": v.serial, "publicKeyOcmf": v.public,
			"status": map[string]any{"bits": map[string]bool{"transactionIsOnGoing": v.open != ""}}})
	case r.URL.Path == "/v1/livemeasure" && r.Method == http.MethodGet:
		write(w, http.StatusOK, map[string]json.Number{"voltage": decimal(int64(v.reading.Voltage[0]), 3), "current": decimal(int64(v.reading.Current[0]), 3),
			"power": decimal(int64(v.reading.Power), 6), "energyImportTotal": decimal(int64(v.reading.Import), 6), "energyExportTotal": decimal(int64(v.reading.Export), 6)})
	case r.URL.Path == "/v1/legal" && r.Method == http.MethodGet:
		write(w, http.StatusOK, map[string]string{"transactionId": v.open})
	case r.URL.Path == "/v1/legal" && r.Method == http.MethodPost && v.open == "":
		v.begin(w, r)
	case r.URL.Path == "/v1/legal" && r.Method == http.MethodPut && id != "" && id == v.open:
		v.finish(id)
		write(w, http.StatusOK, map[string]any{"meterValue": map[string]int{"transactionStatus": 25}})
	case r.URL.Path == "/v1/ocmf" && r.Method == http.MethodGet && v.record(id) != "":
		fmt.Fprint(w, v.record(id))
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
}

func (v *Virtual) begin(w http.ResponseWriter, r *http.Request) {
	var b begin
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAnswer)).Decode(&b); err != nil || b.Transaction == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	v.open = b.Transaction
	v.begun[b.Transaction] = v.point("B")
	write(w, http.StatusCreated, map[string]any{"transactionId": b.Transaction, "running": true})
}

func (v *Virtual) finish(id string) {
	v.done[id] = v.sign(id, v.point("E"))
	v.open = ""
}

// record is what is signed of a transaction: all of it, or as far as it goes.
func (v *Virtual) record(id string) string {
	if id != "" && id == v.open {
		return v.sign(id, v.point("C"))
	}
	return v.done[id]
}

// point is a reading for a record.
func (v *Virtual) point(reason string) ocmf.Reading {
	return ocmf.Reading{At: v.reading.At.UTC(), Clock: 'S', Reason: reason, Value: v.reading.Import, Register: "01-00:98.08.00*FF", Current: "DC"}
}

func (v *Virtual) sign(id string, point ocmf.Reading) string {
	v.page++
	text, err := ocmf.Sign(ocmf.Payload{Gateway: "Virtual DCBM", GatewaySerial: v.serial, Page: v.page, Vendor: "LEM", Model: "DCBM", Serial: v.serial,
		Identified: true, IDType: "UNDEFINED", ID: id, Readings: []ocmf.Reading{v.begun[id], point}}, v.key)
	if err != nil {
		panic(err) // of a key that was just made
	}
	return string(text)
}

// decimal spells v * 10^-places.
func decimal(v int64, places int) json.Number {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%0*d", places+1, v)
	return json.Number(sign + s[:len(s)-places] + "." + s[len(s)-places:])
}

func write(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}

// Reading returns a reading of DC with its power, for Set.
func Reading(at time.Time, volts unit.Voltage, amps unit.Current, imported unit.Energy) hal.MeterReading {
	return hal.MeterReading{At: at, Voltage: [3]unit.Voltage{volts}, Current: [3]unit.Current{amps}, Power: amps.Times(volts), Import: imported}
}
