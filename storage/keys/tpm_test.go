package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// copyEntries brings the entries of one state directory to another, as a thief does.
func copyEntries(t *testing.T, from, to string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(from, Folder, "*.*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v, %v", names, err)
	}
	if err := os.MkdirAll(filepath.Join(to, Folder), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, Folder, filepath.Base(name)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantForeign checks that a store can use none of the entries, and leaves them where they are.
func wantForeign(t *testing.T, s Store) {
	t.Helper()
	for range 2 {
		if _, err := s.Open("a"); !errors.Is(err, ErrForeign) {
			t.Errorf("key: %v", err)
		}
		if _, err := s.Unseal("a"); !errors.Is(err, ErrForeign) {
			t.Errorf("secret: %v", err)
		}
	}
}

func fill(t *testing.T, s Store) {
	t.Helper()
	if _, err := s.Create("a", P256); err != nil {
		t.Fatal(err)
	}
	if err := s.Seal("a", []byte("secret")); err != nil {
		t.Fatal(err)
	}
}

func TestEntriesAreOfNoUseElsewhere(t *testing.T) {
	t.Run("another TPM", func(t *testing.T) {
		one, two, here, there := startTPM(t), startTPM(t), t.TempDir(), t.TempDir()
		fill(t, openStore(t, one.spec(""), here))
		copyEntries(t, here, there)
		wantForeign(t, openStore(t, two.spec(""), there))
	})
	t.Run("another TPM, and a frame that lies", func(t *testing.T) {
		one, two, here, there := startTPM(t), startTPM(t), t.TempDir(), t.TempDir()
		s := openStore(t, one.spec(""), here)
		fill(t, s)
		content, err := s.(*store).shelf.get("a" + endKey)
		if err != nil {
			t.Fatal(err)
		}
		thief := openStore(t, two.spec(""), there)
		own, err := thief.(*store).safe.owner()
		if err != nil {
			t.Fatal(err)
		}
		_, _, body, _ := unframe(content, aKey)
		if err := thief.(*store).shelf.put("a"+endKey, frame(head('T', aKey, own), body)); err != nil {
			t.Fatal(err)
		}
		k, err := thief.Open("a") // its public half is known; to sign is another matter
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(nil)
		if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, ErrForeign) {
			t.Errorf("signed with a key of another TPM: %v", err)
		}
	})
	t.Run("a TPM that was cleared", func(t *testing.T) {
		e, dir := startTPM(t), t.TempDir()
		fill(t, openStore(t, e.spec(""), dir))
		dev, err := linuxudstpm.Open(e.socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (tpm2.Clear{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHPlatform, Auth: tpm2.PasswordAuth(nil)}}).Execute(dev); err != nil {
			t.Fatal(err)
		}
		wantForeign(t, openStore(t, e.spec(""), dir))
	})
	t.Run("a vault without its key", func(t *testing.T) {
		here, there := t.TempDir(), t.TempDir()
		fill(t, openStore(t, "file", here))
		copyEntries(t, here, there) // the key has no ending: it stays
		s := openStore(t, "file", there)
		wantForeign(t, s)
		if !strings.Contains(s.Protection(), "was gone") {
			t.Errorf("says %q", s.Protection())
		}
	})
	t.Run("a vault with another key", func(t *testing.T) {
		dir := t.TempDir()
		for i, name := range []string{"k1", "k2"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat(name, 16)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := openStore(t, "file?key="+filepath.Join(dir, name), dir)
			if i == 0 {
				fill(t, s)
				continue
			}
			wantForeign(t, s)
		}
		if got, err := openStore(t, "file?key="+filepath.Join(dir, "k1"), dir).Unseal("a"); err != nil || string(got) != "secret" {
			t.Errorf("with its own key again: %q, %v", got, err)
		}
	})
	t.Run("a vault's entries in a TPM", func(t *testing.T) {
		e, dir := startTPM(t), t.TempDir()
		fill(t, openStore(t, "file", dir))
		wantForeign(t, openStore(t, e.spec(""), dir))
	})
}

