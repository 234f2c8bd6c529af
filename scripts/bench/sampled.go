package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage"
)

// goalSampledBytes is for each sampled value that shares a sync, on the device.
const goalSampledBytes = 700

const (
	sampledEvents   = 10_000
	sampledEVSEs    = 2
	sampledInterval = 10 * time.Second
	sampledWindow   = time.Minute
	checkpointEvery = 10 * time.Minute // as the product does when fewer rows than a checkpoint's have come together
	transactionSize = 390              // bytes of the row that a transaction rewrites with each of its events
)

// sampler is an offline station with cars at all its EVSEs: nothing but sampled values, which share one sync a window.
type sampler struct {
	s      *storage.Store
	now    time.Time
	value  []byte
	events int
}

func newSampler(dir string) (*sampler, error) {
	s, _, err := storage.Open(filepath.Join(dir, "store"), storage.Options{NoteWindow: sampledWindow,
		CheckpointRecords: unlimited, CheckpointEvery: unlimited * time.Hour})
	if err != nil {
		return nil, err
	}
	header := station.OutboxHeader{Phase: station.PhaseUpdated, Transaction: callID}
	value := header.AppendTo(nil)
	m := &sampler{s: s, now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), value: append(value, make([]byte, eventSize-len(value))...)}
	s.Tick(m.now)
	return m, s.Checkpoint()
}

// sample notes one value of every EVSE, as the core does: the event, and the transaction whose number it took.
func (m *sampler) sample() error {
	for evse := range sampledEVSEs {
		err := m.s.Note([]station.Record{
			{Bucket: station.BucketOutbox, Key: key(m.events), Value: m.value},
			{Bucket: station.BucketTransaction, Key: fmt.Sprint(callID, evse), Value: make([]byte, transactionSize)},
		})
		if err != nil {
			return err
		}
		m.events++
	}
	m.now = m.now.Add(sampledInterval)
	m.s.Tick(m.now)
	return nil
}

// span plays the time between two checkpoints.
func (m *sampler) span() error {
	for end := m.now.Add(checkpointEvery); m.now.Before(end); {
		if err := m.sample(); err != nil {
			return err
		}
	}
	return nil
}

// sampledSection counts what sampled values with a window cost a device.
func sampledSection(o options) (*section, error) {
	s := &section{
		title: "Sampled values that share a sync",
		about: fmt.Sprintf("An offline station with %d EVSEs, each with a value every %v: %d events of %d bytes, a window of %v, in virtual time. With each\n"+
			"event the row of its transaction of %d bytes is written anew. A checkpoint every %v takes the events into the database.",
			sampledEVSEs, sampledInterval, sampledEvents, eventSize, sampledWindow, transactionSize, checkpointEvery),
		head: []string{"", "device bytes an event", "flushes an event"},
	}
	volumes, why := mountVolumes(o.work, "defaults", "sampled")
	if why != "" {
		s.note("Device counters were not read: %s", why)
		return s, nil
	}
	journal, checkpoints, err := countSampled(volumes[0])
	if err := errors.Join(err, unmountAll(volumes)); err != nil {
		return nil, err
	}
	all := journal.plus(checkpoints)
	f := &figures{rig: "sampled"}
	for _, row := range []struct {
		name, key string
		count     deviceCount
	}{{"in the journal", "journal", journal}, {"checkpoints, amortised", "checkpoints", checkpoints}, {"together", "together", all}} {
		s.row(row.name, fmt.Sprintf("%.0f", row.count.bytes), fmt.Sprintf("%.3f", row.count.flushes))
		f.add(row.key+"-bytes", row.count.bytes, "bytes", "a sampled value in a window of %v: device bytes, %s", sampledWindow, row.name)
		f.add(row.key+"-flushes", row.count.flushes, "flushes", "a sampled value in a window of %v: flushes, %s", sampledWindow, row.name)
	}
	s.goal(journal.bytes <= goalSampledBytes, "sampled value, window of a minute", fmt.Sprintf("<= %d bytes", goalSampledBytes), "%.0f bytes", journal.bytes)
	return s, f.write()
}

func countSampled(v *volume) (journal, checkpoints deviceCount, err error) {
	m, err := newSampler(v.mount)
	if err != nil {
		return journal, checkpoints, err
	}
	defer m.s.Abandon()
	if err := v.sync(); err != nil {
		return journal, checkpoints, err
	}
	for m.events < sampledEvents {
		used, err := v.watch(m.span)
		if err != nil {
			return journal, checkpoints, err
		}
		journal = journal.plus(used)
		used, err = v.watch(func() error { return errors.Join(m.s.Checkpoint(), v.sync()) })
		if err != nil {
			return journal, checkpoints, err
		}
		checkpoints = checkpoints.plus(used)
	}
	if got := m.s.OutboxLen(); got != m.events {
		return journal, checkpoints, fmt.Errorf("%d events kept of %d", got, m.events)
	}
	return journal.of(m.events), checkpoints.of(m.events), nil
}
