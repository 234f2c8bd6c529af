package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// goalBoot is from exec to the first BootNotification at the CSMS, without TLS.
const goalBoot = 10 * time.Millisecond

// sighting is what the server saw, and when.
type sighting struct {
	at   time.Time
	what string
}

// birth is one start, from exec.
type birth struct{ tcp, socket, boot time.Duration }

// newborn is one way to start a station.
type newborn struct {
	name   string
	start  func(n int) (began time.Time, end func() error, err error)
	births []birth
}

func (b *newborn) times(of func(birth) time.Duration) []time.Duration {
	var out []time.Duration
	for _, x := range b.births {
		out = append(out, of(x))
	}
	return out
}

// bootSection measures the way from exec to BootNotification.
func bootSection(o options) (*section, error) {
	seen := make(chan sighting, 64)
	server, err := startServer(func(at time.Time, what, _ string) {
		select {
		case seen <- sighting{at, what}:
		default: // nobody waits for what comes later in a life
		}
	})
	if err != nil {
		return nil, err
	}
	defer server.close()
	babies, err := newborns(o, server.url)
	if err != nil {
		return nil, err
	}
	for n := range o.starts {
		for _, b := range babies {
			if err := b.live(n, seen); err != nil {
				return nil, fmt.Errorf("%s: %w", b.name, err)
			}
		}
	}
	return bootReport(o, babies), nil
}

func bootReport(o options, babies []*newborn) *section {
	s := &section{
		title: "From exec to BootNotification",
		about: fmt.Sprintf("%d starts of each, in turn. The server notes when the TCP connection, the WebSocket and the first message arrive. The other\n"+
			"two are programs of a few lines that do nothing else: a bare WebSocket is the limit.", o.starts),
		head: []string{"station", "min", "median", "p90", "median to TCP", "to WebSocket", "to BootNotification"},
	}
	var medians []time.Duration
	for _, b := range babies {
		all := b.times(func(x birth) time.Duration { return x.boot })
		medians = append(medians, median(all))
		tcp, socket := median(b.times(func(x birth) time.Duration { return x.tcp })), median(b.times(func(x birth) time.Duration { return x.socket - x.tcp }))
		s.row(b.name, ms(percentile(all, 0)), ms(median(all)), ms(percentile(all, 90)), ms(tcp), "+"+ms(socket),
			"+"+ms(median(b.times(func(x birth) time.Duration { return x.boot - x.socket }))))
	}
	s.goal(medians[0] <= goalBoot, "exec to BootNotification, after a power cut", "<= "+ms(goalBoot), "%s", ms(medians[0]))
	s.goal(medians[0] <= medians[3], "exec to BootNotification", "no slower than ocpp-go", "%.2f x", ratio(medians[0], medians[3]))
	return s
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3) }

func newborns(o options, url string) ([]*newborn, error) {
	binary, err := buildStation(o, "", "")
	if err != nil {
		return nil, err
	}
	seed := filepath.Join(o.work, "boot.json")
	if err := writeSeed(seed, url, 2); err != nil {
		return nil, err
	}
	evsed := func(dir func(n int) string, kill bool) func(int) (time.Time, func() error, error) {
		return func(n int) (time.Time, func() error, error) {
			p, began, err := start(binary, seed, dir(n))
			if err != nil {
				return began, nil, err
			}
			return began, func() error { return p.leave(kill) }, nil
		}
	}
	other := func(path string) func(int) (time.Time, func() error, error) {
		return func(int) (time.Time, func() error, error) {
			cmd := exec.Command(path, url)
			began := time.Now()
			return began, cmd.Wait, cmd.Start()
		}
	}
	raw, err := buildOther(o, "rawstation")
	if err != nil {
		return nil, err
	}
	peer, err := buildOther(o, "peerstation")
	if err != nil {
		return nil, err
	}
	return []*newborn{
		{name: "evsed after a power cut", start: evsed(func(int) string { return filepath.Join(o.work, "boot-again") }, true)},
		{name: "evsed, first boot", start: evsed(func(n int) string { return filepath.Join(o.work, fmt.Sprintf("boot-%d", n)) }, false)},
		{name: "raw coder/websocket", start: other(raw)},
		{name: "ocpp-go", start: other(peer)},
	}, nil
}

// leave ends the process: as a power cut does, or orderly.
func (p *process) leave(kill bool) error {
	if err := p.ready(); err != nil {
		return err
	}
	if err := p.until(state.accepted); err != nil {
		return err
	}
	if !kill {
		return p.stop()
	}
	_ = p.cmd.Process.Kill()
	var killed *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &killed) {
		return fmt.Errorf("killed, and ended with %v", err)
	}
	return nil
}

// live is one life, from exec until the station is gone.
func (b *newborn) live(n int, seen <-chan sighting) error {
	for len(seen) > 0 {
		<-seen
	}
	began, end, err := b.start(n)
	if err != nil {
		return err
	}
	var x birth
	timeout := time.After(30 * time.Second)
	for x.boot == 0 {
		select {
		case s := <-seen:
			switch at := s.at.Sub(began); s.what {
			case accepted:
				x.tcp = at
			case opened:
				x.socket = at
			case "BootNotification":
				x.boot = at
			}
		case <-timeout:
			return errors.Join(errors.New("no BootNotification"), end(), os.ErrDeadlineExceeded)
		}
	}
	b.births = append(b.births, x)
	return end()
}
