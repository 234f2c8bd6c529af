package keys

import (
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// tpm is the safe that is a chip: what it guards is wrapped by a storage key that never leaves it. The storage key is made
// from the seed of the owner hierarchy, so the same one comes out each time until the TPM is cleared; it is made
// persistent, because making it takes a second on slow chips.
type tpm struct {
	sp   spec
	dial func() (transport.TPMCloser, error)
	most time.Duration // of one command; 0: callTimeout

	mu     sync.Mutex // everything below, and the order of commands: signers use the TPM beside the store
	wire   *wire      // nil: to be reached for again
	lost   atomic.Int32
	parent parent
	maker  string
}

// parent is the storage key.
type parent struct {
	handle tpm2.TPMHandle
	name   tpm2.TPM2BName
	public tpm2.TPMTPublic
	own    owner
}

func newTPM(sp spec) *tpm {
	t := &tpm{sp: sp}
	t.dial = func() (transport.TPMCloser, error) { return linuxtpm.Open(sp.path) }
	if sp.socket {
		t.dial = func() (transport.TPMCloser, error) { return linuxudstpm.Open(sp.path) }
	}
	return t
}

func (t *tpm) mark() byte   { return 'T' }
func (t *tpm) kind() string { return kindTPM }

func (t *tpm) protection() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := "TPM 2.0 at " + t.sp.path
	if t.maker != "" {
		text = "TPM 2.0 of " + t.maker + " at " + t.sp.path
	}
	text += ": keys are made in it and cannot leave it; root of this board can use them while it runs"
	if len(t.sp.pcrs) > 0 {
		text += fmt.Sprintf(", and only while PCRs %v are as they were", t.sp.pcrs)
	}
	return text
}

func (t *tpm) close() error {
	if !t.mu.TryLock() { // a signer is at it
		return nil
	}
	defer t.mu.Unlock()
	return t.hangUp()
}

// hangUp lets go of the TPM; mu is held. A wire that never answered is closed by who waits for it.
func (t *tpm) hangUp() error {
	w := t.wire
	t.wire = nil
	if w == nil || w.dead && t.lost.Load() > 0 {
		return nil
	}
	return w.tpm.Close()
}

func (t *tpm) owner() (owner, error) {
	var own owner
	err := t.use("reach the TPM", callTimeout, func(*wire) error {
		own = t.parent.own
		return nil
	})
	return own, err
}

// use does something with the TPM, which is reached for first where that is owed. Its error is explained.
func (t *tpm) use(doing string, limit time.Duration, do func(*wire) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.reach(); err != nil {
		return fmt.Errorf("TPM at %s: %w", t.sp.path, err)
	}
	t.wire.limit = limit
	if t.most != 0 {
		t.wire.limit = min(limit, t.most)
	}
	err := do(t.wire)
	if t.wire.dead {
		_ = t.hangUp()
	}
	if err != nil {
		return fmt.Errorf("TPM at %s: %w", t.sp.path, explain(doing, err))
	}
	return nil
}

// reach opens the TPM and finds its storage key; mu is held.
func (t *tpm) reach() error {
	if t.wire != nil {
		return nil
	}
	if t.lost.Load() > 0 { // one command that hangs is enough
		return fmt.Errorf("%w: it has not answered a command yet", ErrBusy)
	}
	dev, err := t.dial()
	if err != nil {
		if strings.Contains(err.Error(), "busy") {
			return fmt.Errorf("%w: %w: another program holds it: use the resource manager's device, /dev/tpmrm0", ErrBusy, err)
		}
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	t.wire = &wire{tpm: dev, limit: callTimeout, lost: &t.lost}
	if t.most != 0 {
		t.wire.limit = t.most
	}
	if err := t.prepare(); err != nil {
		_ = t.hangUp()
		return explain("find its storage key", err)
	}
	return nil
}

// prepare learns who made the TPM, throws out what a process that was killed left in it, and finds the storage key.
func (t *tpm) prepare() error {
	rsp, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTManufacturer), PropertyCount: 1}.Execute(t.wire)
	if err != nil {
		return err
	}
	if p, err := rsp.CapabilityData.Data.TPMProperties(); err == nil && len(p.TPMProperty) == 1 {
		t.maker = strings.TrimRight(string(binary.BigEndian.AppendUint32(nil, p.TPMProperty[0].Value)), " \x00")
	}
	if !strings.Contains(t.sp.path, "tpmrm") { // a resource manager does that itself
		for _, kind := range []tpm2.TPMHT{tpm2.TPMHTTransient, tpm2.TPMHTHMACSession, tpm2.TPMHTPolicySession} {
			t.sweep(kind)
		}
	}
	return t.findParent()
}

// maxLeft bounds what is swept: a TPM has room for three transient objects and 64 sessions.
const maxLeft = 64

// sweep flushes what is loaded of a kind. A TPM that has none says nothing.
func (t *tpm) sweep(kind tpm2.TPMHT) {
	rsp, err := tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: uint32(kind) << 24, PropertyCount: maxLeft}.Execute(t.wire)
	if err != nil {
		return
	}
	left, err := rsp.CapabilityData.Data.Handles()
	if err != nil {
		return
	}
	for _, h := range left.Handle {
		_, _ = tpm2.FlushContext{FlushHandle: h}.Execute(t.wire)
	}
}

