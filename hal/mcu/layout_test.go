package mcu

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/mcu.md")

// place is one field of a message: where its bytes lie and what they mean. A bit of flags has a mask.
type place struct {
	at, size int
	mask     int
	field    string
	text     string
}

// layout is one message as docs/mcu.md shows it. The test below holds it against the code that reads and writes.
type layout struct {
	kind   int
	name   string
	from   string
	size   int
	places []place
	sample func() any
}

var layouts = []layout{
	{KindBegin, "Begin", "agent", beginSize, []place{
		{0, 2, 0, "Lowest", "lowest version that the agent speaks"}, {2, 2, 0, "Highest", "highest version"},
		{4, 4, 0, "Session", "number of the session, never 0 and never the one before"},
		{8, 2, 0, "Beat", "ms between two permits of a connector"}, {10, 2, 0, "Silence", "ms without a permit after which the agent is gone"},
		{12, 1, 0, "Fallback", "1: on silence go on at the controller's fallback current; 0: open"},
		{13, 1, 0, "Connectors", "connectors that the board has behind this controller"},
		{14, 4, 0, "Owns", "functions that the board gives to the controller"},
	}, func() any { return &Begin{Session: 1, Beat: 1, Silence: 0xFF01} }},
	{KindPermit, "Permit", "agent", permitSize, []place{
		{0, 4, 0, "Session", ""}, {4, 1, 0, "Connector", "from 1"},
		{5, 1, permitClose, "Close", "the contactor may be closed"}, {5, 1, permitLock, "Lock", "the plug shall be locked"},
		{5, 1, permitUnlock, "Unlock", "the plug shall be free; neither: the lock stays as it is"},
		{6, 1, 0, "Phases", "lines to close, 1 or 3; 0 without Close"},
		{8, 2, 0, "Duty", "0.01 %; 10000 steady high, 0 steady low"},
		{10, 2, 0, "MaxCurrent", "0.1 A per phase that this duty offers; 0: none, or not by the duty"},
		{12, 4, 0, "Acknowledge", "latched faults that may clear once their cause is gone"},
		{16, 2, 0, "Generation", "of the faults that are meant"},
	}, func() any { return &Permit{Session: 1, Connector: 1} }},
	{KindHello, "Hello", "controller", helloSize, []place{
		{0, 2, 0, "Version", "the highest that both speak; 0: none, and only the fields up to Session follow"},
		{2, 2, 0, "Lowest", ""}, {4, 2, 0, "Highest", ""}, {6, 4, 0, "Session", "of the Begin that this answers"},
		{10, 4, 0, "Boot", "another number after each reset"},
		{14, 2, 0, "Silence", "ms that it keeps: at most what was asked"}, {16, 2, 0, "MaxCurrent", "0.1 A per phase that it ever offers"},
		{18, 2, 0, "Fallback", "0.1 A that it offers on silence; 0: it opens"}, {20, 1, 0, "Connectors", ""}, {21, 1, 0, "Phases", ""},
		{22, 1, 0, "Reset", "why it last started"}, {24, 4, 0, "Owns", "functions that it owns"},
		{28, 20, 0, "Firmware", "text, filled with zeros"},
	}, func() any { return &Hello{Version: 1} }},
	{KindBoard, "Board", "controller", boardSize, []place{
		{0, 4, 0, "Session", "0: it has none and waits for a Begin"}, {4, 4, 0, "Boot", ""}, {8, 4, 0, "Uptime", "s"},
		{12, 1, 0, "Reset", ""}, {13, 1, 1, "EmergencyStop", "of everything behind this controller"},
		{14, 2, 0, "Supply", "mV of the pilot's positive rail"}, {16, 2, 0, "Temperature", "0.1 °C; 0x8000: no thermometer"},
		{18, 2, 0, "BadFrames", "that it received, modulo 65536"},
	}, func() any { return &Board{} }},
	{KindStatus, "Status", "controller", statusSize, []place{
		{0, 4, 0, "Session", ""}, {4, 1, 0, "Connector", ""}, {5, 1, 0, "State", "0 unknown, 1 to 6: A to F, of the levels below"},
		{6, 2, statusCoil, "Coil", "it drives the contactor"}, {6, 2, statusLocked, "Locked", "the lock's own contact"},
		{6, 2, statusTripped, "Tripped", "residual-current device"}, {6, 2, statusStop, "EmergencyStop", "of this connector"},
		{6, 2, statusHeld, "Held", "it has opened by itself and stays open until a permit without Close"},
		{6, 2, statusSilent, "Silent", "it does not hear the agent"}, {6, 2, statusLimited, "Limited", "it offers less than was permitted"},
		{8, 2, 0, "High", "mV of the pilot while it is driven high"}, {10, 2, 0, "Low", "mV while it is driven low; as High without PWM"},
		{12, 2, 0, "Proximity", "Ohm; 65535: open, or not fitted"}, {14, 2, 0, "Duty", "0.01 % that it drives"},
		{16, 1, contactMain, "Main", "mirror contact: L1 and N are closed"}, {16, 1, contactExtra, "Extra", "L2 and L3 are closed"},
		{17, 1, 0, "Phases", "lines that it drives"}, {18, 2, 0, "Socket", "0.1 °C; 0x8000: no thermometer"}, {20, 2, 0, "Cable", "likewise"},
		{22, 4, 0, "Faults", "whose cause is there now"}, {26, 4, 0, "Latched", "that stay until they are acknowledged"},
		{30, 2, 0, "Generation", "another number each time that a fault is latched"},
		{32, 1, 0, "Permit", "sequence of the newest permit that it took"}, {33, 1, 0, "Opened", "why it last opened"},
	}, func() any { return &Status{} }},
}

