package model

import "testing"

// FuzzSet sets any name to any value, as a CSMS and then as the fitter: nothing panics, what is refused changes
// nothing, and what is accepted is taken back by a fresh model under the key of its change.
func FuzzSet(f *testing.F) {
	for _, seed := range [][2]string{
		{"TxCtrlr/TxStartPoint", "EVConnected, Authorized"}, {"OCPPCommCtrlr/MessageAttempts#TransactionEvent", "3"},
		{"SecurityCtrlr/BasicAuthPassword", "0123456789abcDEF"}, {"AuthCacheCtrlr/Policy", "LFU"}, {"AuthCtrlr/Enabled", "false"},
		{"AuthCtrlr/MasterPassGroupId", "Mäster"}, {"EVSE@1/AllowReset", "false"}, {"Connector@2.2/Available", "x"},
		{"ClockCtrlr/DateTime", "2030-01-01T00:00:00.123Z"}, {"EVSE@2/Power", "-1.5"}, {"a#b@1.2/c#d", ",,"}, {"@/", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, key, raw string) {
		c, v, ok := parseKey(key)
		if !ok {
			return
		}
		m := newModel(t, twoEVSEs(), nil)
		results, changes := m.Set([]SetItem{{Component: c, Variable: v, Value: raw}})
		if (results[0].Status == SetAccepted) != (len(changes) == 1) {
			t.Fatalf("%s = %q: %+v with changes %v", key, raw, results[0], changes)
		}
		if change, err := m.Override(c, v, Actual, raw); err == nil {
			changes = append(changes, change)
		} else if len(changes) != 0 {
			t.Fatalf("%s = %q: the CSMS may, the fitter may not: %v", key, raw, err)
		}
		for _, change := range changes {
			again := newModel(t, twoEVSEs(), nil)
			if err := again.Restore(change.Key, change.Value); err != nil {
				t.Fatal(err)
			}
			i, status := again.find(c, v, Actual)
			if status != SetAccepted || again.entries[i].value.text != change.Value {
				t.Fatalf("%s did not come back as %q", change.Key, change.Value)
			}
		}
	})
}
