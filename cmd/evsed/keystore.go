package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/seed"
	"github.com/evsed/evsed/storage/keys"
)

// openKeys opens the key store of --keys. A TPM or a key file that is not there is no reason to stay dark: the station starts,
// and says so.
func openKeys(o runOptions) (keys.Store, error) {
	s, err := keys.Open(o.keys, o.state)
	if errors.Is(err, keys.ErrSpec) {
		return nil, usagef("--keys: %w", err)
	}
	return s, stateError(o.state, err)
}

// firstSeed reads the seed of a first boot, and the certificates and keys that it names: an error in them is told before
// anything is made.
func firstSeed(o runOptions) (*seed.Seed, error) {
	s, err := seed.Read(o.seed)
	if err != nil {
		return nil, err
	}
	if s.Brought, err = s.Security.Load(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(o.seed), err)
	}
	return s, nil
}

// installSecurity puts the seed's certificates into the station and its keys into the key store. At the first boot an error
// ends the start: it is the fitter who reads it. Later the seed is only asked for what storage lost, or after a factory reset;
// then files that are gone leave the station without them, and it says so.
func (a *agent) installSecurity(s *station.Station) ([]station.Record, error) {
	m := a.seed.Brought
	first := m != nil
	if !first {
		var err error
		if m, err = a.seed.Security.Load(); err != nil {
			a.log.Warn("seed", "left out", "certificates", "err", err)
			return nil, nil
		}
	}
	records, err := m.Install(s, a.keys, a.seed.Security.Password)
	if err != nil && !first {
		a.log.Warn("seed", "left out", "certificates", "err", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("install certificates: %w", err)
	}
	a.seed.Brought = nil
	return records, nil
}

// hideSeed returns the copy of the seed that is kept: its passwords go into the key store. Where that is not there they stay in
// the copy, and the log says so.
func (a *agent) hideSeed(data []byte) []byte {
	n := 0
	copied, err := seed.Hide(data, func(secret string) (string, error) {
		n++
		name := fmt.Sprintf("%spassword-%d", keys.Fitted, n)
		return name, a.keys.Seal(name, []byte(secret))
	})
	if err != nil {
		a.log.Warn("seed", "passwords", "stay readable in its copy", "err", err)
		return data
	}
	return copied
}

// revealSeed puts the passwords back into a seed that was read from its copy.
func (a *agent) revealSeed() {
	if err := a.seed.Reveal(a.keys.Unseal); err != nil {
		a.log.Warn("seed", "left out", "passwords", "err", err)
	}
}
