package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
)

// TestFullDisk fills the small file system that the state lies on while a car charges: the station says so, begins no
// session, ends the one that runs, survives a kill, and is back by itself when there is room.
func TestFullDisk(t *testing.T) {
	mount := t.TempDir()
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("mounting a small file system is not permitted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(mount, unix.MNT_DETACH) })
	var mu sync.Mutex // of told
	var told []string
	c, url := backend(t, func(r csms.Request) {
		if ev, ok := r.Message.(*msg2.SecurityEventNotificationRequest); ok {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, ev.Type+" "+ev.TechInfo.V)
		}
	})
	p := newProcess(t, url, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"),
		variable("SampledDataCtrlr", "TxUpdatedInterval", "1"))
	p.dir = filepath.Join(mount, "state")
	p.boot()
	p.charge()
	fill(t, filepath.Join(mount, "other"))
	p.do("/network", `{"up":false}`) // what cannot be told fills the queue, and the database has to grow
	p.do("/clock", `{"rate":60}`)
	p.until("the reserve is given up", func() bool {
		_, err := os.Stat(filepath.Join(p.dir, "reserve"))
		return errors.Is(err, fs.ErrNotExist)
	})
	p.do("/clock", `{"rate":1}`)
	p.do("/network", `{"up":true}`)
	p.until("the CSMS hears of the full disk", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(told, "MemoryExhaustion STO-FULL")
	})
	refused := func() bool { return c.Status("cp001", 2, 1) == "Unavailable" }
	p.until("EVSE 2 is unavailable", refused)
	answer, err := c.Ask(t.Context(), "cp001", &msg2.RequestStartTransactionRequest{EVSEID: msg2.Some(2), RemoteStartID: 1,
		IdToken: msg2.IdToken{IdToken: "BOB", Type: "ISO14443"}})
	must(t, err)
	if r := answer.(*msg2.RequestStartTransactionResponse); r.Status != "Rejected" || r.StatusInfo.V.ReasonCode != "OutOfStorage" {
		t.Errorf("remote start: %+v", r)
	}
	if s := p.state(); !s.EVSEs[0].Relay {
		t.Error("who charges does not go on charging")
	}
	p.do("/stop", `{}`)
	p.until("the transaction has ended", func() bool { return p.state().EVSEs[0].Transaction == nil })
	p.until("its end is told, and so on the disk", func() bool { return len(c.Ledger().Check(nil)) == 0 }) // a stop that a kill forestalls is none
	p.kill()
	p.boot()
	p.connected()
	p.until("EVSE 2 is unavailable from the start on", refused)
	p.until("all is told", func() bool { return p.state().Station.PendingMessages == 0 })
	if wrong := c.Ledger().Check(nil); len(wrong) > 0 {
		t.Errorf("the books do not add up: %q", wrong)
	}
	must(t, os.Remove(filepath.Join(mount, "other")))
	p.do("/clock", `{"rate":60}`)
	p.until("EVSE 2 is available again", func() bool { return c.Status("cp001", 2, 1) == "Available" })
	p.do("/clock", `{"rate":1}`)
	p.do("/evses/2/plug", `{"connector":1}`)
	p.do("/swipe", `{"idToken":"BOB","type":"ISO14443","evses":[2]}`)
	p.until("a session begins", func() bool { return p.state().EVSEs[1].Relay })
}

// fill writes a file until nothing more fits but what the simulated world takes to write itself down.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	block := bytes.Repeat([]byte("full"), 1024)
	for {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			end, err := f.Seek(0, io.SeekCurrent)
			must(t, errors.Join(err, f.Truncate(max(end/4096-2, 0)*4096)))
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
