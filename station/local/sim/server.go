package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/iec61851"
	"github.com/evsed/evsed/station/term"
)

// Bounds of the HTTP server.
const (
	maxBody      = 4 << 20 // bytes: a local list of 10,000 entries
	maxHeader    = 16 << 10
	maxCalls     = 64 // at the same time, waiting polls included
	maxPoll      = time.Minute
	answerWithin = 80 * time.Millisecond // for the station to answer the interface
	readWithin   = 10 * time.Second
	shutWithin   = time.Second
)

// Server is the control interface.
type Server struct {
	o        Options
	listener net.Listener
	log      *slog.Logger
	calls    atomic.Int32
	answers  atomic.Pointer[station.DiagnosticState] // what the running station said last; nil: nothing yet
	boots    atomic.Int64                            // and how often it had started, which a dead one cannot say
}

// Listen takes the address of Options.Listen. Its error is one line that names the cure: the interface is for this
// machine alone.
func Listen(o Options) (*Server, error) {
	if o.World == nil || o.Station == nil || o.Facts == nil {
		panic("sim: Options without World, Station or Facts")
	}
	if err := checkListen(o.Listen); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("sim-listen %s: %w: want a free port", o.Listen, errors.Unwrap(err))
	}
	s := &Server{o: o, listener: l, log: o.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// checkListen refuses every address that others could reach.
func checkListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !loopback(host) {
		return fmt.Errorf("sim-listen %s: want a loopback address like 127.0.0.1:7001", address)
	}
	return nil
}

// loopback reports whether a host is this machine, by its literal address or the one name that means it.
func loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Addr is the address that is served.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves until ctx ends, and returns when every call has ended. It is called once.
func (s *Server) Serve(ctx context.Context) error {
	hs := &http.Server{
		Handler: s, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: readWithin,
		WriteTimeout: maxPoll + readWithin, IdleTimeout: 2 * maxPoll, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		soon, cancel := context.WithTimeout(context.Background(), shutWithin)
		defer cancel()
		if hs.Shutdown(soon) != nil {
			hs.Close()
		}
	})
	err := hs.Serve(s.listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve the simulator interface: %w", err)
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, body := s.answer(w, r)
	out, err := json.Marshal(body)
	if err != nil {
		panic("sim: " + err.Error()) // plain data only
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(out, '\n')) // who asked may have gone
	s.log.Debug("simulator call", "method", r.Method, "path", r.URL.Path, "code", code)
}

// failure is the body of an answer that is none.
type failure struct {
	Error string `json:"error"`
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request) (code int, body any) {
	defer s.calls.Add(-1)
	if s.calls.Add(1) > maxCalls {
		return http.StatusServiceUnavailable, failure{fmt.Sprintf("more than %d calls at once", maxCalls)}
	}
	if why := foreign(r); why != "" {
		return http.StatusForbidden, failure{why}
	}
	rt, c, code, why := find(r.Method, r.URL.Path)
	if rt == nil {
		if code == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", why)
			why = "want " + why
		}
		return code, failure{why}
	}
	c.Server, c.ctx = s, r.Context()
	data, err := readBody(w, r)
	if err != nil {
		return http.StatusBadRequest, failure{fmt.Sprintf("read the body: %v: want at most %d bytes", err, maxBody)}
	}
	result, err := c.run(rt, r.URL.RawQuery, data)
	if err != nil {
		return statusOf(err), failure{err.Error()}
	}
	if later, ok := result.(accepted); ok {
		return http.StatusAccepted, later
	}
	return http.StatusOK, result
}

// readBody reads the body in its own time: http.Server.ReadTimeout would go on while a poll waits, and end it.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(readWithin)) // a recorder in a test has no deadline
	defer conn.SetReadDeadline(time.Time{})
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

// foreign says why a call does not come from a program on this machine: a web page may reach a loopback address with
// its visitor's browser, by a name that it made point here or by a form. Neither has such a Host and no Origin.
func foreign(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !loopback(host) {
		return fmt.Sprintf("host %q: want a loopback address", r.Host)
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return ""
	}
	if u, err := url.Parse(origin); err != nil || !loopback(u.Hostname()) {
		return fmt.Sprintf("origin %q: want none", origin)
	}
	return ""
}

// accepted is the answer of a call whose effect is still to come.
type accepted struct{}

// done is the answer of a call that has had its effect.
type done struct{}

// errRequest is a request that cannot be understood.
var errRequest = errors.New("bad request")

// statusOf tells the HTTP status of an error.
func statusOf(err error) int {
	switch {
	case errors.Is(err, errRequest), errors.Is(err, halsim.ErrBadValue):
		return http.StatusBadRequest
	case errors.Is(err, halsim.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, halsim.ErrImpossible), errors.Is(err, ErrOff):
		return http.StatusConflict
	case errors.Is(err, ErrNotSimulated):
		return http.StatusNotImplemented
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// ask puts a request to the station, for at most answerWithin.
func ask[T station.ResponseBody](c *call, r station.Request) (T, error) {
	var none T
	ctx, cancel := context.WithTimeout(c.ctx, answerWithin)
	defer cancel()
	resp, err := c.o.Station.Ask(ctx, r)
	if err != nil {
		return none, fmt.Errorf("ask the station: %w", err)
	}
	if resp.Error != nil {
		return none, fmt.Errorf("%w: %s: %s", halsim.ErrImpossible, resp.Error.Code, resp.Error.Description)
	}
	body, ok := resp.Body.(T)
	if !ok {
		return none, fmt.Errorf("ask the station: %T is answered by %T", r, resp.Body)
	}
	return body, nil
}

// Observe logs an event of the world and tells the station what neither guard nor meter can tell: the faults of the
// station as a whole. It is for halsim.Config.Observe, which is called with the world locked.
func Observe(l *Log, st Station, ev halsim.Event) {
	l.world(ev)
	if ev.Kind == halsim.EventFault && ev.Ref.EVSE == 0 {
		st.Post(station.FaultChanged{Fault: ev.Fault, Active: ev.On, Info: ev.Info})
	}
}

// faultsIn walks the faults of a set in their order.
func faultsIn(s iec61851.FaultSet) func(yield func(term.Fault) bool) {
	return func(yield func(term.Fault) bool) {
		for f := term.FaultNone + 1; f <= term.FaultStorage; f++ {
			if s.Has(f) && !yield(f) {
				return
			}
		}
	}
}
