package virtual

import (
	"context"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
)

// CodeNoSlots says why nothing is installed: the station was started without slots for firmware.
const CodeNoSlots = "FW-NO-SLOTS"

// fixedFirmware is that of a station on real wires that has nowhere to put another: every update is refused at its download.
type fixedFirmware struct{ image station.Image }

func (f fixedFirmware) running() station.Image { return f.image }

func (fixedFirmware) fetch(_ context.Context, c station.Fetch, _ *transfer.Client, _ func()) station.FetchEnded {
	return station.FetchEnded{Number: c.Number, Code: CodeNoSlots, Final: true}
}

func (fixedFirmware) install(_ context.Context, c station.Install) station.InstallEnded {
	return station.InstallEnded{Number: c.Number, Code: CodeNoSlots}
}

func (fixedFirmware) activate(_ context.Context, c station.Activate) station.Activated {
	return station.Activated{Number: c.Number, Code: CodeNoSlots}
}
