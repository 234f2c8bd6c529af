package virtual

import (
	"cmp"
	"context"
	"errors"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// slotted is firmware that lies in slots.
type slotted struct{ slot.Installer }

func (f slotted) running() station.Image {
	b := f.Status().Running
	return station.Image{Version: b.Version, Slot: string(b.Slot), Trial: b.Trial, GaveUp: b.ReturnedFrom, Why: cmp.Or(b.Code, b.Why)}
}

// fetch downloads an image straight into the slot that does not run.
func (f slotted) fetch(ctx context.Context, c station.Fetch, from *transfer.Client, moved func()) station.FetchEnded {
	ended := station.FetchEnded{Number: c.Number}
	err := f.download(ctx, c, from, moved, &ended)
	if err != nil {
		ended.Code, ended.Final = fetchCode(err)
	}
	return ended
}

func (f slotted) download(ctx context.Context, c station.Fetch, from *transfer.Client, moved func(), ended *station.FetchEnded) (err error) {
	w, err := f.Stage(ctx, -1)
	if err != nil {
		return err
	}
	defer func() {
		if failed := w.Close(); err == nil {
			err = failed
		}
	}()
	if !c.Resume {
		if err := w.Truncate(0); err != nil {
			return err
		}
	}
	if err := from.Get(ctx, c.URL, moving{w, moved}); err != nil {
		return err
	}
	ended.Digest, ended.Size = w.Sum(), w.Offset()
	return nil
}

// moving is a slot's Writer that says when it has written.
type moving struct {
	slot.Writer
	moved func()
}

func (m moving) Write(p []byte) (int, error) {
	n, err := m.Writer.Write(p)
	m.moved()
	return n, err
}

func (f slotted) install(_ context.Context, c station.Install) station.InstallEnded {
	m, err := f.Check()
	if err != nil {
		code, forged := imageCode(err)
		return station.InstallEnded{Number: c.Number, Code: code, Unfit: image.Refuses(err), Forged: forged}
	}
	return station.InstallEnded{Number: c.Number, Version: m.Version.String()}
}

func (f slotted) activate(_ context.Context, c station.Activate) station.Activated {
	a := station.Activated{Number: c.Number}
	if err := f.Activate(); err != nil {
		a.Code, _ = imageCode(err)
	}
	return a
}

// fetchCode names why a download failed; final: another attempt would go no better.
func fetchCode(err error) (code string, final bool) {
	if errors.Is(err, slot.ErrFull) || errors.Is(err, slot.ErrTrial) || image.Refuses(err) { // the last: the writer has seen that it is none
		code, _ := imageCode(err)
		return code, true
	}
	for _, r := range []struct {
		err  error
		code string
	}{
		{transfer.ErrAddress, "FW-ADDRESS"}, {transfer.ErrScheme, "FW-ADDRESS"},
		{transfer.ErrHost, "FW-ADDRESS"}, {transfer.ErrRedirect, "FW-REDIRECT"}, {transfer.ErrPermission, "FW-PERMISSION"},
		{transfer.ErrTrust, "FW-SERVER"}, {transfer.ErrNotFound, "FW-NOTFOUND"}, {transfer.ErrTooLarge, "FW-SIZE"},
	} {
		if errors.Is(err, r.err) {
			return r.code, transfer.Final(err)
		}
	}
	return "FW-TRANSFER", transfer.Final(err)
}

// imageCode names why an image is not installed; forged: it is not what its maker has signed.
func imageCode(err error) (code string, forged bool) {
	for _, r := range []struct {
		err    error
		code   string
		forged bool
	}{
		{image.ErrFormat, "FW-FORMAT", false}, {image.ErrTruncated, "FW-TRUNCATED", false}, {image.ErrSize, "FW-SIZE", false},
		{image.ErrUnsigned, "FW-UNSIGNED", true}, {image.ErrKey, "FW-KEY", true}, {image.ErrExpired, "FW-EXPIRED", true},
		{image.ErrSignature, "FW-SIGNATURE", true}, {image.ErrDigest, "FW-DIGEST", true}, {image.ErrHardware, "FW-HARDWARE", false},
		{image.ErrTarget, "FW-TARGET", false}, {image.ErrOlder, "FW-OLDER", false}, {image.ErrAgent, "FW-AGENT", false},
		{slot.ErrNothing, "FW-NOTHING", false}, {slot.ErrTrial, "FW-TRIAL", false}, {slot.ErrFull, "FW-FULL", false},
	} {
		if errors.Is(err, r.err) {
			return r.code, r.forged
		}
	}
	return "FW-SLOT", false
}
