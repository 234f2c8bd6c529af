package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestResetState: a factory reset begins again with the seed, as an empty state directory does.
func TestResetState(t *testing.T) {
	c, url := backend(t, nil)
	p := newProcess(t, url, variable("SampledDataCtrlr", "TxUpdatedInterval", "1"))
	p.boot()
	p.until("the CSMS accepts the station", func() bool { return p.state().Station.Connected })
	p.do("/variables", `{"set":[{"component":"TxCtrlr","variable":"EVConnectionTimeOut","value":"77"}]}`)
	p.do("/evses/1/plug", `{}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	p.until("energy is measured", func() bool { return p.state().EVSEs[0].EnergyWh > 0 })
	before := c.Received("cp001", "BootNotification")
	if code := p.do("/reset-state", `{}`); code != http.StatusAccepted {
		t.Fatalf("reset-state: %d", code)
	}
	p.until("it boots with the seed", func() bool {
		return c.Received("cp001", "BootNotification") > before && p.state().Station.Connected
	})
	s := p.state()
	if e := s.EVSEs[0]; e.EnergyWh != 0 || e.Transaction != nil || e.Relay {
		t.Errorf("after the reset: %+v", e)
	}
	if got := p.variable("TxCtrlr", "EVConnectionTimeOut"); got == "77" {
		t.Error("a variable outlived the factory reset")
	}
	if got := p.variable("SampledDataCtrlr", "TxUpdatedInterval"); got != "1" {
		t.Errorf("the seed's variable: %q", got)
	}
	if code := p.do("/evses/1/plug", `{}`); code != http.StatusOK {
		t.Errorf("plug after the reset: %d: the car of before is still there", code)
	}
}

// variable returns the actual value of a station-wide variable.
func (p *process) variable(component, name string) string {
	p.t.Helper()
	resp, err := http.Get(p.api + "/variables?component=" + component + "&variable=" + name)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var v struct{ Variables []struct{ Value string } }
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || len(v.Variables) == 0 {
		p.t.Fatalf("GET /variables: %v, %+v", err, v)
	}
	return v.Variables[0].Value
}

// TestRefusedStartKeepsNothing: what is wrong on the command line leaves no seed behind for the next start.
func TestRefusedStartKeepsNothing(t *testing.T) {
	dir := t.TempDir()
	seed, state := filepath.Join(dir, "seed.json"), filepath.Join(dir, "state")
	if err := os.WriteFile(seed, []byte(`{"csms":[{"url":"ws://127.0.0.1:1"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := dispatch([]string{"run", "--seed", seed, "--state", state, "--sim-listen", "0.0.0.0:7001"}, io.Discard, io.Discard); code != exitUsage {
		t.Fatalf("exit %d", code)
	}
	if _, err := os.Stat(filepath.Join(state, seedCopy)); err == nil {
		t.Error("the seed was kept")
	}
}
