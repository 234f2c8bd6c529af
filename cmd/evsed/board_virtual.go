//go:build !arm

package main

import (
	"context"
	"errors"
	"io"

	"github.com/evsed/evsed/boards/bringup"
)

// bringupVirtual rehearses on a bench, over the power cut.
func bringupVirtual(ctx context.Context, verb string, o bringup.Options, out io.Writer) error {
	v, err := bringup.NewVirtual(o.Board, out)
	if err != nil {
		return err
	}
	o.Rig, o.Person, o.Serial, o.Program, o.Virtual = v, v, "virtual", o.Program+" virtual", true
	r, err := begin(ctx, verb, o)
	if errors.Is(err, bringup.ErrPower) {
		v.Say("  (virtual: the power goes, and comes back)")
		if err := v.Cycle(); err != nil {
			return err
		}
		r, err = bringup.Resume(ctx, o)
	}
	return ended(r, err, out)
}
