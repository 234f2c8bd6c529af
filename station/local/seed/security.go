package seed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/storage/keys"
)

// Bounds of what a seed brings along.
const (
	maxPath     = 4096      // PATH_MAX
	maxFiles    = 64        // in one folder
	maxFileSize = 256 << 10 // of one file: a bundle of roots
	maxPrivate  = 64 << 10  // of a private key
)

// Security names the files that a seed brings along; "" = none. A path is that of a file or of a folder; one without a leading
// slash counts from the working directory.
type Security struct {
	Roots    [4]string // in the order of rootFields
	Station  Pair
	V2G      Pair
	Password string // of private keys that are encrypted
}

// Pair are the places of certificates and of their private keys.
type Pair struct{ Certificates, Keys string }

var rootFields = [...]struct {
	name string
	use  cert.Use
}{
	{"csmsRootCertificates", cert.CSMSRootCertificate}, {"manufacturerRootCertificates", cert.ManufacturerRootCertificate},
	{"moRootCertificates", cert.MORootCertificate}, {"v2gRootCertificates", cert.V2GRootCertificate},
}

// security reads the names of files; Load reads the files.
func (d *decoder) security(top *strict.Members) {
	v := top.Value("security")
	if v == nil {
		return
	}
	o := d.Object(v, "csmsRootCertificates", "manufacturerRootCertificates", "moRootCertificates", "v2gRootCertificates",
		"chargingStationCertificateDir", "chargingStationKeyDir", "v2gCertificateDir", "v2gKeyDir", "privateKeyPassword")
	text := func(name string) string { return strict.Or(strict.Text(o, name, maxPath), "") }
	s := &d.s.Security
	for i, f := range rootFields {
		s.Roots[i] = text(f.name)
	}
	pair := func(certificates, private string) Pair {
		p := Pair{text(certificates), text(private)}
		switch {
		case p.Certificates != "" && p.Keys == "":
			o.Need(private, "the file or folder of the private key")
			o.Fail(private, "empty: want the file or folder of the private key")
		case p.Certificates == "" && p.Keys != "":
			o.Need(certificates, "the file or folder of the certificate")
			o.Fail(certificates, "empty: want the file or folder of the certificate")
		}
		return p
	}
	s.Station = pair("chargingStationCertificateDir", "chargingStationKeyDir")
	s.V2G = pair("v2gCertificateDir", "v2gKeyDir")
	s.Password = strict.Or(strict.Text(o, "privateKeyPassword", keys.MaxSecret), "")
}

// Material is what the files of a seed hold, ready to be installed.
type Material struct {
	Certificates []Certificate
	Keys         []PrivateKey
}

// Certificate is one root, or one chain of the station's own, leaf first.
type Certificate struct {
	Use  cert.Use
	PEM  []byte
	Key  string // of an own chain: the name of its key
	File string
}

// PrivateKey is a key of the seed and the name that it is kept under.
type PrivateKey struct {
	Name string
	PEM  []byte
	File string
}

// Load reads the files. Its errors name file and cure, and no secret.
func (s *Security) Load() (*Material, error) {
	m := &Material{}
	for i, f := range rootFields {
		certs, err := readCertificates(s.Roots[i])
		if err != nil {
			return nil, fmt.Errorf("security.%s: %w", f.name, err)
		}
		for _, c := range certs {
			m.Certificates = append(m.Certificates, Certificate{Use: f.use, PEM: c.encode(), File: c.file})
		}
	}
	if err := m.own(s.Station, s.Password, func(*x509.Certificate) cert.Use { return cert.ChargingStationCertificate }); err != nil {
		return nil, fmt.Errorf("security.chargingStationCertificateDir: %w", err)
	}
	if err := m.own(s.V2G, s.Password, v2gUse); err != nil {
		return nil, fmt.Errorf("security.v2gCertificateDir: %w", err)
	}
	return m, nil
}

// v2gUse tells the certificates of ISO 15118-20, which are on P-521, from those of ISO 15118-2, on P-256.
func v2gUse(c *x509.Certificate) cert.Use {
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P521() {
		return cert.V2G20Certificate
	}
	return cert.V2GCertificate
}