// The storage key is made once and found again; a TPM that restarts has it still.
func TestTheStorageKeyIsPersistent(t *testing.T) {
	e, dir := startTPM(t), t.TempDir()
	s := openStore(t, e.spec("?handle=0x81000123"), dir)
	fill(t, s)
	path := e.cmd.Path
	e.stop()
	if _, err := s.Create("b", P256); !errors.Is(err, ErrUnavailable) {
		t.Errorf("while the TPM is off: %v", err)
	}
	if err := s.Check(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("while the TPM is off: %v", err)
	}
	e.start(t, path)
	k, err := s.Open("a") // the same store, without a restart of its own
	if err != nil {
		t.Fatal(err)
	}
	proves(t, k)
	dev, err := linuxudstpm.Open(e.socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(0x81000123)}).Execute(dev); err != nil {
		t.Errorf("no storage key at its handle: %v", err)
	}
	if _, err := (tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(defaultHandle)}).Execute(dev); err == nil {
		t.Error("one at the usual handle as well")
	}
}

// A handle where something else lies is left alone.
func TestAHandleThatIsTaken(t *testing.T) {
	e := startTPM(t)
	dev, err := linuxudstpm.Open(e.socket)
	if err != nil {
		t.Fatal(err)
	}
	public, _ := template(P256)
	rsp, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(public)}.Execute(dev)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.EvictControl{Auth: tpm2.TPMRHOwner, ObjectHandle: &tpm2.NamedHandle{Handle: rsp.ObjectHandle, Name: rsp.Name}, PersistentHandle: defaultHandle}.Execute(dev)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(e.spec(""), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "?handle=") {
		t.Errorf("%v", err)
	}
}

func TestPCRsGuardKeysAndSecrets(t *testing.T) {
	e, dir := startTPM(t), t.TempDir()
	s := openStore(t, e.spec("?pcr=7,16"), dir)
	fill(t, s)
	k, err := s.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	proves(t, k)
	dev, err := linuxudstpm.Open(e.socket)
	if err != nil {
		t.Fatal(err)
	}
	extend := func(n uint32) {
		t.Helper()
		_, err := tpm2.PCRExtend{PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(n), Auth: tpm2.PasswordAuth(nil)},
			Digests: tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: make([]byte, 32)}}}}.Execute(dev)
		if err != nil {
			t.Fatal(err)
		}
	}
	extend(8)
	proves(t, k) // none of ours
	extend(16)
	digest := sha256.Sum256(nil)
	if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, ErrPCR) {
		t.Errorf("signed after the boot changed: %v", err)
	}
	if _, err := s.Unseal("a"); !errors.Is(err, ErrPCR) || !strings.Contains(err.Error(), "another firmware or boot setting") {
		t.Errorf("unsealed after the boot changed: %v", err)
	}
	// The policy is in the key: to leave it out of the spec helps nobody.
	if _, err := openStore(t, e.spec(""), dir).Unseal("a"); err == nil {
		t.Error("unsealed without the policy")
	}
	if _, err := s.Create("b", P256); err != nil {
		t.Errorf("a new key for the new state: %v", err)
	}
}

// Many connections at once share one TPM that does one thing at a time, and leave nothing loaded in it.
func TestSignersShareTheTPM(t *testing.T) {
	e := startTPM(t)
	s := openStore(t, e.spec(""), t.TempDir())
	k, err := s.Create("a", P256)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { proves(t, k) })
	}
	wg.Wait()
	dev, err := linuxudstpm.Open(e.socket)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []tpm2.TPMHT{tpm2.TPMHTTransient, tpm2.TPMHTHMACSession, tpm2.TPMHTPolicySession} {
		rsp, err := tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: uint32(kind) << 24, PropertyCount: 8}.Execute(dev)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := rsp.CapabilityData.Data.Handles(); err != nil || len(left.Handle) > 0 {
			t.Errorf("%v left loaded, %v", left, err)
		}
	}
}

// moody is a way to a TPM on which things happen.
type moody struct {
	transport.TPMCloser
	answer func(command []byte) (answer []byte, ours bool)
	closed chan struct{}
}

func (m *moody) Send(command []byte) ([]byte, error) {
	if a, ours := m.answer(command); ours {
		return a, nil
	}
	return m.TPMCloser.Send(command)
}

func (m *moody) Close() error {
	select {
	case m.closed <- struct{}{}:
	default:
	}
	return m.TPMCloser.Close()
}

func says(rc tpm2.TPMRC) []byte {
	a := []byte{0x80, 0x01, 0, 0, 0, 10}
	return binary.BigEndian.AppendUint32(a, uint32(rc))
}

