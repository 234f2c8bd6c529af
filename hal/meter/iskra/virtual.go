package iskra

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/meter"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/unit"
)

// workPolls is how often the status of a virtual meter is asked for before it has signed.
const workPolls = 3

// Virtual is a WM3M4 in memory, with a key of its own: a modbus.Unit that answers as the meter does, as far as Meter asks. It
// shows what it is given, and its clock goes on from what it was told.
type Virtual struct {
	*meter.Slave
	key *ecdsa.PrivateKey
	now func() time.Time

	mu      sync.Mutex // guards all below
	reading hal.MeterReading
	regs    modbus.Memory
	clock   time.Time // when it was told the time, by now
	first   string
	page    int
	work    int // how many times the status is still "in progress"
	status  uint16
	told    int // metadata that came
}

var _ modbus.Unit = (*Virtual)(nil)

// NewVirtual returns a virtual meter with a new key. now is monotonic; nil is time.Now.
func NewVirtual(now func() time.Time) (*Virtual, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	model, err := meter.Find("iskra/wm3m4")
	if err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	v := &Virtual{Slave: meter.NewSlave(model), key: key, now: now, clock: now(), regs: modbus.Memory{}, status: signed}
	v.regs.Set(modbus.Holding, regState, make([]uint16, regSignature+maxSig-regState)...)
	v.regs.Set(modbus.Holding, regStatus, 1)
	v.regs.Set(modbus.Holding, regKey, pack(string(point[1:]))...)
	return v, nil
}

// Set lets the meter show a reading, and count by it.
func (v *Virtual) Set(r hal.MeterReading) {
	v.mu.Lock()
	v.reading = r
	v.mu.Unlock()
	v.Slave.Set(r)
}

// Refuse lets the meter answer each command with this status (128 and more: an error), 0: it signs.
func (v *Virtual) Refuse(status uint16) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.status = status; status == 0 {
		v.status = signed
	}
}

// CutPower lets the meter forget the time and whose transaction it counts.
func (v *Virtual) CutPower() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.get(regState) == active {
		v.regs.Set(modbus.Holding, regState, afterPower)
	}
	v.regs.Set(modbus.Holding, regMetaBytes, 0)
	v.regs.Set(modbus.Holding, regSynced, 0)
}

func (v *Virtual) get(at uint16) uint16 { return v.regs[modbus.Holding][at] }

// ReadTable implements modbus.Unit.
func (v *Virtual) ReadTable(kind modbus.Kind, address, count uint16) ([]uint16, error) {
	if kind == modbus.Input {
		return v.Slave.ReadTable(kind, address, count)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if address == regStatus && v.work > 0 {
		if v.work--; v.work == 0 {
			v.regs.Set(modbus.Holding, regStatus, v.status)
		}
	}
	return v.regs.ReadTable(kind, address, count)
}

// WriteTable implements modbus.Unit.
func (v *Virtual) WriteTable(kind modbus.Kind, address uint16, values []uint16) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.regs.WriteTable(kind, address, values); err != nil {
		return err
	}
	switch address {
	case regTime + 1:
		v.clock = v.now()
	case regMetaBytes:
		v.told++
	case regCommand:
		return v.command(values[0])
	}
	return nil
}

func (v *Virtual) command(c uint16) error {
	state := v.get(regState)
	switch {
	case c == beginning && state == idle:
		v.first = v.point("B")
		v.regs.Set(modbus.Holding, regState, active)
	case c == ending && state != idle && v.get(regMetaBytes) > 0:
		v.sign(v.point("E"))
		v.regs.Set(modbus.Holding, regState, idle)
	default:
		return modbus.IllegalValue
	}
	v.regs.Set(modbus.Holding, regStatus, 2)
	v.work = workPolls
	return nil
}

// point is the register now, in the words of the format.
func (v *Virtual) point(reason string) string {
	at := time.Unix(int64(v.get(regTime))<<16|int64(v.get(regTime+1)), 0).UTC().Add(v.now().Sub(v.clock))
	mark := "I"
	if v.get(regSynced) == synced {
		mark = "S"
	}
	return fmt.Sprintf(`{"TM":"%s %s","TX":"%s","RV":%d,"RI":"01-00:01.08.00*FF","RU":"Wh","ST":"G"}`, at.Format("2006-01-02T15:04:05,000-0700"), mark, reason,
		v.reading.Import/unit.WattHour)
}

// sign fills the head of the record with what the station told, and signs; its signature has zeros that do not belong there.
func (v *Virtual) sign(last string) {
	var h map[string]any
	words, _ := v.regs.ReadTable(modbus.Holding, regMeta, (v.get(regMetaBytes)+1)/2)
	if err := json.Unmarshal(unpack(words)[:v.get(regMetaBytes)], &h); err != nil {
		h = map[string]any{} // nobody told it anything of use
	}
	v.page++
	h["PG"], h["MS"], h["MV"] = fmt.Sprint("T", v.page), "4711", "ISKRA"
	h["RD"] = []json.RawMessage{json.RawMessage(v.first), json.RawMessage(last)}
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // plain data only
	}
	text = bytes.ReplaceAll(text, []byte("|"), []byte(`\u007c`)) // as it was told
	sum := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		panic(err) // of a key that was just made, with the system's randomness
	}
	der := append([]byte{0x30, 70, 2, 33}, r.FillBytes(make([]byte, 33))...)
	der = append(append(der, 2, 33), s.FillBytes(make([]byte, 33))...)
	v.regs.Set(modbus.Holding, regData, pack(string(text))...)
	v.regs.Set(modbus.Holding, regDataBytes, uint16(len(text)))
	v.regs.Set(modbus.Holding, regSignature, pack(string(der))...)
	v.regs.Set(modbus.Holding, regSigBytes, uint16(len(der)))
}
