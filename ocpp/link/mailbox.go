package link

import (
	"sync"

	"github.com/evsed/evsed/station"
)

// MaxMailbox bounds the reports, and the responses, that wait for the link's goroutine. It only fills when that is held
// up by a slow outbox.
const MaxMailbox = 1024

// mail is what callers left for the owner since it last looked. Of orders that replace one another only the newest is
// there.
type mail struct {
	sends     []station.Report
	responses []station.Response
	gate      *station.Registration
	config    *Config
	network   *bool
	wake      bool
	reconnect bool
}

// view is what the owner shows of itself.
type view struct {
	pending int
	idle    bool
	stats   Stats
	status  Status
}

// mailbox stands between callers, who never wait, and the owner.
type mailbox struct {
	signal chan struct{} // holds one; something is there

	mu     sync.Mutex // guards all below
	mail   mail
	inHand int // reports that the owner has taken but not shown in its view yet
	view   view
	busy   bool // mail is there or in hand
}

func newMailbox() *mailbox {
	return &mailbox{signal: make(chan struct{}, 1)}
}

// put changes the mail and wakes the owner.
func (b *mailbox) put(change func(*mail) bool) bool {
	b.mu.Lock()
	ok := change(&b.mail)
	b.busy = b.busy || ok
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
	return ok
}

// take empties the mailbox.
func (b *mailbox) take() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{}
	b.inHand = len(m.sends)
	return m
}

// show tells the callers what has become of what was taken.
func (b *mailbox) show(v view) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.view, b.inHand = v, 0
	b.busy = len(b.mail.sends)+len(b.mail.responses) > 0 || b.mail.wake
}

func (b *mailbox) look() view {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.view
	v.pending += len(b.mail.sends) + b.inHand
	v.idle = v.idle && !b.busy
	return v
}
