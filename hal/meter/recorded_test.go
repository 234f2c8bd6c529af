package meter

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/modbus"
)

// TestRecorded: what was read at real meters means by our tables what it meant there. A recording is a part of a meter's registers:
// only what it holds is compared.
func TestRecorded(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	recordings := strings.Split(string(text), "\n@ ")[1:]
	if len(recordings) < 10 {
		t.Fatalf("%d recordings, want 10 or more", len(recordings))
	}
	for _, recording := range recordings {
		head, body, _ := strings.Cut(recording, "\n")
		t.Run(head, func(t *testing.T) {
			name, base := head, uint16(0)
			fmt.Sscan(head, &name, &base)
			m, err := Find(name)
			if err != nil {
				t.Fatal(err)
			}
			part := filepath.Join(t.TempDir(), "part.txt")
			if err := os.WriteFile(part, []byte(body), 0o644); err != nil {
				t.Fatal(err)
			}
			tr := readTraffic(t, part)
			if len(tr.asked) == 0 || len(tr.means) == 0 {
				t.Fatal("want a request and what its answer means")
			}
			got := describe(readRecorded(t, m, base, tr))
			for _, want := range tr.means {
				if !slices.Contains(got, want) {
					t.Errorf("want %s; got\n%s", want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// readRecorded makes the requests of a recording, and returns what the model's table finds in the answers. The addresses
// of the table count from base.
func readRecorded(t *testing.T, m *Model, base uint16, tr traffic) (r hal.MeterReading) {
	t.Helper()
	bus := modbus.NewRTU("test", &playback{t: t, traffic: tr}, modbus.Options{Attempts: 1})
	defer bus.Close()
	var im image
	for _, q := range tr.asked {
		kind, address, count := modbus.Holding, binary.BigEndian.Uint16(q[2:]), binary.BigEndian.Uint16(q[4:])
		if q[1] == 4 {
			kind = modbus.Input
		}
		words, err := bus.Read(t.Context(), q[0], kind, address, count)
		if err != nil {
			t.Fatal(err)
		}
		im.blocks, im.words = append(im.blocks, block{kind, address - base, count}), append(im.words, words)
	}
	meter := &Meter{model: m}
	for _, v := range m.values {
		if im.at(v.kind, v.address, v.words) == nil {
			continue
		}
		n, there, err := v.thousandths(im)
		if err != nil {
			t.Fatal(err)
		}
		if there {
			meter.put(&r, v, n)
		}
	}
	return r
}
