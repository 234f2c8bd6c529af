package virtual

import (
	"errors"
	"fmt"
	"slices"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/keys"
)

// maxKeyWork bounds what waits for the key store: a TPM may take a minute for one key.
const maxKeyWork = 16

// keyring makes keys and requests for certificates beside the loop, one at a time and in order.
type keyring struct {
	l    *life
	work chan station.Command
	need []string // names that the core needed at its start
}

// MakeCSR implements run.Keys.
func (k *keyring) MakeCSR(c station.MakeCSR) bool {
	return k.l.s.o.Keys != nil && k.put(c)
}

// DropKey implements run.Keys. A key that stays for want of room, or because the power went, is dropped at the next start.
func (k *keyring) DropKey(c station.DropKey) {
	if k.l.s.o.Keys != nil && !k.put(c) {
		k.l.s.o.Log.Warn("keys", "kept for now", c.Key)
	}
}

func (k *keyring) put(c station.Command) bool {
	select {
	case k.work <- c:
		return true
	default:
		return false
	}
}

// run works until the life ends. It does not wait for a key that is being made then: the store bounds it in time, and the
// next life finds it made or not.
func (k *keyring) run() {
	k.sweep()
	for {
		select {
		case <-k.l.ctx.Done():
			return
		case c := <-k.work:
			done := make(chan station.Event, 1)
			go func() { done <- k.do(c) }()
			select {
			case <-k.l.ctx.Done():
				return
			case ev := <-done:
				if ev != nil {
					_ = k.l.loop.Post(k.l.ctx, ev)
				}
			}
		}
	}
}

// sweep drops keys that nobody needs: those whose DropKey a power cut swallowed. Where storage lost records it keeps them all.
func (k *keyring) sweep() {
	store := k.l.s.o.Keys
	if store == nil || k.l.damaged {
		return
	}
	names, err := store.Names()
	if err != nil {
		return
	}
	for _, name := range names {
		if !slices.Contains(k.need, name) {
			k.do(station.DropKey{Key: name})
		}
	}
}

// do does one piece of work; nil: nothing is to be told.
func (k *keyring) do(c station.Command) station.Event {
	switch c := c.(type) {
	case station.MakeCSR:
		return k.makeCSR(c)
	case station.DropKey:
		if err := k.l.s.o.Keys.Delete(c.Key); err != nil {
			k.l.s.o.Log.Warn("keys", "drop", c.Key, "err", err)
		}
	}
	return nil
}

func (k *keyring) makeCSR(c station.MakeCSR) station.CSRMade {
	made := station.CSRMade{Number: c.Number}
	log := k.l.s.o.Log
	signer, err := k.l.s.o.Keys.Open(c.Key)
	if errors.Is(err, keys.ErrNotFound) || errors.Is(err, keys.ErrDamaged) || errors.Is(err, keys.ErrForeign) {
		signer, err = k.l.s.o.Keys.Create(c.Key, keys.Algorithm(c.Algorithm))
	}
	if err != nil {
		made.Code = "KEY-STORE"
		log.Warn("keys", "csr", c.Key, "err", err)
		return made
	}
	made.PEM, err = keys.Request(signer, c.CommonName, c.Organization, c.Country)
	if err != nil {
		made.Code = "CSR"
		log.Warn("keys", "csr", c.Key, "err", err)
		return made
	}
	log.Info("keys", "csr", c.Key, "algorithm", string(c.Algorithm), "made in", k.l.s.o.Keys.Kind())
	return made
}

// checkKeys reaches for the key store at the start of a life and says how it is: a TPM may have to be waited for, so nobody
// waits for this.
func (l *life) checkKeys() {
	store := l.s.o.Keys
	if store == nil {
		return
	}
	checked := make(chan error, 1)
	go func() { checked <- store.Check() }()
	select {
	case <-l.ctx.Done():
	case err := <-checked:
		if err != nil {
			text := fmt.Sprintf("%v: no certificate of its own can be used until it is there", err)
			l.s.o.Log.Warn("keys", "store", store.Kind(), "err", text)
			l.s.tell("keys", text)
			_ = l.loop.Post(l.ctx, station.StorageFound{Code: "KEY-STORE", Text: text})
			return
		}
		l.s.o.Log.Info("keys", "store", store.Kind(), "protection", store.Protection())
	}
}

// wipe drops everything that is kept: the records first, for a cut in between must not leave secrets that nothing opens.
func (l *life) wipe() error {
	if err := l.store.Wipe(); err != nil || l.s.o.Keys == nil {
		return err
	}
	err := l.s.o.Keys.Wipe()
	l.s.veil.Forget()
	return err
}