// moodyStore opens a store whose TPM answers as answer wants.
func moodyStore(t *testing.T, answer func([]byte) ([]byte, bool)) (Store, *moody) {
	t.Helper()
	e := startTPM(t)
	s := openStore(t, e.spec(""), t.TempDir())
	fill(t, s)
	safe := s.(*store).safe.(*tpm)
	m := &moody{answer: answer, closed: make(chan struct{}, 1)}
	safe.dial = func() (dev transport.TPMCloser, err error) {
		m.TPMCloser, err = linuxudstpm.Open(e.socket)
		return m, err
	}
	_ = safe.close()
	return s, m
}

func code(command []byte) tpm2.TPMCC { return tpm2.TPMCC(binary.BigEndian.Uint32(command[6:])) }

func TestATPMInAMood(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rc    tpm2.TPMRC
		times int // that it says so
		want  error
	}{
		{"busy for a moment", tpm2.TPMRCRetry, 3, nil},
		{"testing itself", tpm2.TPMRCTesting, 1, nil},
		{"busy for good", tpm2.TPMRCRetry, 1 << 30, ErrBusy},
		{"locked out", tpm2.TPMRCLockout, 1 << 30, ErrLockout},
		{"full", tpm2.TPMRCObjectMemory, 1 << 30, ErrBusy},
	} {
		t.Run(tc.name, func(t *testing.T) {
			left := tc.times
			s, _ := moodyStore(t, func(command []byte) ([]byte, bool) {
				if code(command) != tpm2.TPMCCLoad || left == 0 {
					return nil, false
				}
				left--
				return says(tc.rc), true
			})
			if _, err := s.Unseal("a"); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			left = 0
			if _, err := s.Unseal("a"); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// A TPM that hangs keeps a caller for a bounded time and one goroutine; while it does, others are told at once.
func TestATPMThatHangs(t *testing.T) {
	release := make(chan struct{})
	var hang atomic.Bool
	hang.Store(true)
	s, m := moodyStore(t, func(command []byte) ([]byte, bool) {
		if code(command) != tpm2.TPMCCUnseal || !hang.Load() {
			return nil, false
		}
		<-release
		return says(tpm2.TPMRCRetry), true
	})
	safe := s.(*store).safe.(*tpm)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	safe.most = 50 * time.Millisecond
	if _, err := s.Unseal("a"); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	safe.most = 0
	dials := 0
	dial := safe.dial
	safe.dial = func() (transport.TPMCloser, error) { dials++; return dial() }
	if err := s.Check(); !errors.Is(err, ErrBusy) || dials > 0 {
		t.Errorf("while it hangs: %v, %d dials", err, dials)
	}
	hang.Store(false)
	close(release)
	<-m.closed // by the goroutine that waited
	for safe.lost.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	if got, err := s.Unseal("a"); err != nil || string(got) != "secret" {
		t.Errorf("when it is well again: %q, %v", got, err)
	}
}

func TestNoTPM(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{"tpm:/nowhere/tpm", "tpm:" + file, "tpm:unix:/nowhere/tpm", "tpm:unix:" + file, "file?key=/nowhere/key", "file?key=" + file} {
		s, err := Open(spec, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{s.Check(), s.Seal("a", nil), s.Import("a", nil, ""), errOf(s.Create("a", P256))} {
			if err == nil || !errors.Is(err, ErrUnavailable) && !strings.Contains(err.Error(), "no private key") {
				t.Errorf("%s: %v", spec, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: close: %v", spec, err)
		}
	}
}

func errOf(_ crypto.Signer, err error) error { return err }

// A process that was killed while it used a TPM without a resource manager leaves things in it; the next one sweeps them.
func TestWhatAKilledProcessLeftIsSwept(t *testing.T) {
	if _, err := exec.LookPath("swtpm"); err != nil {
		t.Skip("swtpm is not installed: apt-get install swtpm")
	}
	e := startTPM(t)
	dev, err := linuxudstpm.Open(e.socket)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := (tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}).Execute(dev); err != nil {
			if !errors.Is(err, tpm2.TPMRCObjectMemory) {
				t.Fatal(err)
			}
			break
		}
	}
	fill(t, openStore(t, e.spec(""), t.TempDir()))
}
