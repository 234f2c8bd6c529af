package cert2_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// hashOf is the hash data of a certificate as its issuer's certificate gives it.
func hashOf(t *testing.T, c, issuer *x509.Certificate) obj {
	t.Helper()
	var key struct {
		Algorithm asn1.RawValue
		Bits      asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &key); err != nil {
		t.Fatal(err)
	}
	name, bits := sha256.Sum256(c.RawIssuer), sha256.Sum256(key.Bits.Bytes)
	return obj{"hashAlgorithm": "SHA256", "issuerNameHash": hex.EncodeToString(name[:]), "issuerKeyHash": hex.EncodeToString(bits[:]),
		"serialNumber": c.SerialNumber.Text(16)}
}

func rootHash(t *testing.T, a *cases.Authority) obj { t.Helper(); return hashOf(t, a.Cert, a.Cert) }

// install installs a root.
func (b *bench) install(status, use, pem string) {
	b.Helper()
	b.Answers(status, "InstallCertificate", obj{"certificateType": use, "certificate": pem})
}

// installed lists the hash data of the certificates of some types, all without any: type and serial number, sorted.
func (b *bench) installed(types ...string) (all []string) {
	b.Helper()
	payload := obj{}
	if len(types) > 0 {
		payload["certificateType"] = types
	}
	body := b.Call("GetInstalledCertificateIds", payload)
	chains, _ := body["certificateHashDataChain"].([]any)
	if status := body["status"]; (status == "Accepted") != (len(chains) > 0) || status != "Accepted" && status != "NotFound" {
		b.Fatalf("installed: %v", body)
	}
	for i := range chains {
		all = append(all, row(cases.Member(body, fmt.Sprintf("certificateHashDataChain.%d.certificateType", i)), chains[i].(obj)["certificateHashData"].(obj)))
	}
	slices.Sort(all)
	return all
}

// row is a certificate as it is compared: hexadecimal digits may be of either case.
func row(use any, hash obj) string {
	return fmt.Sprint(use, " ", strings.ToLower(fmt.Sprint(hash["hashAlgorithm"], " ", hash["issuerNameHash"], " ", hash["issuerKeyHash"], " ", hash["serialNumber"])))
}

