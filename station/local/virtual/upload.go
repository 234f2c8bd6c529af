package virtual

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/logbook"
)

// uploader puts the diagnostics where the CSMS wants them, one attempt at a time. The loop owns it; an attempt is a goroutine
// that the life waits for.
type uploader struct {
	l      *life
	wg     sync.WaitGroup
	number uint64 // of the attempt that was begun last
	cancel context.CancelFunc
}

// Upload begins an attempt.
func (u *uploader) Upload(c station.Upload) {
	ctx, cancel := context.WithCancel(u.l.ctx)
	before := u.cancel
	u.number, u.cancel = c.Number, cancel
	if before != nil {
		before()
	}
	client := u.l.transfers()
	u.wg.Go(func() {
		defer cancel()
		ended := u.attempt(ctx, client, c)
		if ctx.Err() == nil {
			_ = u.l.loop.Post(ctx, ended)
		}
	})
}

// CancelUpload ends an attempt.
func (u *uploader) CancelUpload(number uint64) {
	if u.number == number && u.cancel != nil {
		u.cancel()
	}
}

// attempt makes one, as it was planned or in earnest.
func (u *uploader) attempt(ctx context.Context, client *transfer.Client, c station.Upload) station.UploadEnded {
	if p, ok := u.l.s.planned(c.Number); ok {
		select {
		case <-time.After(u.l.s.clock.Real(p.step)):
		case <-ctx.Done():
		}
		if p.ok {
			return station.UploadEnded{Number: c.Number, Status: "Uploaded"}
		}
		return station.UploadEnded{Number: c.Number, Status: "UploadFailure"}
	}
	data, err := u.l.logText(ctx, c)
	if err == nil {
		err = client.Put(ctx, c.URL, transfer.File{Name: c.File, Data: data})
	}
	status, reason := uploadStatus(err)
	if ctx.Err() == nil {
		u.l.s.o.Log.Info("log upload", "number", c.Number, "bytes", len(data), "status", status, "err", fmt.Sprint(err))
	}
	return station.UploadEnded{Number: c.Number, Status: status, Reason: reason}
}

// uploadStatus is OCPP's word for how a transfer ended.
func uploadStatus(err error) (status, reason string) {
	switch {
	case err == nil:
		return "Uploaded", ""
	case errors.Is(err, transfer.ErrRedirect): // N01.FR.30
		return "UploadFailure", "RedirectNotAllowed"
	case errors.Is(err, transfer.ErrPermission):
		return "PermissionDenied", ""
	case errors.Is(err, transfer.ErrMethod):
		return "NotSupportedOperation", ""
	case errors.Is(err, transfer.ErrMessage):
		return "BadMessage", ""
	case errors.Is(err, transfer.ErrAddress), errors.Is(err, transfer.ErrHost), errors.Is(err, transfer.ErrScheme):
		return "BadMessage", "InvalidURL"
	}
	return "UploadFailure", ""
}

// errNoNetwork says why an upload failed while the network is cut.
var errNoNetwork = errors.New("the network is down")

// dialUpload goes the way of the CSMS.
func (s *Station) dialUpload(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	up := s.network
	s.mu.Unlock()
	if !up {
		return nil, errNoNetwork
	}
	return s.wire.dial(ctx, network, address)
}

// logText is the log that is asked for.
func (l *life) logText(ctx context.Context, c station.Upload) ([]byte, error) {
	if c.Log == station.SecurityLogs {
		return l.security.log.Export(l.s.o.Station.Name, l.s.clock.Wall(), c.Oldest, c.Latest)
	}
	return l.diagnostics(ctx, c.Oldest, c.Latest)
}

// diagnostics gathers what is told of the station, with the lines of its log from oldest to latest.
func (l *life) diagnostics(ctx context.Context, oldest, latest time.Time) ([]byte, error) {
	r, err := l.loop.Ask(ctx, station.ListVariables{})
	if err != nil {
		return nil, err
	}
	settings, _ := r.Body.(station.Inventory)
	if r, err = l.loop.Ask(ctx, station.GetDiagnosticState{}); err != nil {
		return nil, err
	}
	now := l.s.clock.Now()
	f := logbook.Facts{Version: l.s.o.Version, Name: l.s.o.Station.Name, Identity: l.s.o.Station.Identity, Settings: settings.Rows, Counters: l.counters()}
	f.State, _ = r.Body.(station.DiagnosticState)
	if k := l.s.o.Keys; k != nil {
		f.Keys = k.Protection()
	}
	st := l.link.Status()
	f.CSMS, f.Protocol = st.URL, st.Subprotocol
	l.s.mu.Lock()
	f.Uptime = now.Sub(l.s.since)
	l.s.mu.Unlock()
	return logbook.Diagnostics(&f, l.s.o.Book, now, oldest, latest), nil
}

func (l *life) counters() []logbook.Counter {
	waiting, dead, thinned := l.store.Counts()
	st := l.link.Stats()
	return []logbook.Counter{
		{Name: "messages waiting", Value: uint64(waiting)}, {Name: "messages refused", Value: uint64(dead)},
		{Name: "transactions thinned", Value: uint64(thinned)},
		{Name: "dials", Value: st.Dials}, {Name: "connections", Value: st.Opened}, {Name: "calls", Value: st.Calls}, {Name: "answers", Value: st.Answers},
		{Name: "silences", Value: st.Silences}, {Name: "requests", Value: st.Requests}, {Name: "requests refused", Value: st.Refused},
		{Name: "unreadable frames", Value: st.Malformed}, {Name: "reports dropped", Value: st.Dropped},
	}
}

// uploadPlan is how the next upload goes.
type uploadPlan struct {
	ok     bool
	step   time.Duration
	number uint64 // of the upload that goes so; 0: none has begun
}

// PlanUpload lets the next upload, with all its attempts, succeed or fail after step without a transfer.
func (s *Station) PlanUpload(ok bool, step time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upload = &uploadPlan{ok: ok, step: step}
}

// planned returns the plan of an upload, and forgets the one of an upload before.
func (s *Station) planned(number uint64) (uploadPlan, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.upload
	if p == nil {
		return uploadPlan{}, false
	}
	if p.number == 0 {
		p.number = number
	}
	if p.number != number {
		s.upload = nil
		return uploadPlan{}, false
	}
	return *p, true
}