// findParent reads the storage key at its handle, and makes it where nothing is there.
func (t *tpm) findParent() error {
	handle := tpm2.TPMHandle(t.sp.handle)
	rsp, err := tpm2.ReadPublic{ObjectHandle: handle}.Execute(t.wire)
	if is(err, tpm2.TPMRCHandle) {
		if err := t.makeParent(); err != nil {
			return err
		}
		rsp, err = tpm2.ReadPublic{ObjectHandle: handle}.Execute(t.wire)
	}
	if err != nil {
		return err
	}
	public, err := rsp.OutPublic.Contents()
	if err != nil {
		return err
	}
	if a := public.ObjectAttributes; !a.FixedTPM || !a.Restricted || !a.Decrypt || a.SignEncrypt || !a.SensitiveDataOrigin {
		return fmt.Errorf("%w: what lies at handle %#x is no storage key: name a free one with ?handle=", os.ErrExist, t.sp.handle)
	}
	name, err := tpm2.ObjectName(public)
	if err != nil {
		return err
	}
	t.parent = parent{handle: handle, name: *name, public: *public}
	sum := sha256.Sum256(name.Buffer)
	copy(t.parent.own[:], sum[:])
	return nil
}

// makeParent makes the storage key of the TCG's P-256 template and keeps it in the TPM.
func (t *tpm) makeParent() error {
	rsp, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(t.wire)
	if err != nil {
		return err
	}
	defer t.flush(rsp.ObjectHandle)
	_, err = tpm2.EvictControl{
		Auth:         tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		ObjectHandle: &tpm2.NamedHandle{Handle: rsp.ObjectHandle, Name: rsp.Name}, PersistentHandle: tpm2.TPMIDHPersistent(t.sp.handle),
	}.Execute(t.wire)
	return err
}

func (t *tpm) flush(h tpm2.TPMHandle) { _, _ = tpm2.FlushContext{FlushHandle: h}.Execute(t.wire) }

// authParent authorises the use of the storage key, with parameters encrypted on the bus where that is asked for.
func (t *tpm) authParent(encrypted bool) tpm2.AuthHandle {
	h := tpm2.AuthHandle{Handle: t.parent.handle, Name: t.parent.name, Auth: tpm2.PasswordAuth(nil)}
	if encrypted {
		h.Auth = tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AESEncryption(128, tpm2.EncryptIn), tpm2.Salted(t.parent.handle, t.parent.public))
	}
	return h
}

func (t *tpm) create(_ []byte, alg Algorithm) (body []byte, err error) {
	limit := callTimeout
	public, ok := template(alg)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnsupported, alg)
	}
	if public.Type == tpm2.TPMAlgRSA {
		limit = makeTimeout
	}
	err = t.use("make a key", limit, func(w *wire) error {
		if err := t.guard(&public); err != nil {
			return err
		}
		rsp, err := tpm2.Create{ParentHandle: t.authParent(false), InPublic: tpm2.New2B(public)}.Execute(w)
		if err == nil {
			body = blob(rsp.OutPublic.Bytes(), rsp.OutPrivate.Buffer)
		}
		return err
	})
	return body, err
}

func (t *tpm) seal(_, secret []byte) (body []byte, err error) {
	public := sealTemplate()
	err = t.use("seal", callTimeout, func(w *wire) error {
		if err := t.guard(&public); err != nil {
			return err
		}
		rsp, err := tpm2.Create{
			ParentHandle: t.authParent(true), InPublic: tpm2.New2B(public),
			InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
				Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: secret})}},
		}.Execute(w)
		if err == nil {
			body = blob(rsp.OutPublic.Bytes(), rsp.OutPrivate.Buffer)
		}
		return err
	})
	return body, err
}

func (t *tpm) unseal(_, body []byte) (secret []byte, err error) {
	err = t.loaded("unseal", body, func(w *wire, h tpm2.AuthHandle) error {
		h.Auth = t.authorise(tpm2.AESEncryption(128, tpm2.EncryptOut), tpm2.Salted(t.parent.handle, t.parent.public))
		rsp, err := tpm2.Unseal{ItemHandle: h}.Execute(w)
		if err == nil {
			secret = rsp.OutData.Buffer
		}
		return err
	})
	return secret, err
}

// loaded loads an entry, does something with it and unloads it: a TPM has room for three.
func (t *tpm) loaded(doing string, body []byte, do func(*wire, tpm2.AuthHandle) error) error {
	public, private, ok := parseBlob(body)
	if !ok {
		return ErrDamaged
	}
	return t.use(doing, callTimeout, func(w *wire) error {
		rsp, err := tpm2.Load{
			ParentHandle: t.authParent(false), InPrivate: tpm2.TPM2BPrivate{Buffer: private},
			InPublic: tpm2.BytesAs2B[tpm2.TPMTPublic](public),
		}.Execute(w)
		if err != nil {
			return err
		}
		defer t.flush(rsp.ObjectHandle)
		return do(w, tpm2.AuthHandle{Handle: rsp.ObjectHandle, Name: rsp.Name})
	})
}

func (t *tpm) signer(_, body []byte) (crypto.Signer, error) {
	public, _, ok := parseBlob(body)
	if !ok {
		return nil, ErrDamaged
	}
	template, err := tpm2.Unmarshal[tpm2.TPMTPublic](public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	pub, err := tpm2.Pub(*template)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return &tpmSigner{tpm: t, public: pub, body: body}, nil
}
