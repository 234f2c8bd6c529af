package keys

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Kinds of key stores.
const (
	kindFile = "file"
	kindTPM  = "tpm"
)

// spec is a parsed description of a key store.
type spec struct {
	kind   string
	path   string // of the TPM's device or socket, or of the vault's key file; "": beside the vault
	socket bool
	pcrs   []uint
	handle uint32
}

// ErrSpec says that a description of a key store is wrong.
var ErrSpec = errors.New("want file, file?key=FILE, tpm:/dev/tpmrm0 or tpm:unix:SOCKET, a TPM with ?pcr=7 if you like")

// maxPCR is the highest register that every PC client TPM has.
const maxPCR = 23

// Persistent handles of the owner (TCG registry of reserved handles); the second one of storage keys is the customary
// place of the P-256 one.
const (
	firstHandle   = 0x81000000
	lastHandle    = 0x817fffff
	defaultHandle = 0x81000002
)

func parseSpec(s string) (sp spec, err error) {
	name, query, _ := strings.Cut(s, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return sp, fmt.Errorf("key store %q: %w", s, ErrSpec)
	}
	sp.handle = defaultHandle
	switch kind, path, _ := strings.Cut(name, ":"); kind {
	case kindFile:
		sp.kind = kindFile
		sp.path = options.Get("key")
		if path != "" || options.Has("key") && !filepath.IsAbs(sp.path) {
			return sp, fmt.Errorf("key store %q: %w: FILE with its whole path", s, ErrSpec)
		}
		options.Del("key")
	case kindTPM:
		sp.kind = kindTPM
		sp.path, sp.socket = strings.CutPrefix(path, "unix:")
		if !filepath.IsAbs(sp.path) {
			return sp, fmt.Errorf("key store %q: %w: device or socket with its whole path", s, ErrSpec)
		}
		if err := sp.registers(options); err != nil {
			return sp, fmt.Errorf("key store %q: %w: %w", s, err, ErrSpec)
		}
	default:
		return sp, fmt.Errorf("key store %q: %w", s, ErrSpec)
	}
	for name := range options {
		return sp, fmt.Errorf("key store %q: no option %q: %w", s, name, ErrSpec)
	}
	return sp, nil
}

// registers reads what only a TPM has: pcr and handle.
func (sp *spec) registers(options url.Values) error {
	if options.Has("pcr") {
		for w := range strings.SplitSeq(options.Get("pcr"), ",") {
			n, err := strconv.ParseUint(w, 10, 8)
			if err != nil || n > maxPCR || slices.Contains(sp.pcrs, uint(n)) {
				return fmt.Errorf("pcr %q: want numbers from 0 to %d with commas between, each once", options.Get("pcr"), maxPCR)
			}
			sp.pcrs = append(sp.pcrs, uint(n))
		}
		slices.Sort(sp.pcrs)
		options.Del("pcr")
	}
	if options.Has("handle") {
		n, err := strconv.ParseUint(options.Get("handle"), 0, 32)
		if err != nil || n < firstHandle || n > lastHandle {
			return fmt.Errorf("handle %q: want a persistent handle of the owner, 0x81000000 to 0x817fffff", options.Get("handle"))
		}
		sp.handle = uint32(n)
		options.Del("handle")
	}
	return nil
}
