package guard

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

func testTable() Table {
	return Table{Board: "bench-2", Silence: 3 * time.Second, Hold: time.Second, PollIdle: 50 * time.Millisecond, PollPlugged: 5 * time.Millisecond,
		Watchdog: Device{Kind: DeviceRig, Chip: 5},
		Connectors: []TableConnector{{
			Config: iec61851.Config{Ref: term.Ref{EVSE: 1, Connector: 1}, MaxCurrent: 32 * unit.Ampere, Phases: 3, Tethered: true, HasFeedback: true,
				Meter: iec61851.MeterStop, MaxTemperature: 90 * unit.Celsius, MaxCableTemperature: -1},
			Pilot: Device{Kind: DeviceRig, Flags: 1, Chip: 5, Line: 7, Arg: -3}, Contactor: Device{Kind: DeviceRig, Chip: 5}, Diagnosis: Device{Kind: 200},
		}, {Config: iec61851.Config{Ref: term.Ref{EVSE: 2, Connector: 1}, MaxCurrent: 16 * unit.Ampere, Phases: 1, HasLock: true, Ventilation: true},
			Pilot: Device{Kind: DeviceParts, Line: 2}, Contactor: Device{Kind: DeviceParts, Chip: 2, Line: 1}}},
		Parts: []hal.Part{
			{Kind: hal.PartPWM, Role: hal.RolePilotPWM, Flags: hal.PartInverted, Name: "20fc000.pwm/0", A: 1_000_000},
			{Kind: hal.PartADC, Role: hal.RolePilotHigh, Name: strings.Repeat("x", hal.MaxPartName), A: -11_310_000, B: -1, C: 5, D: 1 << 30},
			{Kind: hal.PartOutput, Role: hal.RoleMainDrive, Name: "RELAY_1_ENABLE", B: 15},
		}}
}

func TestTableRoundTripAndDamage(t *testing.T) {
	want := testTable()
	b, err := want.Append(nil)
	if err != nil || len(b) != tableHeader+2*connectorSize+3*partSize+4 {
		t.Fatal(len(b), err)
	}
	got, err := ParseTable(b)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 4
		if _, err := ParseTable(damaged); !errors.Is(err, ErrTable) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := ParseTable(b[:i]); !errors.Is(err, ErrTable) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	for name, edit := range map[string]func(*Table){
		"long name":       func(t *Table) { t.Board = "a board with a name that is too long" },
		"fine silence":    func(t *Table) { t.Silence = time.Microsecond },
		"negative hold":   func(t *Table) { t.Hold = -time.Second },
		"big current":     func(t *Table) { t.Connectors[0].MaxCurrent = 1 << 33 },
		"many connectors": func(t *Table) { t.Connectors = make([]TableConnector, MaxConnectors+1) },
		"many parts":      func(t *Table) { t.Parts = make([]hal.Part, MaxParts+1) },
		"long part":       func(t *Table) { t.Parts[1].Name += "x" },
		"NUL in a part":   func(t *Table) { t.Parts[0].Name = "a\x00b" },
	} {
		bad := testTable()
		if edit(&bad); true {
			if _, err := bad.Append(nil); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
	}
}

func TestTableOpensDevices(t *testing.T) {
	table := testTable()
	none := errors.New("no such driver")
	if _, err := table.Config(func(Device, Parts) (any, error) { return nil, none }); !errors.Is(err, none) {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := table.Config(func(Device, Parts) (any, error) { return 1, nil }); err == nil {
		t.Error("a number was taken for a contactor")
	}
}

// coil is a contactor that notes what it was told.
type coil struct{ opened int }

func (c *coil) Set(closed bool, _ uint8) error {
	if !closed {
		c.opened++
	}
	return nil
}
func (c *coil) Closed() (bool, error) { return false, nil }

// TestTableOpensContactorsFirst: each contactor is told to open before anything else of the board is touched, whatever is
// wrong with another one or with the rest.
func TestTableOpensContactorsFirst(t *testing.T) {
	table := testTable()
	table.Connectors = append(table.Connectors, table.Connectors[1])
	table.Connectors[2].Ref = term.Ref{EVSE: 3, Connector: 1}
	missing := errors.New("no such line")
	coils, attempts := []*coil{}, 0
	open := func(d Device, parts Parts) (any, error) {
		switch {
		case d == table.Connectors[0].Contactor:
			if attempts++; attempts == 2 && len(coils) != 2 {
				t.Errorf("%d contactors opened before one is tried again", len(coils))
			}
			return nil, missing
		case len(parts) == 1 && parts[0].Name == "RELAY_1_ENABLE":
			coils = append(coils, &coil{})
			return coils[len(coils)-1], nil
		}
		t.Errorf("device %+v with %d parts opened although a contactor is missing", d, len(parts))
		return nil, missing
	}
	_, err := table.Config(open)
	if !errors.Is(err, missing) || !strings.Contains(err.Error(), "connector 1.1: contactor") {
		t.Errorf("%v", err)
	}
	if len(coils) != 2 || coils[0].opened != 1 || coils[1].opened != 1 || attempts != 2 {
		t.Errorf("%d contactors opened, %d attempts at the missing one", len(coils), attempts)
	}
}

func TestTableRefusesPartsThatAreNotThere(t *testing.T) {
	for _, d := range []Device{{Kind: DeviceParts}, {Kind: DeviceParts, Line: 4}, {Kind: DeviceParts, Chip: 3, Line: 1},
		{Kind: DeviceParts, Line: 1 << 31}, {Kind: DeviceParts, Line: 1, Flags: 1}, {Kind: DeviceParts, Line: 1, Arg: 1}} {
		table := testTable()
		table.Connectors[0].Contactor = d
		_, err := table.Config(func(Device, Parts) (any, error) { return &coil{}, nil })
		if err == nil || !strings.Contains(err.Error(), "the table has 3 parts") {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	table := testTable()
	b, err := table.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, true)
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		b = bytes.Clone(b)
		if right && len(b) > 4 {
			seal(b)
		}
		table, err := ParseTable(b)
		if err != nil {
			return
		}
		again, err := table.Append(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x, %v", b, again, err)
		}
	})
}