// own finds the chains of a pair of folders: a leaf, those that signed it, and the key that it is for.
func (m *Material) own(p Pair, password string, use func(*x509.Certificate) cert.Use) error {
	certs, err := readCertificates(p.Certificates)
	if err != nil || len(certs) == 0 {
		return err
	}
	private, err := readKeys(p.Keys, password)
	if err != nil {
		return err
	}
	for _, leaf := range certs {
		if leaf.c.IsCA {
			continue
		}
		i := slices.IndexFunc(private, func(k loaded) bool {
			return k.public.(interface{ Equal(crypto.PublicKey) bool }).Equal(leaf.c.PublicKey)
		})
		if i < 0 {
			return fmt.Errorf("%s: no private key in %s belongs to it: put the one there that it was made for", leaf.file, p.Keys)
		}
		c := Certificate{Use: use(leaf.c), PEM: chain(leaf, certs), File: leaf.file}
		c.Key = keyNames[c.Use]
		if slices.ContainsFunc(m.Certificates, func(o Certificate) bool { return o.Use == c.Use }) {
			return fmt.Errorf("%s: a second %s: keep one", leaf.file, c.Use)
		}
		m.Certificates = append(m.Certificates, c)
		m.Keys = append(m.Keys, PrivateKey{Name: c.Key, PEM: private[i].pem, File: private[i].file})
	}
	if !slices.ContainsFunc(certs, func(f file) bool { return !f.c.IsCA }) {
		return fmt.Errorf("%s: only certificates of authorities: want the station's own among them", p.Certificates)
	}
	return nil
}

// keyNames are the names of the seed's keys. A CSMS's names are others, so the seed never takes a newer key away.
var keyNames = map[cert.Use]string{
	cert.ChargingStationCertificate: keys.Fitted + "station", cert.V2GCertificate: keys.Fitted + "v2g", cert.V2G20Certificate: keys.Fitted + "v2g20",
}

// chain orders the certificates from the leaf on up, each signed by the next.
func chain(leaf file, all []file) []byte {
	text := leaf.encode()
	for range cert.MaxChain - 1 {
		i := slices.IndexFunc(all, func(f file) bool {
			return f.c.IsCA && !bytes.Equal(f.c.Raw, leaf.c.Raw) && leaf.c.CheckSignatureFrom(f.c) == nil
		})
		if i < 0 {
			break
		}
		leaf = all[i]
		text = append(text, leaf.encode()...)
	}
	return text
}

// file is one certificate and the file that it came from.
type file struct {
	c    *x509.Certificate
	file string
}

func (f file) encode() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.c.Raw})
}

// loaded is a private key in PEM, still encrypted where it was.
type loaded struct {
	public crypto.PublicKey
	pem    []byte
	file   string
}

// endings are those of files with certificates or keys; others in a folder are left alone.
var endings = []string{".pem", ".crt", ".cer", ".key"}

// list names the files at a path: itself, or what lies in the folder.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: want a file or folder with PEM", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("%w: want a folder that can be read", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(endings, strings.ToLower(filepath.Ext(e.Name()))) {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("%s: want files in PEM with names that end in %s", path, strings.Join(endings, ", "))
	case len(names) > maxFiles:
		return nil, fmt.Errorf("%s: %d files: want at most %d", path, len(names), maxFiles)
	}
	return names, nil
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: want a file that can be read", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: want at most %d bytes", path, most)
	}
	return data, err
}

// readCertificates reads all certificates at a path; "" has none. A file in a folder may hold something else.
func readCertificates(path string) (certs []file, err error) {
	if path == "" {
		return nil, nil
	}
	names, err := list(path)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := readFile(name, maxFileSize)
		if err != nil {
			return nil, err
		}
		for {
			var b *pem.Block
			if b, data = pem.Decode(data); b == nil {
				break
			}
			if b.Type != "CERTIFICATE" {
				continue
			}
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: want another copy of it", name, err)
			}
			certs = append(certs, file{c, name})
		}
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%s: no certificate: want PEM with BEGIN CERTIFICATE (convert DER with openssl x509 -inform der)", path)
	}
	return certs, nil
}

func readKeys(path, password string) (private []loaded, err error) {
	names, err := list(path)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := readFile(name, maxPrivate)
		if err != nil {
			return nil, err
		}
		public, err := keys.Public(data, password)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		private = append(private, loaded{public, data, name})
	}
	return private, nil
}

// Install keeps the keys in the store and puts the certificates into a station at its first boot, before Start. It returns the
// records to keep.
func (m *Material) Install(to *station.Station, store keys.Store, password string) ([]station.Record, error) {
	for _, k := range m.Keys {
		if err := store.Import(k.Name, k.PEM, password); err != nil {
			return nil, fmt.Errorf("%s: %w", k.File, err)
		}
	}
	var records []station.Record
	for _, c := range m.Certificates {
		rs, err := to.SeedCertificate(c.Use, c.PEM, c.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		records = append(records, rs...)
	}
	return records, nil
}