type message interface {
	Append([]byte) []byte
	Parse([]byte) error
}

// TestLayout: each field of each message lies where the table says, nothing else does, and everything comes back.
func TestLayout(t *testing.T) {
	for _, l := range layouts {
		covered := make([]byte, l.size)
		zero := l.sample().(message).Append(nil)
		if len(zero) != l.size || l.size > MaxPayload {
			t.Fatalf("%s: %d bytes, the table says %d", l.name, len(zero), l.size)
		}
		for _, p := range l.places {
			m := l.sample()
			set(reflect.ValueOf(m).Elem().FieldByName(p.field), p)
			got := m.(message).Append(nil)
			for i := range got {
				if inside := i >= p.at && i < p.at+p.size; !inside && got[i] != zero[i] {
					t.Errorf("%s.%s changes byte %d, the table says %d", l.name, p.field, i, p.at)
				}
			}
			if bytes.Equal(got, zero) {
				t.Errorf("%s.%s changes nothing", l.name, p.field)
			}
			for i := range p.size {
				covered[p.at+i] = 1
			}
		}
		fields := reflect.TypeOf(l.sample()).Elem().NumField()
		if fields != len(l.places) {
			t.Errorf("%s has %d fields, the table %d", l.name, fields, len(l.places))
		}
		for i, c := range covered {
			if c == 0 && zero[i] != 0 {
				t.Errorf("%s: byte %d belongs to nothing and is not zero", l.name, i)
			}
		}
	}
}

// set gives a field another value than it has.
func set(v reflect.Value, p place) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int16:
		v.SetInt(v.Int() + 0x101)
	case reflect.Array:
		v.Index(p.size - 1).SetUint('x')
	default:
		v.SetUint(v.Uint() + 1)
	}
}

