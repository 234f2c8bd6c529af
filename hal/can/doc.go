// Package can speaks classic CAN frames over the kernel's raw sockets. One goroutine owns a bus: it reads, hands each
// frame to who listens for it, notices a bus that is off or gone, and recovers.
//
//	bus, err := can.Open("can0")             // at once, also where the interface is down: then Bus.State says so
//	in := bus.Listen(filter, 16)             // a bounded inbox; in.Next(ctx) is the oldest frame
//	err = bus.Send(ctx, frame)               // within ctx's deadline
package can
