package keys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Bounds of a TPM's calls.
const (
	callTimeout = 10 * time.Second       // of a command that makes no RSA key
	makeTimeout = 90 * time.Second       // of one that does: slow TPMs look for primes for up to a minute
	busyTries   = 8                      // of a command that the TPM puts off
	busyPause   = 20 * time.Millisecond  // before the second try, doubled each time
	busyMost    = 500 * time.Millisecond // the longest pause
)

// wire sends commands to a TPM, each bounded in time. What the TPM puts off is sent again, within bounds.
type wire struct {
	tpm   transport.TPMCloser
	limit time.Duration // of one command
	dead  bool          // a command got no answer or an error below the TPM: the wire is of no more use
	lost  *atomic.Int32 // commands that nobody waits for any more, over all wires of a store
}

var errNoAnswer = errors.New("no answer in time")

// Send implements transport.TPM.
func (w *wire) Send(command []byte) ([]byte, error) {
	pause := busyPause
	for try := 1; ; try++ {
		answer, err := w.once(command)
		if err != nil || try == busyTries || !putOff(answer) {
			return answer, err
		}
		time.Sleep(pause)
		pause = min(2*pause, busyMost)
	}
}

// putOff tells whether the TPM wants the same command again later.
func putOff(answer []byte) bool {
	if len(answer) < 10 {
		return false
	}
	switch tpm2.TPMRC(binary.BigEndian.Uint32(answer[6:])) {
	case tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCTesting, tpm2.TPMRCNVRate:
		return true
	}
	return false
}

// once sends a command once. A TPM that does not answer keeps one goroutine, which closes it when it does.
func (w *wire) once(command []byte) ([]byte, error) {
	if w.dead {
		return nil, errNoAnswer
	}
	type reply struct {
		answer []byte
		err    error
	}
	replies := make(chan reply) // whoever comes first to the flag below decides who closes
	gone := make(chan struct{})
	w.lost.Add(1)
	go func() {
		answer, err := w.tpm.Send(command)
		select {
		case replies <- reply{answer, err}:
		case <-gone:
			_ = w.tpm.Close()
			w.lost.Add(-1)
		}
	}()
	timer := time.NewTimer(w.limit)
	defer timer.Stop()
	select {
	case r := <-replies:
		w.lost.Add(-1)
		w.dead = r.err != nil
		return r.answer, r.err
	case <-timer.C:
		w.dead = true
		close(gone)
		return nil, fmt.Errorf("%w: %v", errNoAnswer, w.limit)
	}
}

// explain makes one of our errors of what a TPM or the way to it said.
func explain(doing string, err error) error {
	var ours error
	cure := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoAnswer):
		ours = ErrBusy
	case is(err, tpm2.TPMRCRetry, tpm2.TPMRCYielded, tpm2.TPMRCTesting, tpm2.TPMRCNVRate, tpm2.TPMRCObjectMemory, tpm2.TPMRCSessionMemory, tpm2.TPMRCSessionHandles):
		ours = ErrBusy
	case is(err, tpm2.TPMRCLockout):
		ours, cure = ErrLockout, "wait for its lockout time, or reset it with the lockout authorization"
	case is(err, tpm2.TPMRCPolicyFail, tpm2.TPMRCPCRChanged):
		ours, cure = ErrPCR, "start what was measured then, or delete the entry and make it anew"
	case is(err, tpm2.TPMRCIntegrity):
		ours, cure = ErrForeign, "this TPM did not make it, or was cleared since"
	case is(err, tpm2.TPMRCAuthFail, tpm2.TPMRCBadAuth):
		return fmt.Errorf("%s: %w: the owner hierarchy wants a password: clear it, or have the storage key made at the handle beforehand", doing, err)
	case is(err, tpm2.TPMRCCurve, tpm2.TPMRCKeySize, tpm2.TPMRCAsymmetric, tpm2.TPMRCValue):
		ours = ErrUnsupported
	case !answered(err):
		ours = ErrUnavailable
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
	if cure != "" {
		return fmt.Errorf("%s: %w: %w: %s", doing, ours, err, cure)
	}
	return fmt.Errorf("%s: %w: %w", doing, ours, err)
}

func is(err error, codes ...tpm2.TPMRC) bool {
	for _, c := range codes {
		if errors.Is(err, c) {
			return true
		}
	}
	return false
}

// answered tells whether an error is the TPM's own word.
func answered(err error) bool {
	var rc tpm2.TPMRC
	var fmt1 tpm2.TPMFmt1Error
	return errors.As(err, &rc) || errors.As(err, &fmt1)
}
