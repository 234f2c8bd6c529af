package rfid

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/station/term"
)

// Scanner looks for cards. It is used by one goroutine.
type Scanner interface {
	// Scan returns the cards that are in the field now; none is no error. A reader that types waits for a line, until
	// the deadline of ctx at the longest. An error that wraps ErrCard is about a card, any other about the reader.
	Scan(ctx context.Context) ([]Card, error)
	Close() error // a Scan that waits ends
}

// Options is how a reader is watched. Zero values are the defaults.
type Options struct {
	Name   string        // for errors: "PN532 at ttymxc4"
	Format Format        // how a UID becomes a token
	Every  time.Duration // between two looks; 150 ms
	Gone   time.Duration // how long a card must be away to count as shown again; 1 s
	Within time.Duration // for one look; 1 s
	Stale  time.Duration // a token that nobody has taken until then is forgotten; 5 s

	// Notify hears once that the reader does not work (err), and once that it works again (nil). It may be nil, is
	// called by the reader's goroutine, and must not wait.
	Notify func(err error)
}

// The defaults, and how often a look may fail before the reader is taken for dead.
const (
	defaultEvery  = 150 * time.Millisecond
	defaultGone   = time.Second
	defaultWithin = time.Second
	defaultStale  = 5 * time.Second
	maxFailures   = 3
	lastPause     = 2 * time.Second // between two looks at a dead reader
)

// ErrClosed is what Next returns after Close.
var ErrClosed = errors.New("reader is closed")

// Reader is a hal.TokenReader.
type Reader struct {
	o      Options
	s      Scanner
	cancel context.CancelFunc
	done   chan struct{}
	out    chan shown // the newest, if nobody has taken it
	once   sync.Once
	err    error // of Close

	presence presence
	failures int
	told     bool
}

// shown is what came of a card.
type shown struct {
	token term.IdToken
	err   error
	at    time.Time
}

// Watch starts to watch a reader. The error is about the options. The scanner belongs to the reader from then on.
func Watch(s Scanner, o Options) (*Reader, error) {
	if err := o.Format.Check(); err != nil {
		return nil, err
	}
	fill(&o.Every, defaultEvery)
	fill(&o.Gone, defaultGone)
	fill(&o.Within, defaultWithin)
	fill(&o.Stale, defaultStale)
	ctx, cancel := context.WithCancel(context.Background())
	r := &Reader{o: o, s: s, cancel: cancel, done: make(chan struct{}), out: make(chan shown, 1), presence: presence{gone: o.Gone}}
	go r.run(ctx)
	return r, nil
}

func fill(d *time.Duration, by time.Duration) {
	if *d <= 0 {
		*d = by
	}
}

// Next waits for the next card. An error that wraps ErrCard says why what was shown is no token: refuse it and call
// again. That a reader has failed is told to Options.Notify, not here: Next then waits for it to come back.
func (r *Reader) Next(ctx context.Context) (term.IdToken, error) {
	for {
		select {
		case s := <-r.out:
			if time.Since(s.at) > r.o.Stale {
				continue
			}
			return s.token, s.err
		case <-ctx.Done():
			return term.IdToken{}, ctx.Err()
		case <-r.done:
			return term.IdToken{}, ErrClosed
		}
	}
}

// Close stops watching and closes the scanner.
func (r *Reader) Close() error {
	r.once.Do(func() {
		r.cancel()
		r.err = r.s.Close()
		<-r.done
	})
	return r.err
}

// run owns the scanner.
func (r *Reader) run(ctx context.Context) {
	defer close(r.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		r.look(ctx)
		if ctx.Err() != nil {
			return
		}
		pause.Reset(r.pause())
	}
}

// pause is how long the reader is left alone now: a dead one longer from time to time.
func (r *Reader) pause() time.Duration {
	if r.failures < maxFailures {
		return r.o.Every
	}
	return max(r.o.Every, min(r.o.Every<<min(r.failures-maxFailures, 8), lastPause))
}

func (r *Reader) look(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, r.o.Within)
	cards, err := r.s.Scan(within)
	cancel()
	if ctx.Err() != nil {
		return
	}
	if err != nil && !errors.Is(err, ErrCard) {
		r.failed(err)
		return
	}
	r.worked()
	s := look(cards)
	switch {
	case errors.Is(err, ErrTwoCards):
		s = sight{many: true}
	case err != nil:
		s = sight{bad: true}
	}
	if now := time.Now(); r.presence.shown(now, s) {
		r.hand(r.judge(s, cards, err), now)
	}
}

// judge says what a card is.
func (r *Reader) judge(s sight, cards []Card, err error) shown {
	switch {
	case err != nil:
		return shown{err: err}
	case s.many:
		return shown{err: ErrTwoCards}
	}
	t, err := r.o.Format.Token(cards[0])
	return shown{token: t, err: err}
}

// hand puts what was shown where Next finds it, in place of what nobody has taken.
func (r *Reader) hand(s shown, now time.Time) {
	s.at = now
	select {
	case <-r.out:
	default:
	}
	r.out <- s
}

func (r *Reader) failed(err error) {
	r.failures++
	if r.failures < maxFailures || r.told {
		return
	}
	r.told = true
	r.notify(fmt.Errorf("read cards at %s: %w", r.o.Name, err))
}

func (r *Reader) worked() {
	r.failures = 0
	if r.told {
		r.told = false
		r.notify(nil)
	}
}

func (r *Reader) notify(err error) {
	if r.o.Notify != nil {
		r.o.Notify(err)
	}
}
