package main

import (
	"context"
	"errors"
	"io"

	"github.com/evsed/evsed/boards/bringup"
)

// errNoBench says why a build for 32-bit ARM has no bench: it would take half a megabyte of a controller's flash.
var errNoBench = errors.New("builds for 32-bit ARM have no virtual board: want evsed on a PC, with the same files")

// boardDryRun is for a PC.
func boardDryRun([]string, io.Writer, io.Writer) error { return errNoBench }

// bringupVirtual is for a PC.
func bringupVirtual(context.Context, string, bringup.Options, io.Writer) error { return errNoBench }
