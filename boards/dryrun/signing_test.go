package dryrun

import (
	"strings"
	"testing"
)

// TestLegalMeter: a board whose meter signs plays its transaction, whatever key its file has; one whose meter does not has nothing to play.
func TestLegalMeter(t *testing.T) {
	for _, key := range []string{"from-meter", strange} {
		b := load(t, "../ac-wallbox-cm4.yaml")
		m := b.EVSEs[0].Meter
		m.Model, m.Address, m.Legal, m.PublicKey = "iskra/wm3m4", 33, true, key
		notes := map[string]string{}
		for _, s := range Run(b, b, nil).Steps {
			if s.Result == Failed {
				t.Error(s)
			}
			if s.Result == Passed {
				notes[s.Name] = s.Note
			}
		}
		if n := notes["meter signs a transaction"]; !strings.HasPrefix(n, "OCMF, ") {
			t.Errorf("key %.10s: %q", key, n)
		}
		if notes["meter with another key is refused"] == "" {
			t.Errorf("key %.10s: no other key was tried", key)
		}
		if b.EVSEs[0].Meter.PublicKey != key {
			t.Error("the board was changed")
		}
	}
}

// TestSigningStepsFail: the steps notice a meter that does not sign, and one that takes any key.
func TestSigningStepsFail(t *testing.T) {
	b := load(t, "../ac-wallbox-cm4.yaml")
	legal := func(key string) {
		m := b.EVSEs[0].Meter
		m.Model, m.Address, m.Legal, m.PublicKey = "iskra/wm3m4", 33, true, key
	}
	legal("from-meter")
	hardware := load(t, "../ac-wallbox-cm4.yaml") // an SDM72
	hardware.EVSEs[0].Meter.Address = 33
	steps := signingSteps(&b.EVSEs[0])
	if note, err := steps[0].run(hardware, b); err == nil {
		t.Errorf("a meter that does not sign: %s", note)
	}
	steps[1].key = "from-meter"
	if note, err := steps[1].run(b, b); err == nil {
		t.Errorf("a station that takes any key: %s", note)
	}
}
