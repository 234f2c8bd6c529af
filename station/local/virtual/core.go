package virtual

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// buildCore makes the core of what is stored, and of the seed on a first boot.
func (l *life) buildCore(boot station.BootReason) error {
	cfg, err := l.coreConfig(boot)
	if err != nil {
		return err
	}
	if l.core, err = station.New(cfg); err != nil {
		return err
	}
	kept := map[place]bool{}
	err = l.store.Load(func(r station.Record) error {
		kept[place{r.Bucket, r.Key}] = true
		if r.Value != nil { // else it was a secret that does not open now: it may come back
			l.restore(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range l.store.Findings() { // secrets that do not open
		l.findings = append(l.findings, f)
		l.s.found(f.String())
	}
	l.table.Sweep(func(tx term.TransactionID) bool {
		return kept[place{station.BucketTransaction, string(tx)}] || l.store.Queued(string(tx))
	})
	if len(kept) > 0 && !l.damaged && l.reachable() {
		return nil
	}
	return l.seed(cfg, kept)
}

func (l *life) coreConfig(boot station.BootReason) (station.Config, error) {
	cfg := l.s.o.Station
	cfg.Boot, cfg.NewID, cfg.Lookup = boot, newID, l.lists.Lookup
	cfg.SecurityLog = l.security.state
	cfg.Image, cfg.SimulatedFirmware = l.s.firmware.running(), l.s.o.Firmware == nil && l.s.o.Fitting == nil
	cfg.Identity.FirmwareVersion = cfg.Image.Version
	cfg.Queued = func(tx term.TransactionID) bool {
		if tx == "" {
			return l.store.OutboxLen() > 0
		}
		return l.store.Queued(string(tx))
	}
	last := l.store.OutboxLast()
	if last == "" {
		return cfg, nil
	}
	id, err := station.ParseReportID(last)
	cfg.LastReport = id
	return cfg, err
}

// place is where a record is kept.
type place struct {
	bucket station.Bucket
	key    string
}

// restore hands a stored record to the core. One that it cannot use is told and left alone.
func (l *life) restore(r station.Record) {
	if r.Bucket == station.BucketDialect {
		l.table.Restore(r)
		return
	}
	if err := l.core.Restore(r); err != nil {
		l.s.o.Log.Error("record", "bucket", r.Bucket.String(), "err", err)
		l.s.tell("storage", "unusable record: "+err.Error())
	}
}

// reachable reports whether the core knows a way to a CSMS.
func (l *life) reachable() bool {
	return slices.ContainsFunc(l.core.NetworkPriority(), func(slot int) bool {
		_, ok := l.core.NetworkProfile(slot)
		return ok
	})
}

// seed installs what the fitter prepared: all of it on a first boot, and in place of settings that storage lost. What is
// kept is left as it is. Without the seed a station whose settings were damaged would never find its CSMS again.
func (l *life) seed(cfg station.Config, kept map[place]bool) error {
	install := l.s.o.Install
	if install == nil {
		install = l.s.installOptions
	}
	cfg.Lookup, cfg.Queued = nil, nil
	fresh, err := station.New(cfg)
	if err != nil {
		return err
	}
	records, err := install(fresh)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, func(r station.Record) bool { return kept[place{r.Bucket, r.Key}] })
	if len(records) == 0 {
		return nil
	}
	for _, r := range records {
		l.restore(r)
	}
	if len(kept) > 0 {
		l.s.found(fmt.Sprintf("%d settings that are gone were installed again as the seed has them", len(records)))
	}
	return l.store.Commit(records)
}

// installOptions installs Profiles, Priority and Settings.
func (s *Station) installOptions(core *station.Station) ([]station.Record, error) {
	var records []station.Record
	for _, slot := range slices.Sorted(maps.Keys(s.o.Profiles)) {
		r, err := core.SeedProfile(slot, s.o.Profiles[slot])
		if err != nil {
			return nil, fmt.Errorf("csms slot %d: %w", slot, err)
		}
		records = append(records, r)
	}
	settings := s.o.Settings
	if len(s.o.Priority) > 0 {
		words := make([]string, len(s.o.Priority))
		for i, slot := range s.o.Priority {
			words[i] = fmt.Sprint(slot)
		}
		settings = slices.Insert(slices.Clone(settings), 0, Setting{Component: model.Component{Name: "OCPPCommCtrlr"},
			Variable: model.Variable{Name: "NetworkConfigurationPriority"}, Value: strings.Join(words, ",")})
	}
	for _, st := range settings {
		c, err := core.Model().Override(st.Component, st.Variable, st.Attribute, st.Value)
		if err != nil {
			s.o.Log.Warn("seed", "component", st.Component.Name, "variable", st.Variable.Name, "err", err)
			s.tell("seed", err.Error())
			continue
		}
		records = append(records, station.Record{Bucket: station.BucketVariable, Key: c.Key, Value: []byte(c.Value)})
	}
	return records, nil
}
