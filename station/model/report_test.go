package model

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station/term"
)

// rows drains a cursor three rows at a time.
func rows(c Cursor) []ReportRow {
	var all []ReportRow
	for {
		buf := make([]ReportRow, 3)
		n := c.Next(buf)
		all = append(all, buf[:n]...)
		if n < len(buf) {
			return all
		}
	}
}

// names returns the rows by name, in order.
func names(all []ReportRow) []string {
	keys := make([]string, len(all))
	for i, r := range all {
		keys[i] = keyOf(r.Component, r.Variable)
	}
	return keys
}

func wantNames(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func report(t *testing.T, m *Model, base Base) []ReportRow {
	t.Helper()
	c, status := m.Report(base)
	if status != ReportAccepted { // B07.FR.01
		t.Fatalf("%s: %s", base, status)
	}
	return rows(c)
}

func TestFullInventoryHasEveryVariableOnce(t *testing.T) { // B07.FR.08, B07.FR.11
	m := newModel(t, twoEVSEs(), nil)
	all := report(t, m, FullInventory)
	if len(all) != len(m.entries) {
		t.Fatalf("%d rows of %d variables", len(all), len(m.entries))
	}
	seen := map[string]bool{}
	for i, key := range names(all) {
		if seen[key] {
			t.Errorf("%s twice", key)
		}
		seen[key] = true
		r := &all[i]
		if len(r.Attributes) != 1 || r.Attributes[0].Type != Actual {
			t.Errorf("%s: attributes %v", key, r.Attributes)
			continue
		}
		a := r.Attributes[0]
		if a.HasValue != (a.Mutability != WriteOnly) { // B07.FR.03 with errata 2025-09
			t.Errorf("%s: %s, has value %v", key, a.Mutability, a.HasValue)
		}
		if a.Mutability != ReadOnly && !a.Persistent {
			t.Errorf("%s can be set and is not persistent", key)
		}
		if a.Constant && a.Mutability != ReadOnly {
			t.Errorf("%s can be set and is constant", key)
		}
	}
}

func TestReportsAreInStableOrder(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	all := names(report(t, m, FullInventory))
	wantNames(t, names(report(t, m, FullInventory)), all...)
	tail := all[len(all)-6*3-2-7-6-1:] // two of the connectors have a lock, one meter signs
	if tail[0] != "EVSE@1/AllowReset" || tail[7] != "FiscalMetering@1/PublicKey" || tail[8] != "Connector@1.1/AvailabilityState" || tail[15] != "EVSE@2/AllowReset" {
		t.Fatalf("tiers are out of order: %v", tail)
	}
}

func TestConfigurationInventoryIsWhatCanBeSet(t *testing.T) { // B07.FR.07
	m := newModel(t, twoEVSEs(), nil)
	var want []string
	for i := range m.entries {
		if m.entries[i].mut != ReadOnly {
			want = append(want, m.key(&m.entries[i]))
		}
	}
	got := report(t, m, ConfigurationInventory)
	wantNames(t, names(got), want...)
	password := false
	for _, r := range got {
		if r.ID == BasicAuthPassword {
			password = true
			if a := r.Attributes[0]; a.HasValue || a.Value != "" || a.Mutability != WriteOnly {
				t.Errorf("password is reported as %+v", a)
			}
		}
	}
	if !password {
		t.Error("the write-only password is missing")
	}
}

func TestSummaryInventory(t *testing.T) { // B07.FR.09
	live := world{}
	live.set(StationAvailabilityState, term.Ref{}, "Available")
	live.set(EVSEAvailabilityState, term.Ref{EVSE: 1}, "Available")
	live.set(ConnectorAvailabilityState, term.Ref{EVSE: 1, Connector: 1}, "Available")
	live.set(EVSEAvailabilityState, term.Ref{EVSE: 2}, "Occupied")
	live.set(ConnectorAvailabilityState, term.Ref{EVSE: 2, Connector: 1}, "Occupied")
	live.set(ConnectorAvailabilityState, term.Ref{EVSE: 2, Connector: 2}, "Faulted")
	live.set(EVSEProblem, term.Ref{EVSE: 1}, "false")
	live.set(ConnectorProblem, term.Ref{EVSE: 2, Connector: 2}, "true")
	m := newModel(t, twoEVSEs(), live)
	got := report(t, m, SummaryInventory)
	wantNames(t, names(got),
		"ChargingStation/AvailabilityState",
		"EVSE@1/AvailabilityState",
		"EVSE@2/AvailabilityState",
		"Connector@2.2/AvailabilityState",
		"Connector@2.2/Problem",
	)
	if v := got[3].Attributes[0].Value; v != "Faulted" {
		t.Errorf("connector 2.2 is %s", v)
	}
}

func TestReportOfUnknownBase(t *testing.T) { // B07.FR.02
	m := newModel(t, twoEVSEs(), nil)
	c, status := m.Report("EverythingInventory")
	if status != ReportNotSupported || c.More() || c.Next(make([]ReportRow, 1)) != 0 {
		t.Fatalf("got %s", status)
	}
}

func TestCharacteristicsOfTheBoard(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	limits := map[string]string{}
	values := map[string]string{}
	for _, r := range report(t, m, FullInventory) {
		key := keyOf(r.Component, r.Variable)
		values[key] = r.Characteristics.ValuesList
		if l := r.Characteristics.MaxLimit; l.Set {
			limits[key] = l.Value.String()
		}
	}
	for key, want := range map[string]string{
		"EVSE@1/Power": "22080", "EVSE@2/Power": "7360.5", "LocalAuthListCtrlr/Entries": "10000",
		"SecurityCtrlr/CertificateEntries": "32", "SecurityCtrlr/BasicAuthPassword": "64",
	} {
		if limits[key] != want {
			t.Errorf("%s: limit %q, want %q", key, limits[key], want)
		}
	}
	for key, want := range map[string]string{
		"OCPPCommCtrlr/NetworkConfigurationPriority": "1,2,3",
		"SampledDataCtrlr/TxUpdatedMeasurands":       "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage",
		"EVSE@1/AvailabilityState":                   "Available,Occupied,Reserved,Unavailable,Faulted",
	} {
		if values[key] != want {
			t.Errorf("%s: values %q, want %q", key, values[key], want)
		}
	}
}

func TestInventoryShowsSecrets(t *testing.T) {
	m := newModel(t, twoEVSEs(), nil)
	if _, err := m.Put(BasicAuthPassword, "0123456789abcDEF"); err != nil {
		t.Fatal(err)
	}
	got := rows(m.Inventory("securityctrlr", "basicauthpassword"))
	if len(got) != 1 || got[0].Attributes[0].Value != "0123456789abcDEF" {
		t.Fatalf("got %+v", got)
	}
	if n := len(rows(m.Inventory("", ""))); n != len(m.entries) {
		t.Errorf("all: %d of %d", n, len(m.entries))
	}
	if n := len(rows(m.Inventory("", "Available"))); n != 7+2+3 {
		t.Errorf("%d variables named Available", n)
	}
	if n := len(rows(m.Inventory("Nothing", ""))); n != 0 {
		t.Errorf("%d variables of no component", n)
	}
}

// manyVariables is a model of at least 10^4 variables.
func manyVariables(tb testing.TB) *Model {
	tb.Helper()
	cfg := Config{Lights: true, Signed: true, EVSEs: make([]EVSE, 600)}
	for i := range cfg.EVSEs {
		cfg.EVSEs[i] = EVSE{ID: term.EVSEID(i + 1), EvseID: "DE*X*1", Phases: 3, Connectors: []Connector{
			{ID: 1, Type: "sType2", Phases: 3}, {ID: 2, Type: "cType2", Phases: 3, Fixed: true},
		}}
	}
	m, err := New(cfg, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if len(m.entries) < 10_000 {
		tb.Fatalf("only %d variables", len(m.entries))
	}
	return m
}

func drain(m *Model, buf []ReportRow) int {
	c, _ := m.Report(FullInventory)
	n := 0
	for c.More() {
		n += c.Next(buf)
	}
	return n
}

func TestReportOfTenThousandVariables(t *testing.T) {
	m := manyVariables(t)
	got := 0
	allocs := testing.AllocsPerRun(3, func() {
		got = drain(m, make([]ReportRow, 64))
	})
	if got != len(m.entries) {
		t.Errorf("%d rows of %d", got, len(m.entries))
	}
	if allocs > 200 {
		t.Errorf("%v allocations, want at most 200", allocs)
	}
}

func BenchmarkFullInventory(b *testing.B) {
	m := manyVariables(b)
	buf := make([]ReportRow, 64)
	b.ReportAllocs()
	for b.Loop() {
		drain(m, buf)
	}
}
