package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/evsed/evsed/storage/slot/image"
)

// firmwareCommands are what a build host does with images; a station needs none of them.
func firmwareCommands() []command {
	return []command{
		{"keygen", "--out NAME [--type p256|ed25519] [--passphrase-file FILE]", "make NAME.key, which signs images, and NAME.pub for the stations", keygen},
		{"pack", "--binary FILE --version 1.2.3 --security N --target linux/arm/7 --hardware ID[:MIN-MAX] --released DATE [--min-agent 1.2.0] --out FILE", "make an image that is not signed yet", pack},
		{"sign", "--image FILE --key FILE [--passphrase-file FILE] [--chain FILE] --out FILE", "sign an image", signImage},
		{"verify", "--image FILE --fw-keys FILE [--hardware ID:REVISION] [--target linux/arm/7]", "say whether a station would take an image", verifyImage},
		{"inspect", "--image FILE", "show what an image says of itself, true or not", inspect},
	}
}

// firmware runs a command of the build host.
func firmware(args []string, out, errs io.Writer) error {
	all := firmwareCommands()
	if len(args) > 0 {
		for _, c := range all {
			if c.name != args[0] {
				continue
			}
			if err := c.run(args[1:], out, errs); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		}
	}
	var lines []string
	for _, c := range all {
		lines = append(lines, c.name+" "+c.usage)
	}
	return usagef("want a command: %s", strings.Join(lines, "; "))
}

// several is a flag that may be given several times.
type several []string

func (l *several) String() string     { return strings.Join(*l, ",") }
func (l *several) Set(s string) error { *l = append(*l, s); return nil }

// parseFlags reads flags that are all there is on the line; wanted names those that must not be empty.
func parseFlags(fs *flag.FlagSet, usage string, args []string, wanted ...string) error {
	fs.SetOutput(io.Discard)
	if err := fs.Parse(args); err != nil {
		return usagef("%w: want %s", err, usage)
	}
	if fs.NArg() > 0 {
		return usagef("unexpected argument %q", fs.Arg(0))
	}
	for _, name := range wanted {
		if fs.Lookup(name).Value.String() == "" {
			return usagef("--%s is missing: want %s", name, usage)
		}
	}
	return nil
}

func usageOf(name string) string {
	for _, c := range firmwareCommands() {
		if c.name == name {
			return c.usage
		}
	}
	return ""
}

// keygen makes a pair of keys.
func keygen(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("keygen", flag.ContinueOnError)
	name, kind := fs.String("out", "", ""), fs.String("type", "p256", "")
	secret := fs.String("passphrase-file", "", "")
	if err := parseFlags(fs, usageOf("keygen"), args, "out"); err != nil {
		return err
	}
	phrase, err := passphrase(*secret)
	if err != nil {
		return err
	}
	var key crypto.Signer
	switch *kind {
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return usagef("--type: %q: want p256 or ed25519", *kind)
	}
	if err != nil {
		return err
	}
	private, err := image.EncodeKey(key, phrase)
	if err != nil {
		return err
	}
	public, err := image.EncodePublic(key.Public())
	if err != nil {
		return err
	}
	if err := writeNew(*name+".key", private, 0o600); err != nil {
		return err
	}
	if err := writeNew(*name+".pub", public, 0o644); err != nil {
		return err
	}
	id, err := image.IDOf(key.Public())
	fmt.Fprintf(out, "key %v: %s.key signs images, %s.pub is for the stations\n", id, *name, *name)
	return err
}

// passphrase reads the first line of a file; "" for no file.
func passphrase(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readBounded("--passphrase-file", path, 4096)
	if err != nil {
		return nil, err
	}
	b, _, _ = bytes.Cut(b, []byte("\n"))
	if b = bytes.TrimSuffix(b, []byte("\r")); len(b) == 0 {
		return nil, usagef("--passphrase-file %s: its first line is empty: want a passphrase", path)
	}
	return b, nil
}

// readBounded reads a file of a flag.
func readBounded(flag, path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, usagef("%s: %w", flag, err)
	case int64(len(b)) > most:
		return nil, usagef("%s %s: more than %d bytes: want another file", flag, path, most)
	}
	return b, nil
}

// writeNew writes a file that is not there yet, durably; a half-written one is removed.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return usagef("--out: %s is there already: want a new name, nothing is written over", path)
	}
	if err != nil {
		return usagef("--out: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// readKey reads a private key; signs.
func readKey(path, secret string) (crypto.Signer, error) {
	phrase, err := passphrase(secret)
	if err != nil {
		return nil, err
	}
	b, err := readBounded("--key", path, 64<<10)
	if err != nil {
		return nil, err
	}
	key, err := image.ParseKey(b, phrase)
	if errors.Is(err, image.ErrPassphrase) {
		return nil, usagef("--key %s: %w: want --passphrase-file with the one that it was made with", path, err)
	}
	if err != nil {
		return nil, usagef("--key %s: %w", path, err)
	}
	return key, nil
}

// readChain reads the certificates of a key, its own first.
func readChain(path string) ([][]byte, error) {
	if path == "" {
		return nil, nil
	}
	rest, err := readBounded("--chain", path, 64<<10)
	if err != nil {
		return nil, err
	}
	var chain [][]byte
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			return nil, usagef("--chain %s: PEM block %.40q: want CERTIFICATE", path, b.Type)
		}
		chain = append(chain, b.Bytes)
	}
	if len(chain) == 0 {
		return nil, usagef("--chain %s: no certificate: want those of the key, its own first, without the root", path)
	}
	return chain, nil
}

// readTrust reads the manufacturer's keys.
func readTrust(paths []string) (*image.Trust, error) {
	var files [][]byte
	for _, p := range paths {
		b, err := readBounded("--fw-keys", p, 256<<10)
		if err != nil {
			return nil, err
		}
		if _, err := image.ParseTrust(b); err != nil {
			return nil, usagef("--fw-keys %s: %w", p, err)
		}
		files = append(files, b)
	}
	t, err := image.ParseTrust(files...)
	if err != nil {
		return nil, usagef("--fw-keys: %w", err)
	}
	return t, nil
}
