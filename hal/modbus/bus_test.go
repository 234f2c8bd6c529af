package modbus

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const char = 1146 * time.Microsecond // 9600 8E1

// bench is a line with the units 1 and 2, in virtual time.
type bench struct {
	t    *testing.T
	line *Line
	bus  *Bus
	one  Memory
}

// on runs f with a bench.
func on(t *testing.T, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		one, two := Memory{}, Memory{}
		one.Set(Input, 0, 11, 12, 13)
		one.Set(Holding, 0, 1, 2, 3, 4)
		one.Set(Coil, 0, 1, 0, 1)
		two.Set(Input, 0, 21, 22, 23)
		b := &bench{t: t, one: one, line: NewLine(NewServer(map[uint8]Unit{1: one, 2: two}), char)}
		b.bus = NewRTU("test", b.line, Options{})
		defer b.bus.Close()
		f(b)
	})
}

func (b *bench) read(unit uint8) (uint16, error) {
	return b.first(b.bus.Read(b.t.Context(), unit, Input, 0, 3))
}

func (b *bench) first(values []uint16, err error) (uint16, error) {
	if err != nil {
		return 0, err
	}
	return values[0], nil
}

func (b *bench) reads(unit uint8, want uint16) {
	b.t.Helper()
	if got, err := b.read(unit); err != nil || got != want {
		b.t.Fatalf("unit %d reads %d, %v; want %d", unit, got, err, want)
	}
}

func (b *bench) fails(unit uint8, want error) {
	b.t.Helper()
	if got, err := b.read(unit); !errors.Is(err, want) {
		b.t.Fatalf("unit %d reads %d, %v; want %v", unit, got, err, want)
	}
}

func TestBusReadsAndWrites(t *testing.T) {
	on(t, func(b *bench) {
		ctx := b.t.Context()
		b.reads(1, 11)
		b.reads(2, 21)
		if err := b.bus.Write(ctx, 1, Holding, 1, 7); err != nil {
			t.Fatal(err)
		}
		if err := b.bus.Write(ctx, 1, Holding, 2, 8, 9); err != nil {
			t.Fatal(err)
		}
		if err := b.bus.Write(ctx, 1, Coil, 0, 0, 1, 0); err != nil {
			t.Fatal(err)
		}
		if got, err := b.bus.ReadWrite(ctx, 1, 0, 4, 0, 6); err != nil || got[0] != 6 || got[1] != 7 || got[3] != 9 {
			t.Fatal(got, err)
		}
		if got, err := b.bus.Read(ctx, 1, Coil, 0, 3); err != nil || got[0] != 0 || got[1] != 1 {
			t.Fatal(got, err)
		}
		_, err := b.bus.Read(ctx, 1, Input, 1000, 1)
		if !errors.Is(err, IllegalAddress) || !strings.Contains(err.Error(), "input register 1000 of unit 1 on test") {
			t.Fatal(err)
		}
	})
}

func TestBroadcastIsWrittenAndNeverRead(t *testing.T) {
	on(t, func(b *bench) {
		if _, err := b.bus.Read(b.t.Context(), 0, Holding, 0, 1); !errors.Is(err, ErrBroadcast) {
			t.Fatal(err)
		}
		start := time.Now()
		if err := b.bus.Write(b.t.Context(), 0, Holding, 0, 5); err != nil {
			t.Fatal(err)
		}
		if b.one[Holding][0] != 5 {
			t.Error("a broadcast wrote nothing")
		}
		b.reads(1, 11)
		if d := time.Since(start); d < turnaround {
			t.Errorf("the request after a broadcast came after %v", d)
		}
	})
}

func TestFramesAreApart(t *testing.T) {
	on(t, func(b *bench) {
		b.reads(1, 11)
		start := time.Now()
		b.reads(2, 21)
		// 8 characters of request, 11 of answer, 3.5 of silence before.
		if d := time.Since(start); d < char*45/2 || d > char*26 {
			t.Errorf("one reading takes %v, %v characters", d, d/char)
		}
	})
}

// Each fault has its name, passes by itself, and does not touch the other unit.
func TestFaultsOfAUnit(t *testing.T) {
	for f, want := range map[Fault]error{Silent: ErrNoAnswer, WrongCRC: ErrCRC, HalfFrame: ErrShort, ForeignUnit: ErrForeign,
		Refusing: DeviceFailure, AnswersOther: ErrAnswer} {
		on(t, func(b *bench) {
			b.line.Fail(1, f)
			b.fails(1, want)
			b.reads(2, 21)
			b.line.Fail(1, NoFault)
			b.reads(1, 11)
		})
	}
}

func TestGlitchBeforeAnAnswerDoesNoHarm(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(1, Glitch)
		b.reads(1, 11)
		if err := b.bus.Write(b.t.Context(), 1, Holding, 0, 9); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNoisyLine(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(0, Noise)
		b.fails(1, ErrNoise)
		b.fails(2, ErrNoise)
		b.line.Fail(0, NoFault)
		b.reads(1, 11)
	})
}

