package mcusim

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	tick      = time.Millisecond
	readSize  = 256
	readQueue = 16 // reads that wait for the next tick
)

// Serve lets a controller live in real time behind the far end of a serial line, until ctx ends or the line does. It
// closes the line.
func Serve(ctx context.Context, m *MCU, line *os.File) error {
	said := make(chan []byte, readQueue)
	ended := make(chan error, 1)
	go func() {
		for {
			b := make([]byte, readSize)
			n, err := line.Read(b)
			if err != nil {
				ended <- err
				return
			}
			select {
			case said <- b[:n]:
			default: // as a serial port's buffer: what is not fetched is lost
			}
		}
	}()
	err := serve(ctx, m, line, said, ended)
	line.Close()
	if err == nil {
		<-ended
	}
	return err
}

func serve(ctx context.Context, m *MCU, line *os.File, said <-chan []byte, ended <-chan error) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	var in, out []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return fmt.Errorf("read the line of a controller: %w", err)
		case b := <-said:
			in = append(in, b...)
		case <-t.C:
			out = m.Step(time.Now(), in, out[:0])
			in = in[:0]
			_ = line.SetWriteDeadline(time.Now().Add(tick)) // a full line loses, it does not hold the controller up
			_, _ = line.Write(out)
		}
	}
}
