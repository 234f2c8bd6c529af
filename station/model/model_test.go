package model

import (
	"bytes"
	"log/slog"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

func TestAccessors(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	if got := m.Int(MessageAttemptsTransactionEvent); got != 5 {
		t.Errorf("Int %d", got)
	}
	if !m.Bool(AuthEnabled) || m.Bool(TxBeforeAcceptedEnabled) {
		t.Error("Bool")
	}
	if got := m.Duration(EVConnectionTimeOut); got != 2*time.Minute {
		t.Errorf("Duration %v", got)
	}
	if got := m.List(NetworkConfigurationPriority); len(got) != 2 || got[0] != "1" || got[1] != "2" {
		t.Errorf("List %v", got)
	}
	if !m.Has(TxStartPoint, "PowerPathClosed") || m.Has(TxStartPoint, "Authorized") {
		t.Error("Has")
	}
	if m.Text(Identity) != "cp001" || m.Text(StationVendorName) != "Vendor" || m.Text(StationSupplyPhases) != "3" {
		t.Errorf("Text %q %q %q", m.Text(Identity), m.Text(StationVendorName), m.Text(StationSupplyPhases))
	}
	if m.TextAt(term.Ref{EVSE: 2}, EVSEAllowReset) != "true" || m.TextAt(term.Ref{EVSE: 2, Connector: 2}, ConnectorType) != "cType2" ||
		m.TextAt(term.Ref{EVSE: 9}, EVSEAllowReset) != "" {
		t.Error("TextAt")
	}
	allocs := testing.AllocsPerRun(100, func() {
		_ = m.Int(HeartbeatInterval) + len(m.List(TxStartPoint))
		_ = m.Bool(AuthEnabled)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestAccessorsPanicOnTheWrongRow(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	for name, read := range map[string]func(){
		"Int of a boolean":           func() { m.Int(AuthEnabled) },
		"Bool of an integer":         func() { m.Bool(HeartbeatInterval) },
		"List of a string":           func() { m.List(Identity) },
		"Duration of a number":       func() { m.Duration(ResetRetries) },
		"Text of a computed value":   func() { m.Text(DateTime) },
		"Text of an EVSE's row":      func() { m.Text(EVSEAllowReset) },
		"Put into a connector's row": func() { _, _ = m.Put(ConnectorType, "x") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			read()
		}()
	}
}

func TestPutChecksTheRangeButNotTheMutability(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	change, err := m.Put(HeartbeatInterval, "300") // B01.FR.04
	if err != nil || change.ID != HeartbeatInterval || change.Key != "OCPPCommCtrlr/HeartbeatInterval" || change.Value != "300" {
		t.Fatalf("%+v %v", change, err)
	}
	if _, err := m.Put(HeartbeatInterval, "0"); err == nil || m.Int(HeartbeatInterval) != 300 {
		t.Fatalf("0 is taken: %v", err)
	}
	if _, err := m.Put(ItemsPerMessageGetReport, "4"); err != nil || m.Int(ItemsPerMessageGetReport) != 4 {
		t.Fatalf("read-only row: %v", err)
	}
	if _, err := m.Put(SecurityProfile, "1"); err == nil {
		t.Fatal("a computed row is taken")
	}
}

func TestOverride(t *testing.T) {
	for _, row := range []struct {
		name, key, value string
		attribute        Attribute
		err              string // part of the message; "" if it works
	}{
		{name: "settable", key: "TxCtrlr/TxStartPoint", value: "EVConnected"},
		{name: "read-only", key: "DeviceDataCtrlr/ItemsPerMessage#GetReport", value: "4"},
		{name: "read-only of an EVSE", key: "EVSE@1/AllowReset", value: "false"},
		{name: "write-only", key: "SecurityCtrlr/BasicAuthPassword", value: "0123456789ABCDEF"},
		{name: "computed", key: "ClockCtrlr/DateTime", value: "2030-01-01T00:00:00Z", err: "computed"},
		{name: "bad value", key: "TxCtrlr/TxStartPoint", value: "Whenever", err: "InvalidValue"},
		{name: "unknown component", key: "NoCtrlr/TxStartPoint", value: "x", err: "UnknownComponent"},
		{name: "unknown variable", key: "TxCtrlr/Nothing", value: "x", err: "UnknownVariable"},
		{name: "other attribute", key: "TxCtrlr/TxStartPoint", value: "EVConnected", attribute: Target, err: "NotSupportedAttributeType"},
		{name: "identity with a colon", key: "SecurityCtrlr/Identity", value: "a:b", err: "InvalidValue"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newModel(t, twoEVSEs(), nil)
			c, v := named(t, row.key)
			change, err := m.Override(c, v, row.attribute, row.value)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("error %v, want one of %s", err, row.err)
				}
				return
			}
			if err != nil || change.Key != row.key || change.Value != row.value {
				t.Fatalf("%+v %v", change, err)
			}
		})
	}
}

func TestRestoreRefusesWhatIsGone(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	for _, row := range [][2]string{
		{"TxCtrlr/TxStartPoint", "Whenever"}, {"TxCtrlr/Gone", "1"}, {"GoneCtrlr/Interval", "1"}, {"EVSE@9/AllowReset", "true"},
		{"no key", "1"}, {"EVSE@x/AllowReset", "true"}, {"Connector@1.y/Available", "true"}, {"", ""}, {"EVSE@99999999999/AllowReset", "true"},
	} {
		if err := m.Restore(row[0], row[1]); err == nil {
			t.Errorf("%q = %q is taken", row[0], row[1])
		}
	}
	if got := m.Text(TxStartPoint); got != "PowerPathClosed" {
		t.Errorf("the default became %q", got)
	}
}

func TestChangeKeepsSecretsOutOfLogs(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	change, err := m.Put(BasicAuthPassword, "0123456789abcDEF")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("set", "change", change)
	if s := out.String(); strings.Contains(s, "0123456789") || !strings.Contains(s, change.Key) {
		t.Fatalf("logged %q", s)
	}
}

func TestKeysAreReadBack(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	for i := range m.entries {
		e := &m.entries[i]
		c, v, ok := parseKey(m.key(e))
		if !ok || c != m.comps[e.comp].Component || v != e.row.variable() {
			t.Errorf("%s reads back as %v %v", m.key(e), c, v)
		}
	}
}

// candidate makes a value for a row: often allowed, sometimes not.
func candidate(rnd *rand.Rand, e *entry) string {
	switch e.chars.DataType {
	case TypeInteger:
		return strconv.Itoa(rnd.Intn(100_000) - 10)
	case TypeBoolean:
		return []string{"true", "false", "maybe"}[rnd.Intn(3)]
	case TypeOptionList:
		words := splitList(e.chars.ValuesList)
		return words[rnd.Intn(len(words))]
	case TypeMemberList, TypeSequenceList:
		words := splitList(e.chars.ValuesList)
		rnd.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		return strings.Join(words[:rnd.Intn(len(words)+1)], []string{",", ", "}[rnd.Intn(2)])
	}
	b := make([]byte, rnd.Intn(70))
	for i := range b {
		b[i] = "abcXYZ019-_@ "[rnd.Intn(13)]
	}
	return string(b)
}

// TestSetGetRestore: whatever Set accepts, Get tells, and a fresh model that replays the changes is the same model.
func TestSetGetRestore(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	accepted, refused := 0, 0
	for round := 0; round < 200; round++ {
		m := newModel(t, twoEVSEs(), nil)
		var journal []Change
		for step := 0; step < 20; step++ {
			e := &m.entries[rnd.Intn(len(m.entries))]
			key, raw := m.key(e), candidate(rnd, e)
			before := e.value.text
			result, changes := setOne(t, m, key, raw)
			journal = append(journal, changes...)
			if result.Status != SetAccepted {
				refused++
				if e.value.text != before || len(changes) != 0 || result.Reason == "" {
					t.Fatalf("%s = %q was refused (%s) and became %q", key, raw, result.Reason, e.value.text)
				}
				continue
			}
			accepted++
			want := raw
			if e.chars.DataType.isList() {
				want = strings.ReplaceAll(raw, " ", "")
			}
			got := getOne(t, m, key, Actual)
			if e.mut == WriteOnly {
				if got.Status != GetRejected || e.value.text != raw {
					t.Fatalf("%s: %+v", key, got)
				}
			} else if got.Status != GetAccepted || got.Value != want {
				t.Fatalf("%s = %q reads back as %+v", key, raw, got)
			}
		}
		again := newModel(t, twoEVSEs(), nil)
		for twice := 0; twice < 2; twice++ { // a Record may be replayed twice
			for _, c := range journal {
				if err := again.Restore(c.Key, c.Value); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range m.entries {
			a, b := &m.entries[i], &again.entries[i]
			if a.value.text != b.value.text || a.value.num != b.value.num || a.set != b.set || strings.Join(a.value.list, ",") != strings.Join(b.value.list, ",") {
				t.Fatalf("%s: %+v before, %+v after", m.key(a), a.value, b.value)
			}
		}
	}
	if accepted < 500 || refused < 500 {
		t.Fatalf("%d accepted, %d refused: the test has lost its grip", accepted, refused)
	}
}
