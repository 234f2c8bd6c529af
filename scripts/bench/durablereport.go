package main

import (
	"errors"
	"fmt"
	"time"
)

func durableReport(o options, rs []*rival, why string) (*section, error) {
	s := &section{
		title: fmt.Sprintf("A durable event of %d bytes, one at a time", eventSize),
		about: fmt.Sprintf("Each is durable before the next begins. Online, each acknowledges the one before it; with %d waiting, the oldest of them. The\n"+
			"writers take turns, event by event, each on a block device of its own with an ext4 whose counters are read. Checkpoints of\n"+
			"the storage are counted apart; the last two columns have them in, and what ext4 itself wrote until all was clean.", backlog),
		head: []string{"writer", "min", "median", "p99", "ratio", "device bytes", "flushes", "a checkpoint", "amortised bytes", "flushes"},
	}
	limit := rs[0]
	for _, r := range rs {
		row := []string{r.name, short(percentile(r.took, 0)), short(median(r.took)), short(percentile(r.took, 99)),
			fmt.Sprintf("%.2f", ratio(median(r.took), median(limit.took)))}
		s.row(append(row, r.device()...)...)
	}
	online, waiting, bolt := rs[1], rs[2], rs[4]
	got := ratio(median(online.took), median(limit.took))
	s.goal(got <= goalDurable, "durable event, median", fmt.Sprintf("<= %.2f x limit", goalDurable), "%.2f x", got)
	if why != "" {
		s.note("Device counters were not read: %s", why)
		return s, durableFigures(rs)
	}
	event, all := online.alone(), online.amortised()
	s.goal(event.flushes < goalFlushes+0.005, "durable event, flushes without checkpoints", fmt.Sprintf("<= %.2f", goalFlushes), "%.2f", event.flushes)
	s.goal(all.bytes/1000 <= goalDeviceBytes, "durable event, device bytes", fmt.Sprintf("<= %.1f kB", goalDeviceBytes),
		"%.2f kB", all.bytes/1000)
	less := bolt.amortised().bytes / waiting.amortised().bytes
	s.goal(less >= goalLessThanBolt, fmt.Sprintf("durable event, device bytes, %d wait", backlog), fmt.Sprintf(">= %.0f x less than bbolt", goalLessThanBolt), "%.1f x", less)
	if err := spacedNote(o, s); err != nil {
		return nil, err
	}
	return s, durableFigures(rs)
}

// device says what the device did for a rival.
func (r *rival) device() []string {
	if r.volume == nil {
		return []string{"-", "-", "-", "-", "-"}
	}
	event, all := r.alone(), r.amortised()
	return []string{fmt.Sprintf("%.0f", event.bytes), fmt.Sprintf("%.2f", event.flushes), r.checkpoint(),
		fmt.Sprintf("%.0f", all.bytes), fmt.Sprintf("%.3f", all.flushes)}
}

func (r *rival) checkpoint() string {
	n := len(r.checkpoints)
	if n == 0 {
		return "-"
	}
	each := r.settled.of(n)
	return fmt.Sprintf("%s, %.0f kB, %.0f flushes every %d", ms(median(r.checkpoints)), each.bytes/1000, each.flushes, len(r.took)/n)
}

func durableFigures(rs []*rival) error {
	f := &figures{rig: "durable"}
	limit := median(rs[0].took)
	for _, r := range rs {
		f.add(r.key+"-median", float64(median(r.took).Nanoseconds())/1e3, "us", "%s: median of %d events", r.name, len(r.took))
		f.add(r.key+"-ratio", ratio(median(r.took), limit), "x", "%s: median against a bare write and fdatasync", r.name)
		if r.volume == nil {
			continue
		}
		event, all := r.alone(), r.amortised()
		f.add(r.key+"-flushes", event.flushes, "flushes", "%s: of one event, checkpoints apart", r.name)
		f.add(r.key+"-bytes", event.bytes, "bytes", "%s: on the device for one event, checkpoints apart", r.name)
		f.add(r.key+"-amortised-flushes", all.flushes, "flushes", "%s: of one event, all in all", r.name)
		f.add(r.key+"-amortised-bytes", all.bytes, "bytes", "%s: on the device for one event, all in all", r.name)
	}
	return f.write()
}

// An event that comes alone makes ext4 commit its own journal too, for the time of change of the file.
const (
	spacedEvents = 2
	spacedBy     = 6500 * time.Millisecond // ext4 commits every 5 s
	lateCommit   = "commit=600"
)

// spacedNote measures events that come one by one, with ext4 as it is mounted by default and as it may be mounted.
func spacedNote(o options, s *section) error {
	var counts []deviceCount
	usual, why := mountVolumes(o.work, "defaults", "usual")
	if why != "" {
		return errors.New(why)
	}
	late, why := mountVolumes(o.work, lateCommit, "late")
	if why != "" {
		return errors.Join(errors.New(why), unmountAll(usual))
	}
	volumes := append(usual, late...)
	counts, err := spaced(volumes)
	if err := errors.Join(err, unmountAll(volumes)); err != nil {
		return err
	}
	s.note("Events that come %v apart cost a bare write and fdatasync %.0f bytes and %.1f flushes each: ext4 commits its own journal every 5 s when a\n"+
		"file has changed, whatever was changed in it. Mounted with %s it is %.0f bytes and %.1f flushes: everything that must be\n"+
		"durable is synced by who wrote it, so the volume of the state directory may be mounted so.",
		spacedBy, counts[0].bytes, counts[0].flushes, lateCommit, counts[1].bytes, counts[1].flushes)
	return nil
}

func spaced(volumes []*volume) ([]deviceCount, error) {
	var keepers []keeper
	counts := make([]deviceCount, len(volumes))
	for i, v := range volumes {
		k, err := newBare(v.mount, 0)
		if err != nil {
			return nil, err
		}
		defer k.close()
		if err := v.sync(); err != nil {
			return nil, err
		}
		keepers = append(keepers, k)
		if counts[i], err = v.counters(); err != nil {
			return nil, err
		}
	}
	for n := range spacedEvents {
		for _, k := range keepers {
			if err := k.keep(n); err != nil {
				return nil, err
			}
		}
		time.Sleep(spacedBy)
	}
	for i, v := range volumes {
		end, err := v.counters()
		if err != nil {
			return nil, err
		}
		counts[i] = end.minus(counts[i]).of(spacedEvents)
	}
	return counts, nil
}