func TestUnpluggedLine(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(0, Unplugged)
		for range 5 {
			b.fails(1, ErrPulled)
		}
		b.line.Fail(0, NoFault)
		b.reads(1, 11) // at once: it was the line, not the unit
	})
}

// An answer that comes after its deadline is never taken for the answer to the next request.
func TestLateAnswerIsNotTaken(t *testing.T) {
	on(t, func(b *bench) {
		b.one.Set(Input, 100, 99, 98, 97)
		b.line.Fail(1, Late)
		ctx, cancel := context.WithTimeout(b.t.Context(), 550*time.Millisecond)
		defer cancel()
		if _, err := b.bus.Read(ctx, 1, Input, 100, 3); !errors.Is(err, ErrNoAnswer) {
			t.Fatal(err)
		}
		b.line.Fail(1, NoFault)
		for range 3 {
			if got, err := b.read(1); err == nil && got != 11 {
				t.Fatalf("got %d, the answer to another request", got)
			}
		}
		b.reads(1, 11)
	})
}

// A silent unit is asked less and less often, and does not take the bus from the others.
func TestSilentUnitIsAskedLess(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(1, Silent)
		withheld := 0
		for range 60 {
			if _, err := b.read(1); errors.Is(err, ErrWithheld) {
				withheld++
			} else if !errors.Is(err, ErrNoAnswer) {
				t.Fatal(err)
			}
			start := time.Now()
			b.reads(2, 21)
			if d := time.Since(start); d > 50*time.Millisecond {
				t.Fatalf("the other unit waits %v", d)
			}
			time.Sleep(time.Second)
		}
		if withheld < 40 {
			t.Errorf("withheld %d of 60", withheld)
		}
		b.line.Fail(1, NoFault)
		time.Sleep(lastWithheld)
		b.reads(1, 11)
	})
}

func TestCallersKeepTheirDeadline(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(0, Silent)
		ctx, cancel := context.WithTimeout(b.t.Context(), 120*time.Millisecond)
		defer cancel()
		start := time.Now()
		for range 3 {
			if _, err := b.bus.Read(ctx, 1, Input, 0, 3); !errors.Is(err, ErrNoAnswer) && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if d := time.Since(start); d > 130*time.Millisecond {
			t.Errorf("waited %v", d)
		}
	})
}

func TestQueueHasAnEnd(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(0, Silent)
		refused := make(chan error, MaxQueue+10)
		for range MaxQueue + 10 {
			go func() {
				_, err := b.bus.Read(b.t.Context(), 1, Input, 0, 1)
				refused <- err
			}()
		}
		synctest.Wait()
		n := 0
		for len(refused) > 0 {
			if err := <-refused; !errors.Is(err, ErrQueue) {
				t.Fatal(err)
			}
			n++
		}
		if n != 9 { // one is under way
			t.Errorf("refused %d", n)
		}
		b.bus.Close()
		synctest.Wait()
		for len(refused) > 0 {
			if err := <-refused; !errors.Is(err, ErrClosed) && !errors.Is(err, ErrNoAnswer) {
				t.Fatal(err)
			}
		}
		if _, err := b.read(1); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	})
}

func TestWritesAreSentOnce(t *testing.T) {
	on(t, func(b *bench) {
		b.line.Fail(1, Silent)
		start := time.Now()
		if err := b.bus.Write(b.t.Context(), 1, Holding, 0, 9); !errors.Is(err, ErrNoAnswer) {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 550*time.Millisecond {
			t.Errorf("a write took %v: it was repeated", d)
		}
	})
}

// stream is a Port at which the same bytes never end.
type stream []byte

func (s stream) Read(b []byte) (int, error) {
	time.Sleep(char)
	return copy(b, s), nil
}
func (s stream) Write(b []byte) (int, error) { return len(b), nil }
func (s stream) SetDeadline(time.Time) error { return nil }
func (s stream) Char() time.Duration         { return char }
func (s stream) Close() error                { return nil }

// A line that is held low reads as zeros without an end; others babble, or repeat an answer's beginning.
func TestLineThatNeverEnds(t *testing.T) {
	for _, s := range []stream{{0}, {0xff, 0xff, 0xff}, {1, 4, 6}, {9}} {
		synctest.Test(t, func(t *testing.T) {
			w := &rtu{port: s, owed: map[uint8]debt{}}
			r, err := newRead(1, Input, 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := w.listen(r, start.Add(time.Second)); err == nil {
				t.Fatalf("% x is an answer", []byte(s))
			}
			if _, err := w.exchange(r, patience{timeout: time.Second}); !errors.Is(err, ErrNoise) {
				t.Fatalf("% x: %v", []byte(s), err)
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("% x takes %v", []byte(s), d)
			}
		})
	}
}
