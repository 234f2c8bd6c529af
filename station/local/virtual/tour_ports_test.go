package virtual

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/ocpp/dialect15"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term" // ---- Ports of the runner ----
	// Append is the journal, at once: a power cut inside it ends the life.
)

func (p *tour) Append(batch []station.Record, sync bool) (uint64, error) {
	var err error
	if sync {
		err = p.store.Commit(batch)
	} else {
		err = p.store.Note(batch)
	}
	if err != nil {
		if p.files.Off() {
			p.dead = true
		} else if p.err == nil {
			p.err = fmt.Errorf("journal: %w", err)
		}
		return 0, err
	}
	return 1, nil
}

func (p *tour) DurableTo() uint64 {
	if p.dead {
		return 0
	}
	return 1
}

func (p *tour) PollMeter(e term.EVSEID) {
	p.in(10*time.Millisecond, func() { p.readMeter(e) })
}

func (p *tour) MeterRate(e term.EVSEID, every time.Duration) {
	was := p.every[e]
	p.every[e] = every
	if was == 0 && every > 0 {
		p.in(every, func() { p.meterTurn(e) })
	}
}

func (p *tour) meterTurn(e term.EVSEID) {
	if every := p.every[e]; every > 0 {
		p.readMeter(e)
		p.in(every, func() { p.meterTurn(e) })
	}
}

func (p *tour) readMeter(e term.EVSEID) {
	m, err := p.world.Meter(e)
	if err != nil {
		p.err = err
		return
	}
	r, err := m.Read(context.Background())
	if err == nil {
		p.runner.Meter(p.now, e, r)
	}
}

func (p *tour) Indicate(term.Ref, hal.Indication) {}
func (p *tour) Answer(station.Response)           {}
func (p *tour) Reconfigure()                      {}
func (p *tour) Reboot(flush time.Duration)        { p.in(flush, func() { p.reboot = true }) }

// in plans something for this life.
func (p *tour) in(d time.Duration, do func()) {
	p.later = append(p.later, timed{p.now.Add(d), p.boots, do})
}

// tourLink is the link: the real engine, and a CSMS behind a wire that may be cut at any time.
type tourLink struct{ p *tour }

func (l tourLink) Send(r station.Report) bool {
	l.p.engineDid(l.p.engine.Send(l.p.now, r))
	return true
}
func (l tourLink) Wake()                          { l.p.engineDid(l.p.engine.Woken(l.p.now)) }
func (l tourLink) Respond(r station.Response)     { l.p.engineDid(l.p.engine.Respond(l.p.now, r)) }
func (l tourLink) SetGate(s station.Registration) { l.p.engineDid(l.p.engine.Gate(l.p.now, s)) }
func (l tourLink) Reconnect()                     { l.p.disconnect("asked to") }

func (p *tour) engineDid(o *link.Output) {
	p.inbox = append(p.inbox, o.Events...)
	p.linkNext = o.Deadline
	for _, f := range o.Frames {
		p.transmit(slices.Clone(f))
	}
	if o.Close != nil {
		p.disconnect(o.Close.Reason)
	}
}

// transmit takes a frame to the CSMS and its answers back. Either way may be cut off on the way.
func (p *tour) transmit(frame []byte) {
	there, back := p.latency(), p.latency()
	p.in(there, func() {
		if !p.connected || p.rng.IntN(400) == 0 { // now and then a request is lost with its connection
			p.disconnect("lost on the way there")
			return
		}
		p.trace("sent %s", frame)
		told, err := p.post.toCSMS(frame)
		if err != nil {
			p.err = err
			return
		}
		answers := p.csms.Handle(name, told)
		p.in(back, func() {
			for _, a := range answers {
				if !p.connected || p.rng.IntN(150) == 0 { // and sometimes an answer is
					p.disconnect("lost on the way back")
					return
				}
				p.trace("received %s", a)
				p.arrived(a)
			}
		})
	})
}

// arrived gives a frame of the CSMS to the station.
func (p *tour) arrived(frame []byte) {
	told, err := p.post.toStation(frame)
	if err != nil {
		p.err = err
		return
	}
	p.engineDid(p.engine.Frame(p.now, told))
}

func (p *tour) latency() time.Duration { return time.Duration(5+p.rng.IntN(200)) * time.Millisecond }

func (p *tour) disconnect(why string) {
	if !p.connected {
		return
	}
	p.connected = false
	p.tally.networkCuts++
	p.csms.Close(name)
	p.redial = p.now.Add(time.Duration(1+p.rng.IntN(40)) * time.Second)
	p.engineDid(p.engine.Closed(p.now, why))
}

// versions of dialects, in its order.
var versions = []rpc.Version{rpc.V21, rpc.V201, rpc.V16}

func (p *tour) dial() {
	p.redial = time.Time{}
	if !p.network {
		p.redial = p.now.Add(10 * time.Second)
		return
	}
	p.turn()
	if err := p.csms.Open(name, p.version); err != nil {
		p.err = err
		return
	}
	p.connected = true
	d := dialects(p.evses)[slices.Index(versions, p.version)]
	if p.post.version != 0 {
		d = dialect15.New(p.post.version, dialect16.New(p.evses))
	}
	p.engineDid(p.engine.Opened(p.now, d, 1, 0))
}