func (b *bench) wantInstalled(types []string, want ...string) {
	b.Helper()
	slices.Sort(want)
	if got := b.installed(types...); !slices.Equal(got, want) {
		b.Errorf("installed %q\n%s\nwant\n%s", types, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// covers: TC_M_01_CS TC_M_02_CS TC_M_03_CS TC_M_04_CS TC_M_12_CS TC_M_13_CS TC_M_14_CS TC_M_16_CS M03.FR.01 M05.FR.01
func TestInstallRoots(t *testing.T) {
	ready(t, func(b *bench) {
		for _, use := range []string{"CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate"} {
			root := cases.NewRoot(b.T, use)
			b.wantInstalled([]string{use})
			b.install("Accepted", use, root.PEM())
			b.wantInstalled([]string{use}, row(use, rootHash(b.T, root)))
			second := cases.NewRoot(b.T, use+" 2") // side by side
			b.install("Accepted", use, second.PEM())
			b.install("Accepted", use, second.PEM()) // the same again is one
			b.wantInstalled([]string{use}, row(use, rootHash(b.T, root)), row(use, rootHash(b.T, second)))
		}
	})
}

// covers: TC_M_17_CS TC_M_18_CS TC_M_19_CS
func TestListByType(t *testing.T) {
	ready(t, func(b *bench) {
		b.wantInstalled(nil)
		csms, maker := cases.NewRoot(b.T, "csms"), cases.NewRoot(b.T, "maker")
		b.install("Accepted", "CSMSRootCertificate", csms.PEM())
		b.install("Accepted", "ManufacturerRootCertificate", maker.PEM())
		first, second := row("CSMSRootCertificate", rootHash(b.T, csms)), row("ManufacturerRootCertificate", rootHash(b.T, maker))
		b.wantInstalled([]string{"CSMSRootCertificate", "ManufacturerRootCertificate"}, first, second)
		b.wantInstalled(nil, first, second)
		b.wantInstalled([]string{"ManufacturerRootCertificate"}, second)
		b.wantInstalled([]string{"MORootCertificate"})
	})
}

// Certificates that are none, or no roots, change nothing.
// covers: TC_M_07_CS M05.FR.02 M05.FR.07
func TestInstallInvalid(t *testing.T) {
	ready(t, func(b *bench) {
		root := cases.NewRoot(b.T, "root")
		leaf := root.Server(nil, cases.Host)
		weak := cases.NewRoot(b.T, "weak").ServerFor(cases.RSAKey(b.T, 1024), func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, "weak")
		expired := root.Server(func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid, c.NotBefore, c.NotAfter = true, true, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}, "expired")
		for name, pem := range map[string]string{"no PEM": "hello", "half of one": root.PEM()[:200], "no authority": cases.PEM(leaf.Certificate[0]),
			"expired": cases.PEM(expired.Certificate[0]), "weak key": cases.PEM(weak.Certificate[0]),
			"two in one": root.PEM() + root.PEM(), "garbage in it": cases.PEM([]byte("garbage"))} {
			for _, use := range []string{"CSMSRootCertificate", "ManufacturerRootCertificate"} {
				body := b.Call("InstallCertificate", obj{"certificateType": use, "certificate": pem})
				if body["status"] != "Rejected" || cases.Member(body, "statusInfo.reasonCode") == nil {
					b.Errorf("%s as %s: %v", name, use, body)
				}
			}
		}
		b.wantInstalled(nil)
	})
}

// covers: TC_M_20_CS TC_M_22_CS M04.FR.01 M04.FR.02
func TestDelete(t *testing.T) {
	ready(t, func(b *bench) {
		one, two := cases.NewRoot(b.T, "one"), cases.NewRoot(b.T, "two")
		b.install("Accepted", "V2GRootCertificate", one.PEM())
		b.install("Accepted", "MORootCertificate", two.PEM())
		b.Answers("NotFound", "DeleteCertificate", obj{"certificateHashData": rootHash(b.T, cases.NewRoot(b.T, "three"))})
		b.Answers("Accepted", "DeleteCertificate", obj{"certificateHashData": rootHash(b.T, one)})
		b.wantInstalled(nil, row("MORootCertificate", rootHash(b.T, two)))
		b.Answers("NotFound", "DeleteCertificate", obj{"certificateHashData": rootHash(b.T, one)})
	})
}

// What was installed is there after a power cut, and so is what was deleted gone.
// covers: TC_M_12_CS
func TestCertificatesSurvive(t *testing.T) {
	ready(t, func(b *bench) {
		one, two := cases.NewRoot(b.T, "one"), cases.NewRoot(b.T, "two")
		b.install("Accepted", "CSMSRootCertificate", one.PEM())
		b.install("Accepted", "ManufacturerRootCertificate", two.PEM())
		b.Answers("Accepted", "DeleteCertificate", obj{"certificateHashData": rootHash(b.T, two)})
		b.Post("power", obj{"on": false})
		b.After(10 * time.Second)
		b.Post("power", obj{"on": true})
		b.booted("PowerUp")
		b.wantInstalled(nil, row("CSMSRootCertificate", rootHash(b.T, one)))
	})
}

// What needs ISO 15118 is not there, and says so.
// covers: TC_M_24_CS TC_M_25_CS TC_M_26_CS TC_M_27_CS TC_M_28_CS TC_M_29_CS TC_M_15_CS TC_A_12_CS TC_A_13_CS
func TestNoCertificatesForISO15118(t *testing.T) {
	ready(t, func(b *bench) {
		for _, what := range []string{"SignV2GCertificate", "SignCombinedCertificate"} {
			b.Answers("NotImplemented", "TriggerMessage", obj{"requestedMessage": what})
		}
		for _, action := range []string{"GetCertificateStatus", "Get15118EVCertificate", "SignCertificate"} {
			b.None(10*time.Minute, action, nil)
		}
	})
}
