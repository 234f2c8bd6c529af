package stationtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// pki is the world's side of certificates: authorities by name, and the station's key store. Keys follow from their names, so
// that a scenario is the same each time; they protect nothing.
type pki struct {
	keys    map[string]bool   // that the station has; they outlive its power
	lost    bool              // the key store makes no keys
	slow    time.Duration     // that a key takes; 0: makingKey
	refused map[cert.Sum]bool // certificates of the station that the CSMS does not take
	pending string            // the signing request that the CSMS heard last
}

// makingKey is how long the key store takes to make a pair.
const makingKey = 200 * time.Millisecond

func (p *pki) command(b *Bench, c station.Command) {
	switch c := c.(type) {
	case station.MakeCSR:
		wait := p.slow
		if wait == 0 {
			wait = makingKey
		}
		b.later(wait, func() { b.step(p.make(c)) })
	case station.DropKey:
		delete(p.keys, c.Key)
	}
}

// make makes a key pair, or uses the one of that name again.
func (p *pki) make(c station.MakeCSR) station.CSRMade {
	if p.lost {
		return station.CSRMade{Number: c.Number, Code: "KEY-STORE"}
	}
	if p.keys == nil {
		p.keys = map[string]bool{}
	}
	p.keys[c.Key] = true
	t := x509.CertificateRequest{Subject: pkix.Name{CommonName: c.CommonName}, SignatureAlgorithm: x509.ECDSAWithSHA256}
	if c.Organization != "" {
		t.Subject.Organization = []string{c.Organization}
	}
	der, err := x509.CreateCertificateRequest(nil, &t, keyOf(c.Key))
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	return station.CSRMade{Number: c.Number, PEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))}
}

// sweep destroys the keys that nobody needs, as a station does at its start: the power may have gone before a DropKey.
func (p *pki) sweep(keep []string) {
	maps.DeleteFunc(p.keys, func(name string, _ bool) bool { return !slices.Contains(keep, name) })
}

// keyOf is the private key of a name.
func keyOf(name string) *ecdsa.PrivateKey {
	scalar := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	return k
}

// authority returns the certificate of a CA: "A" signs itself, "B<A" is B signed by A. Words behind a colon change it: expired,
// leaf.
func authority(name string) *x509.Certificate {
	name, how, _ := strings.Cut(name, ":")
	name, by, signed := strings.Cut(name, "<")
	t := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Operator"}}, NotBefore: Birth.AddDate(-1, 0, 0),
		NotAfter: Birth.AddDate(20, 0, 0), IsCA: how != "leaf", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if how == "expired" {
		t.NotAfter = Birth.AddDate(0, -1, 0)
	}
	serial := sha256.Sum256([]byte(name + by + how))
	t.SerialNumber = new(big.Int).SetBytes(serial[:8])
	parent := t
	if signed {
		parent = authority(by)
	} else {
		by = name
	}
	return certBy(t, parent, &keyOf(name).PublicKey, by)
}

// certBy makes a certificate. The signature needs no randomness (RFC 6979).
func certBy(t, parent *x509.Certificate, key *ecdsa.PublicKey, by string) *x509.Certificate {
	der, err := x509.CreateCertificate(nil, t, parent, key, keyOf(by))
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic("stationtest: " + err.Error())
	}
	return c
}

func toPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// issue signs a certificate for the signing request that the CSMS heard last. how: "", expired, future, otherkey, othername.
func (b *Bench) issue(by, how string, life time.Duration) (string, error) {
	block, _ := pem.Decode([]byte(b.pki.pending))
	if block == nil {
		return "", fmt.Errorf("the CSMS has heard no signing request")
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", err
	}
	key := r.PublicKey.(*ecdsa.PublicKey)
	t := &x509.Certificate{SerialNumber: big.NewInt(int64(b.t/time.Second) + 1), Subject: r.Subject, NotBefore: b.wall().Add(-time.Hour), NotAfter: b.wall().Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature}
	switch how {
	case "expired":
		t.NotBefore, t.NotAfter = t.NotBefore.AddDate(-1, 0, 0), b.wall().AddDate(0, 0, -1)
	case "future":
		t.NotBefore = b.wall().AddDate(0, 0, 1)
	case "otherkey":
		key = &keyOf("somebody else").PublicKey
	case "othername":
		t.Subject.CommonName = "S2"
	}
	signer, _, _ := strings.Cut(by, "<")
	text := toPEM(certBy(t, authority(by), key, signer))
	if strings.Contains(by, "<") { // a sub-CA comes along
		text += toPEM(authority(by))
	}
	return text, nil
}

func parseInstallCertificate(_ *Bench, l line) (station.Request, error) {
	text := toPEM(authority(l.word(1)))
	if l.has("broken") {
		text = text[:len(text)/2]
	}
	return station.InstallCertificate{Use: cert.Use(l.word(0)), PEM: text}, nil
}

func parseInstalledCertificates(_ *Bench, l line) (station.Request, error) {
	var r station.GetInstalledCertificateIds
	for _, w := range l.words {
		r.Uses = append(r.Uses, cert.Use(w))
	}
	return r, nil
}