// TestRoundTrip: what is written is read again, with every field set.
func TestRoundTrip(t *testing.T) {
	for _, m := range []message{
		&Begin{1, 2, 3, 100, 300, true, 2, OwnPilot | OwnWeld},
		&Permit{9, 2, true, true, false, 3, 2666, 160, FaultWelded, 7},
		&Permit{9, 2, false, false, true, 0, 10000, 0, 0, 0},
		&Hello{1, 1, 4, 9, 1 << 31, 300, 320, 60, 2, 3, ResetBrownOut, AllFunctions, [firmwareSize]byte{'v', '1'}},
		&Hello{Lowest: 4, Highest: 5, Session: 6},
		&Board{9, 8, 7, ResetCrash, true, 12010, -205, 65535},
		&Status{9, 1, stateC, true, true, true, true, true, true, true, 6000, -12000, 220, 2666, true, true, 3, 255, NoTemperature, FaultDiode, FaultWelded, 3, 255, OpenedBySilence},
	} {
		again := reflect.New(reflect.TypeOf(m).Elem()).Interface().(message)
		if err := again.Parse(m.Append(nil)); err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%v: %+v, want %+v", err, again, m)
		}
	}
}

// TestRefusedMessages: what no end says is read as nothing.
func TestRefusedMessages(t *testing.T) {
	ok := Permit{Session: 1, Connector: 1, Close: true, Phases: 3, Duty: 5000}
	for name, change := range map[string]func(p *Permit){
		"both ways": func(p *Permit) { p.Lock, p.Unlock = true, true }, "two phases": func(p *Permit) { p.Phases = 2 },
		"phases while open": func(p *Permit) { p.Close = false }, "duty": func(p *Permit) { p.Duty = 10001 },
		"no session": func(p *Permit) { p.Session = 0 }, "no connector": func(p *Permit) { p.Connector = 0 },
	} {
		p := ok
		change(&p)
		if err := new(Permit).Parse(p.Append(nil)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	for _, l := range layouts {
		whole := l.sample().(message).Append(nil)
		for n := range len(whole) {
			if err := l.sample().(message).Parse(whole[:n]); err == nil && !(l.kind == KindHello && n >= 10) {
				t.Errorf("%s of %d bytes: read", l.name, n)
			}
		}
	}
}

const (
	docPath   = "../../docs/mcu.md"
	docBegins = "<!-- tables: go test ./hal/mcu -update -->\n"
	docEnds   = "<!-- end of tables -->\n"
)

// TestDocument: the tables of docs/mcu.md are those of this file.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile(docPath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), docBegins)
	old, after, ok2 := strings.Cut(rest, docEnds)
	if !ok || !ok2 {
		t.Fatalf("%s: no place for tables", docPath)
	}
	want := tables()
	if *update {
		if err := os.WriteFile(docPath, []byte(before+docBegins+want+docEnds+after), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Errorf("%s is not of this version: go test ./hal/mcu -update", docPath)
	}
}

func tables() string {
	var w strings.Builder
	for _, l := range layouts {
		fmt.Fprintf(&w, "\n### %s, 0x%02x, from the %s, %d bytes\n\n| at | bytes | field | meaning |\n|---|---|---|---|\n", l.name, l.kind, l.from, l.size)
		for _, p := range l.places {
			at := fmt.Sprint(p.at)
			if p.mask != 0 {
				at += fmt.Sprintf(", bit %d", len(fmt.Sprintf("%b", p.mask))-1)
			}
			fmt.Fprintf(&w, "| %s | %d | %s | %s |\n", at, p.size, p.field, p.text)
		}
	}
	list := func(title string, n int, name func(int) string) {
		fmt.Fprintf(&w, "\n### %s\n\n| number | name |\n|---|---|\n", title)
		for i := range n {
			fmt.Fprintf(&w, "| %d | %s |\n", i, name(i))
		}
	}
	list("Functions, by bit", len(functionNames), func(i int) string { return functionNames[i] })
	list("Faults, by bit", len(faultNames), func(i int) string {
		return fmt.Sprintf("%s (the station's %s)", faultNames[i].name, faultNames[i].is)
	})
	list("Reasons of a reset", len(resetNames), func(i int) string { return resetNames[i] })
	list("Reasons of an opening", len(openedNames), func(i int) string { return openedNames[i] })
	fmt.Fprintln(&w)
	return w.String()
}
