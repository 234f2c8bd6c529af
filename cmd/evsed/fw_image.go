package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/storage/slot/image"
)

// packOptions are the flags of evsed fw pack.
type packOptions struct {
	binary, version, target, released, agent, out string
	security                                      string
	hardware                                      several
}

func parsePack(args []string) (packOptions, error) {
	var o packOptions
	fs := flag.NewFlagSet("pack", flag.ContinueOnError)
	fs.StringVar(&o.binary, "binary", "", "")
	fs.StringVar(&o.version, "version", "", "")
	fs.StringVar(&o.security, "security", "", "")
	fs.StringVar(&o.target, "target", "", "")
	fs.Var(&o.hardware, "hardware", "")
	fs.StringVar(&o.released, "released", "", "")
	fs.StringVar(&o.agent, "min-agent", "", "")
	fs.StringVar(&o.out, "out", "", "")
	return o, parseFlags(fs, usageOf("pack"), args, "binary", "version", "security", "target", "hardware", "released", "out")
}

// pack makes an image without a signature. The same input makes the same bytes.
func pack(args []string, out, _ io.Writer) error {
	o, err := parsePack(args)
	if err != nil {
		return err
	}
	m, err := o.manifest()
	if err != nil {
		return err
	}
	payload, err := readBounded("--binary", o.binary, image.MaxPayload)
	if err != nil {
		return err
	}
	if !bytes.Contains(payload, []byte(o.version)) {
		return usagef("--version %s: %s does not hold this version: build it with make build VERSION=%s", o.version, o.binary, o.version)
	}
	m.Length, m.SHA256 = int64(len(payload)), sha256.Sum256(payload)
	h, err := image.NewHeader(m)
	if err != nil {
		return usageError{err}
	}
	if err := writeNew(o.out, append(h.Append(nil), payload...), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: evsed %v for %s, not signed yet: evsed fw sign --image %s\n", o.out, m.Version, m.Target, o.out)
	return nil
}

func (o packOptions) manifest() (m image.Manifest, err error) {
	m = image.Manifest{Product: image.Product, Target: o.target}
	if m.Version, err = image.ParseVersion(o.version); err != nil {
		return m, usagef("--version: %w", err)
	}
	if o.agent != "" {
		if m.MinAgent, err = image.ParseVersion(o.agent); err != nil {
			return m, usagef("--min-agent: %w", err)
		}
	}
	security, err := strconv.ParseUint(o.security, 10, 32)
	if err != nil {
		return m, usagef("--security: %q: want the security version, a number that grows when older versions must not come back", o.security)
	}
	m.Security = uint32(security)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if m.Released, err = time.Parse(layout, o.released); err == nil {
			break
		}
	}
	if err != nil {
		return m, usagef("--released: %q: want a date such as 2026-11-22 or 2026-11-22T12:00:00Z", o.released)
	}
	for _, s := range o.hardware {
		h, err := parseRevisions(s)
		if err != nil {
			return m, err
		}
		m.Hardware = append(m.Hardware, h)
	}
	return m, nil
}

// parseRevisions reads ID, ID:REVISION or ID:MIN-MAX; ID alone is revision 0.
func parseRevisions(s string) (image.Hardware, error) {
	wrong := usagef("--hardware: %.80q: want ID, ID:REVISION or ID:MIN-MAX, such as cc1:2-4", s)
	id, revisions, _ := strings.Cut(s, ":")
	low, high, span := strings.Cut(revisions, "-")
	if low != "" {
		id += ":" + low
	}
	name, first, err := image.ParseHardware(id)
	if err != nil {
		return image.Hardware{}, wrong
	}
	last := uint64(first)
	if span {
		if last, err = strconv.ParseUint(high, 10, 32); err != nil || last < uint64(first) {
			return image.Hardware{}, wrong
		}
	}
	return image.Hardware{ID: name, Min: first, Max: uint32(last)}, nil
}

// readImage reads the header of an image, and all of it.
func readImage(path string) (image.Header, []byte, error) {
	b, err := readBounded("--image", path, int64(image.MaxImage))
	if err != nil {
		return image.Header{}, nil, err
	}
	r := bytes.NewReader(b)
	h, err := image.ReadHeader(r)
	if err != nil {
		return h, nil, fmt.Errorf("--image %s: %w: want one that evsed fw pack has made", path, err)
	}
	payload := b[len(b)-r.Len():]
	if err := h.Manifest.CheckPayload(bytes.NewReader(payload)); err != nil {
		return h, payload, fmt.Errorf("--image %s: %w", path, err)
	}
	return h, payload, nil
}