// parseDeleteCertificate reads CA [hash=SHA384], or own.
func parseDeleteCertificate(b *Bench, l line) (station.Request, error) {
	hash := l.keys["hash"]
	if hash == "" {
		hash = "SHA256"
	}
	c, issuer := authority(l.word(0)), (*x509.Certificate)(nil)
	if l.word(0) == "own" {
		chain, _, ok := b.Station.OwnChain(cert.ChargingStationCertificate)
		if !ok {
			return nil, fmt.Errorf("the station has no certificate of its own")
		}
		var err error
		if c, err = x509.ParseCertificate(chain[0]); err != nil {
			return nil, err
		}
	}
	_, by, _ := strings.Cut(l.word(0), "<")
	if n := l.keys["by"]; n != "" {
		by = n
	}
	if issuer = c; by != "" {
		issuer = authority(by)
	}
	h, err := cert.HashOf(c, issuer, hash)
	return station.DeleteCertificate{Hash: h}, err
}

func parseCertificateSigned(b *Bench, l line) (station.Request, error) {
	life, err := l.duration("life", 365*24*time.Hour)
	if err != nil {
		return nil, err
	}
	r := station.CertificateSigned{Use: cert.ChargingStationCertificate}
	if u := l.keys["use"]; u != "" {
		r.Use = cert.Use(u)
	}
	if r.Chain, err = b.issue(l.keys["by"], l.keys["as"], life); err != nil {
		return nil, err
	}
	if l.has("unwanted") {
		block, _ := pem.Decode([]byte(r.Chain))
		b.pki.refused = map[cert.Sum]bool{cert.SumOf(block.Bytes): true}
	}
	_, r.HasRequestID = l.keys["id"]
	r.RequestID, err = l.number("id")
	return r, err
}

// doKeys: keys lost|works [slow=1h].
func doKeys(b *Bench, l line) error {
	slow, err := l.duration("slow", 0)
	b.pki.lost, b.pki.slow = l.has("lost"), slow
	return err
}

// redialAfter is the pause after a connection that the CSMS has refused.
const redialAfter = time.Minute

// secureLink opens a connection with TLS: the CSMS' chain ends in root, and the station shows what it has.
func (b *Bench) secureLink(root string, profile int) {
	if b.Station == nil || b.link.up {
		return
	}
	b.link.root, b.link.profile = root, profile
	up := station.LinkUp{Slot: 1, SecurityProfile: profile, Root: cert.SumOf(authority(root).Raw)}
	if chain, key, ok := b.Station.OwnChain(cert.ChargingStationCertificate); ok && profile == 3 {
		if !b.pki.keys[key] {
			b.check.fail(b, "the station shows a certificate whose key %s is gone", key)
		}
		if up.Own = cert.SumOf(chain[0]); b.pki.refused[up.Own] {
			b.print("< the CSMS refuses the certificate")
			b.later(redialAfter, b.redial)
			return
		}
	}
	b.link.up = true
	b.step(up)
}

// CertificatesWhole says what is wrong with the station's certificates and keys: a certificate that is shown has its key, and no
// more keys are kept than those in force, on trial and asked for.
func (b *Bench) CertificatesWhole() error {
	if b.Station == nil {
		return nil
	}
	if _, key, ok := b.Station.OwnChain(cert.ChargingStationCertificate); ok && !b.pki.keys[key] {
		return fmt.Errorf("%s: the key %s of the station's certificate is gone", b.stamp(), key)
	}
	if n := len(b.pki.keys); n > 3 {
		return fmt.Errorf("%s: %d keys are kept", b.stamp(), n)
	}
	return nil
}

func describeCertificates(r station.InstalledCertificates) string {
	s := describeStatus(r.Status)
	for _, row := range r.Rows {
		s += fmt.Sprintf("; %s %s %s", row.Use, row.Hash.Algorithm, row.Hash.Serial)
		for _, c := range row.Children {
			s += "+" + c.Serial
		}
	}
	return s
}

// placeholder is $cert(CA) for a certificate, $hash(CA) for its hash data, $signed(CA) for the chain that the CA makes of the
// signing request that the CSMS heard last.
var placeholder = regexp.MustCompile(`\$(cert|hash|signed)\(([^)]*)\)`)

// Fill puts JSON in the place of what a story writes for certificates, which nobody would want to read.
func (b *Bench) Fill(line string) (string, error) {
	var failed error
	filled := placeholder.ReplaceAllStringFunc(line, func(word string) string {
		m := placeholder.FindStringSubmatch(word)
		var value any
		var err error
		switch c := authority(m[2]); m[1] {
		case "cert":
			value = toPEM(c)
		case "hash":
			var h cert.HashData
			h, err = cert.HashOf(c, c, "SHA256")
			value = map[string]string{"hashAlgorithm": h.Algorithm, "issuerNameHash": h.IssuerNameHash, "issuerKeyHash": h.IssuerKeyHash, "serialNumber": h.Serial}
		default:
			value, err = b.issue(m[2], "", 365*24*time.Hour)
		}
		if err != nil {
			failed = err
			return word
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic("stationtest: " + err.Error())
		}
		return string(text)
	})
	return filled, failed
}
