package rauc

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	// MaxInstall is how long RAUC may take to write a slot: a gigabyte on slow flash.
	MaxInstall = time.Hour
	// poll is how often its state is asked for, in case that a signal was lost with a restart of RAUC.
	poll = 2 * time.Second
)

// Progress is how far an installation is, as RAUC tells it.
type Progress struct {
	Percent int32
	Message string
	Depth   int32
}

// install lets RAUC write a bundle and waits until that is done. progress, if not nil, hears of each step.
func (b *bus) install(ctx context.Context, bundle string, progress func(Progress)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, MaxInstall, ErrTime)
	defer cancel()
	signals := make(chan *dbus.Signal, 64)
	b.conn.Signal(signals)
	defer b.conn.RemoveSignal(signals)
	for _, from := range []struct{ iface, member string }{{installer, "Completed"}, {properties, "PropertiesChanged"}} {
		if err := b.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(service), dbus.WithMatchInterface(from.iface), dbus.WithMatchMember(from.member)); err != nil {
			return b.reason(ctx, err)
		}
	}
	if err := b.idle(ctx); err != nil {
		return err
	}
	if err := b.call(ctx, installer+".InstallBundle", []any{bundle, map[string]dbus.Variant{}}); err != nil {
		return err
	}
	return b.completed(ctx, signals, progress)
}

// idle waits until RAUC does nothing else: an installation that began before this process did goes on without it.
func (b *bus) idle(ctx context.Context) error {
	for {
		var what string
		if err := b.property(ctx, "Operation", &what); err != nil || what == "idle" {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("wait for the end of %s: %w", clip(what), err)
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// completed waits for the end of an installation. RAUC that is gone in the midst of it is found by asking.
func (b *bus) completed(ctx context.Context, signals <-chan *dbus.Signal, progress func(Progress)) error {
	ask := time.NewTicker(poll)
	defer ask.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case s, ok := <-signals:
			if !ok {
				return fmt.Errorf("%w: it ended", ErrBus)
			}
			if s.Name == installer+".Completed" {
				return b.result(ctx, s)
			}
			if p, ok := progressOf(s); ok && progress != nil {
				progress(p)
			}
		case <-ask.C:
			var what string
			if err := b.property(ctx, "Operation", &what); err != nil {
				return err
			}
			if what == "idle" && len(signals) == 0 {
				return fmt.Errorf("%w: the installation ended without a result", ErrService)
			}
		}
	}
}

// result reads Completed: 0 is success, and LastError says what else it was.
func (b *bus) result(ctx context.Context, s *dbus.Signal) error {
	var code int32
	if err := dbus.Store(s.Body, &code); err != nil {
		return fmt.Errorf("%w: Completed: %w", ErrService, err)
	}
	if code == 0 {
		return nil
	}
	var why string
	if err := b.property(ctx, "LastError", &why); err != nil || why == "" {
		return fmt.Errorf("%w: the installation ended with %d", ErrRefused, code)
	}
	return fmt.Errorf("%w: %s", ErrRefused, clip(why))
}

// progressOf reads a change of the property Progress.
func progressOf(s *dbus.Signal) (p Progress, ok bool) {
	var of string
	var changed map[string]dbus.Variant
	var gone []string
	if s.Name != properties+".PropertiesChanged" || dbus.Store(s.Body, &of, &changed, &gone) != nil || of != installer {
		return p, false
	}
	v, ok := changed["Progress"]
	if !ok || v.Store(&p) != nil {
		return p, false
	}
	p.Message = clip(p.Message)
	return p, true
}
