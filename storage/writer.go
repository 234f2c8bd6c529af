package storage

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/station"
)

// Writer makes batches durable in one goroutine of its own. What gathers while the device works shares the next
// fsync.
type Writer struct {
	store   *Store
	wake    chan struct{}  // capacity 1: something waits
	tick    chan time.Time // capacity 1: the newest time
	durable chan uint64    // capacity 1: the newest number
	states  chan State     // capacity 1: the newest state
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
	reached atomic.Uint64
	err     error // of Close; written before done is closed
}

// Start starts the writer of a store. Until its Close only the writer may change the store; reading is free.
func (s *Store) Start() *Writer {
	w := &Writer{
		store: s, wake: make(chan struct{}, 1), tick: make(chan time.Time, 1), durable: make(chan uint64, 1),
		states: make(chan State, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	w.reached.Store(s.durableTo())
	s.write.Lock()
	s.settled = w.publishDurable
	s.write.Unlock()
	go w.run()
	return w
}

// Append hands over a batch and returns its number; the batch is durable when Durable has said a number that is not
// lower. It never waits for the device. With sync false the batch owes no fsync of its own (see Store.Note).
// ErrBacklog, ErrOutboxFull and ErrTooLarge refuse the batch; nothing of it is kept then.
func (w *Writer) Append(batch []station.Record, sync bool) (n uint64, err error) {
	n, due, err := w.store.handBatch(batch, sync)
	if err == nil && due {
		w.poke()
	}
	return n, err
}

func (w *Writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Durable says up to which number batches are durable. Numbers in between are skipped when nobody listens.
func (w *Writer) Durable() <-chan uint64 { return w.durable }

// DurableTo returns the number of the last batch that is durable.
func (w *Writer) DurableTo() uint64 { return w.reached.Load() }

// States says how the store is whenever that changes; states in between are skipped when nobody listens.
func (w *Writer) States() <-chan State { return w.states }

// Tick gives the store the time without waiting for it.
func (w *Writer) Tick(now time.Time) {
	newest(w.tick, now)
}

// Deadline returns the time by which Tick wants to be called; zero = not needed.
func (w *Writer) Deadline() time.Time { return w.store.Deadline() }

// Close makes everything durable and closes the store.
func (w *Writer) Close() error {
	w.once.Do(func() { close(w.stop) })
	<-w.done
	return w.err
}

func (w *Writer) run() {
	defer close(w.done)
	var state State
	for {
		select {
		case <-w.wake:
			w.store.flushNow()
		case now := <-w.tick:
			w.store.Tick(now)
		case <-w.stop:
			w.err = w.store.Close()
			w.publish(&state)
			return
		}
		w.publish(&state)
	}
}

// publishDurable tells what has become durable, before the checkpoint that may follow: nobody waits for that. The store calls
// it with write held, so there is one at a time.
func (w *Writer) publishDurable() {
	if n := w.store.durableTo(); n != w.reached.Load() {
		w.reached.Store(n)
		newest(w.durable, n)
	}
}

func (w *Writer) publish(state *State) {
	w.store.write.Lock()
	w.publishDurable() // a wipe makes durable what it threw away
	w.store.write.Unlock()
	if s := w.store.State(); s.Code != state.Code {
		*state = s
		newest(w.states, s)
	}
}

// newest puts v into a channel of capacity 1 in place of what nobody has taken. Only one goroutine at a time sends on it.
func newest[T any](c chan T, v T) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}

// handBatch is accept with the number of the batch.
func (s *Store) handBatch(batch []station.Record, must bool) (n uint64, due bool, err error) {
	due, err = s.accept(batch, must)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.accepted, due, err
}

// flushNow is flush for the writer; its error is in the State.
func (s *Store) flushNow() {
	s.write.Lock()
	defer s.write.Unlock()
	if s.journal != nil {
		_ = s.flush()
	}
}

func (s *Store) durableTo() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.durable
}
