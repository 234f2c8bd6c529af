// Package seal ends the factory mode of a board: from then on a station takes these board files and no others. A seal needs
// a bring-up of exactly these files that has passed, and a measured worst case for every protective function that this
// program owns. It is signed by a key of the state directory's own store, so that a seal that somebody writes is none.
package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/boards/bringup"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/keys"
)

// Codes of what a seal refuses.
const (
	CodeNotReady = "SEAL-01" // no bring-up of these files has passed, or a worst case is missing
	CodeBroken   = "SEAL-02" // the seal is damaged, or nobody's
	CodeOther    = "SEAL-03" // other board files than those that are sealed
)

// Format is that of a seal's file.
const Format = "evsed.seal/1"

// Folder holds bring-up, seal and key below a state directory.
const Folder = "board"

const (
	file     = "seal.json"
	keyName  = "board-seal"
	maxSeal  = 64 << 10 // bytes
	exitMost = 100      // ms from leaving state C to no energy
)

// Seal is what is signed.
type Seal struct {
	Format  string
	Board   string
	Serial  string `json:",omitempty"`
	Files   []bringup.Source
	Report  string // SHA-256 of the bring-up report
	Worst   []Worst
	At      time.Time
	Program string
}

// Worst is the worst case of a function that this program owns.
type Worst struct {
	EVSE     term.EVSEID
	Function string
	Millis   int64
}

// Refusal is a refused seal, or a refused start, with its code.
type Refusal struct {
	Code string
	error
}

func (r *Refusal) Error() string { return r.Code + ": " + r.error.Error() }
func (r *Refusal) Unwrap() error { return r.error }

func refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Errorf(format, args...)}
}

// sealed is a seal's file.
type sealed struct {
	Seal      json.RawMessage
	Key       string // public, PKIX, base64
	Signature string // over Seal as it stands, ECDSA with SHA-256, base64
}

// Make seals the board of files in a state directory. store is the key store of its folder Folder.
func Make(state string, store keys.Store, b *boards.Board, paths []string, program string, now time.Time) (*Seal, error) {
	dir := filepath.Join(state, Folder)
	files, err := bringup.Sources(paths)
	if err != nil {
		return nil, err
	}
	r, err := bringup.Read(dir)
	switch {
	case errors.Is(err, bringup.ErrNone):
		return nil, refuse(CodeNotReady, "%w", err)
	case err != nil:
		return nil, err
	case !bringup.Same(r.Files, files):
		return nil, refuse(CodeNotReady, "%w: bring up these", bringup.ErrOther)
	case r.Virtual:
		return nil, refuse(CodeNotReady, "the bring-up was a rehearsal (--virtual): nothing of this board was measured")
	case !r.Passed():
		return nil, refuse(CodeNotReady, "the bring-up has not passed: evsed board bringup resume makes again what has not")
	}
	worst, err := worstCases(b, r)
	if err != nil {
		return nil, err
	}
	report, err := os.ReadFile(filepath.Join(dir, bringup.File))
	if err != nil {
		return nil, fmt.Errorf("bring-up report: %w", err)
	}
	sum := sha256.Sum256(report)
	s := &Seal{Format: Format, Board: r.Board, Serial: r.Serial, Files: files, Report: hex.EncodeToString(sum[:]), Worst: worst, At: now.UTC(), Program: program}
	return s, write(dir, store, s)
}

// worstCases are the measured times of what the agent owns; one that was not measured is refused.
func worstCases(b *boards.Board, r *bringup.Report) ([]Worst, error) {
	var all []Worst
	if !owned(b.Safety.OpenOnCExit) {
		return nil, nil
	}
	served, err := b.Served()
	if err != nil {
		return nil, refuse(CodeNotReady, "%w", err)
	}
	for _, e := range served {
		ms, ok := r.Worst(e.ID, bringup.StepExit, bringup.ExitValue)
		switch {
		case !ok:
			return nil, refuse(CodeNotReady, "open_on_c_exit of EVSE %d is the agent's, and its worst case was not measured", e.ID)
		case ms > exitMost:
			return nil, refuse(CodeNotReady, "open_on_c_exit of EVSE %d took %d ms, at most %d: let hw or mcu own it", e.ID, ms, exitMost)
		}
		all = append(all, Worst{e.ID, "open_on_c_exit", ms})
	}
	return all, nil
}

func owned(owners []boards.Owner) bool {
	for _, o := range owners {
		if o == boards.OwnerAgent {
			return true
		}
	}
	return false
}

// write signs a seal and keeps it.
func write(dir string, store keys.Store, s *Seal) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	signer, err := store.Open(keyName)
	if errors.Is(err, keys.ErrNotFound) {
		signer, err = store.Create(keyName, keys.P256)
	}
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	sum := sha256.Sum256(body)
	signature, err := signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	data, err := json.Marshal(sealed{body, base64.StdEncoding.EncodeToString(public), base64.StdEncoding.EncodeToString(signature)})
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return bringup.WriteDurably(filepath.Join(dir, file), append(data, '\n'))
}

// Read returns the seal of a state directory after checking its signature; nil: there is none, and the board is in factory
// mode. A seal whose key is not that of store is broken.
func Read(state string, open func() (keys.Store, error)) (*Seal, error) {
	data, err := readFile(filepath.Join(state, Folder, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, refuse(CodeBroken, "read seal: %w", err)
	}
	var f sealed
	var s Seal
	if err := errors.Join(json.Unmarshal(data, &f), json.Unmarshal(f.Seal, &s)); err != nil || s.Format != Format {
		return nil, refuse(CodeBroken, "the seal is no seal of format %s", Format)
	}
	store, err := open()
	if err != nil {
		return nil, refuse(CodeBroken, "key of the seal: %w", err)
	}
	defer store.Close()
	signer, err := store.Open(keyName)
	if err != nil {
		return nil, refuse(CodeBroken, "key of the seal: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	named, err1 := base64.StdEncoding.DecodeString(f.Key)
	signature, err2 := base64.StdEncoding.DecodeString(f.Signature)
	key, ok := signer.Public().(*ecdsa.PublicKey)
	sum := sha256.Sum256(f.Seal)
	if err := errors.Join(err, err1, err2); err != nil || !ok || !bytes.Equal(public, named) || !ecdsa.VerifyASN1(key, sum[:], signature) {
		return nil, refuse(CodeBroken, "the seal's signature is not that of this station's key: it was changed, or comes from elsewhere")
	}
	return &s, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSeal {
		return nil, fmt.Errorf("%d bytes: at most %d", info.Size(), maxSeal)
	}
	return os.ReadFile(path)
}

// Open opens the key store of a state directory's seal.
func Open(state, spec string) (keys.Store, error) {
	return keys.Open(spec, filepath.Join(state, Folder))
}

// Check refuses board files that are not the sealed ones. Without a seal every board may run.
func Check(state string, paths []string) error {
	s, err := Read(state, func() (keys.Store, error) { return Open(state, "file") })
	if err != nil || s == nil {
		return err
	}
	files, err := bringup.Sources(paths)
	if err != nil {
		return err
	}
	if !bringup.Same(s.Files, files) {
		return refuse(CodeOther, "the station is sealed with other board files (%s, sealed %s): bring the board up anew with these in another state directory, and seal them",
			s.Board, s.At.Format(time.DateOnly))
	}
	return nil
}