// signImage signs an image, on a machine of its own if one likes: it needs the image and the key, and no source.
func signImage(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("sign", flag.ContinueOnError)
	path, key, to := fs.String("image", "", ""), fs.String("key", "", ""), fs.String("out", "", "")
	secret, certificates := fs.String("passphrase-file", "", ""), fs.String("chain", "", "")
	if err := parseFlags(fs, usageOf("sign"), args, "image", "key", "out"); err != nil {
		return err
	}
	h, payload, err := readImage(*path)
	if err != nil {
		return err
	}
	signer, err := readKey(*key, *secret)
	if err != nil {
		return err
	}
	chain, err := readChain(*certificates)
	if err != nil {
		return err
	}
	if h, err = h.Sign(signer, chain); err != nil {
		return usagef("--chain %s: %w", *certificates, err)
	}
	if err := writeNew(*to, append(h.Append(nil), payload...), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: evsed %v, signed by key %v\n", *to, h.Manifest.Version, h.Signature.Key)
	return nil
}

// verifyImage says whether a station that trusts some keys would take an image.
func verifyImage(args []string, out, _ io.Writer) error {
	var keys several
	fs := flag.NewFlagSet("verify", flag.ContinueOnError)
	path, hardware, target := fs.String("image", "", ""), fs.String("hardware", "", ""), fs.String("target", "", "")
	fs.Var(&keys, "fw-keys", "")
	if err := parseFlags(fs, usageOf("verify"), args, "image", "fw-keys"); err != nil {
		return err
	}
	trust, err := readTrust(keys)
	if err != nil {
		return err
	}
	h, _, err := readImage(*path)
	if err != nil {
		return err
	}
	if err := trust.Verify(h, time.Now()); err != nil {
		return fmt.Errorf("--image %s: %w", *path, err)
	}
	if *hardware != "" {
		x := image.Machine{Target: *target}
		if x.Hardware, x.Revision, err = image.ParseHardware(*hardware); err != nil {
			return usagef("--hardware: %w", err)
		}
		if x.Target == "" {
			x.Target = h.Manifest.Target
		}
		if err := x.Runs(h.Manifest); err != nil {
			return fmt.Errorf("--image %s: %w", *path, err)
		}
	} else if *target != "" {
		return usagef("--target: want --hardware beside it")
	}
	fmt.Fprintf(out, "%s: evsed %v, whole, signed by key %v\n", *path, h.Manifest.Version, h.Signature.Key)
	return nil
}

// inspect shows the manifest of an image, and checks nothing but its form.
func inspect(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("inspect", flag.ContinueOnError)
	path := fs.String("image", "", "")
	if err := parseFlags(fs, usageOf("inspect"), args, "image"); err != nil {
		return err
	}
	f, err := os.Open(*path)
	if err != nil {
		return usagef("--image: %w", err)
	}
	defer f.Close()
	h, err := image.ReadHeader(f)
	if err != nil {
		return fmt.Errorf("--image %s: %w", *path, err)
	}
	m := h.Manifest
	fmt.Fprintf(out, "product           %s\nversion           %v\nsecurity version  %d\ntarget            %s\n", m.Product, m.Version, m.Security, m.Target)
	for _, hw := range m.Hardware {
		fmt.Fprintf(out, "hardware          %s revisions %d to %d\n", hw.ID, hw.Min, hw.Max)
	}
	fmt.Fprintf(out, "released          %s\n", m.Released.Format(time.RFC3339))
	if m.MinAgent != (image.Version{}) {
		fmt.Fprintf(out, "installed by      evsed %v or newer\n", m.MinAgent)
	}
	fmt.Fprintf(out, "payload           %d bytes, SHA-256 %x\n", m.Length, m.SHA256)
	if h.Signature.Algorithm == 0 {
		fmt.Fprintln(out, "signed            no")
		return nil
	}
	fmt.Fprintf(out, "signed            by key %v, %d certificates (not checked: evsed fw verify does)\n", h.Signature.Key, len(h.Signature.Chain))
	return nil
}
