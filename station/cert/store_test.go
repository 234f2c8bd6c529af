package cert_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/cert"
)

// covers: M05.FR.02 M05.FR.07 M05.FR.17
func TestInstall(t *testing.T) {
	a := root(t, "A")
	for _, tc := range []struct {
		name string
		c    *ca
		at   time.Time
		want string // what the refusal says
	}{
		{"a root", root(t, "R"), now, ""},
		{"signed by an installed one", a.sub(t, "B"), now, ""},
		{"signed by one that is not", root(t, "X").sub(t, "Y"), now, "signed neither by itself nor"},
		{"says that it has signed itself", forged(t), now, "signed neither by itself nor"},
		{"no CA", a.leaf(t, "L", newKey(t)), now, "not a CA"},
		{"may sign nothing", root(t, "K", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), now, "key usage"},
		{"expired", root(t, "E", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), now, "expired"},
		{"not valid yet", root(t, "N", func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), now, "not valid before"},
		{"by clocks that differ a little", root(t, "M", func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }), now, ""},
		{"expired as far as nobody knows", root(t, "U", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), time.Time{}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := cert.Store{Max: 8}
			install(t, &s, cert.V2GRootCertificate, a, false)
			cs, wrong := s.Install(cert.V2GRootCertificate, tc.c.Certificate, cert.Terms{Now: tc.at})
			switch {
			case tc.want == "" && (wrong != nil || len(cs) != 1 || s.Len() != 2):
				t.Errorf("%v, %d installed", wrong, s.Len())
			case tc.want != "" && (wrong == nil || wrong.Reason != "InvalidCertificate" || !strings.Contains(wrong.Info, tc.want) || s.Len() != 1):
				t.Errorf("%v, %d installed, want %s", wrong, s.Len(), tc.want)
			}
		})
	}
}

// forged is a certificate that says it is its own issuer, and that somebody else has signed.
func forged(t *testing.T) *ca {
	t.Helper()
	other := root(t, "F")
	template := &x509.Certificate{Subject: other.Subject, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	return other.issue(t, template, newKey(t))
}

func TestInstallTwiceAndTooMany(t *testing.T) {
	s := cert.Store{Max: 2}
	a, b := root(t, "A"), root(t, "B")
	install(t, &s, cert.CSMSRootCertificate, a, false)
	install(t, &s, cert.CSMSRootCertificate, b, false)
	if cs := install(t, &s, cert.CSMSRootCertificate, a, false); len(cs) != 0 || s.Len() != 2 {
		t.Errorf("again: %d changes, %d installed", len(cs), s.Len())
	}
	_, wrong := s.Install(cert.ManufacturerRootCertificate, a.Certificate, cert.Terms{Now: now})
	if wrong == nil || wrong.Reason != "OutOfStorage" || s.Len() != 2 { // M05.FR.06
		t.Errorf("%v, %d installed", wrong, s.Len())
	}
	if got := names(t, &s, cert.CSMSRootCertificate); got != "BA" {
		t.Errorf("order %s, want the newest first", got)
	}
}

// covers: M05.FR.09 M05.FR.10 M05.FR.11 M05.FR.12 M05.FR.13 M05.FR.14
func TestSuccessionOfTheCSMSRoot(t *testing.T) {
	s := cert.Store{Max: 8}
	a := root(t, "A")
	install(t, &s, cert.CSMSRootCertificate, a, true)
	refused := func(what string, c *ca) {
		t.Helper()
		if cs, wrong := s.Install(cert.CSMSRootCertificate, c.Certificate, cert.Terms{Now: now, Strict: true}); wrong == nil || len(cs) != 0 {
			t.Errorf("%s: taken", what)
		}
	}
	want := func(what, order string) {
		t.Helper()
		if got := names(t, &s, cert.CSMSRootCertificate); got != order {
			t.Errorf("%s: roots %s, want %s", what, got, order)
		}
	}
	refused("a stranger", root(t, "X"))
	b := a.sub(t, "B")
	install(t, &s, cert.CSMSRootCertificate, b, true)
	want("B follows A", "BA")
	s.RootServed(cert.SumOf(a.Raw))
	want("A has served again", "BA")
	refused("signed by one that has not served", b.sub(t, "C"))
	d := a.sub(t, "D")
	install(t, &s, cert.CSMSRootCertificate, d, true)
	want("D in the place of B", "DA")
	if cs := s.RootServed(cert.SumOf(d.Raw)); len(cs) != 1 || cs[0].Value != nil {
		t.Errorf("D has served: %+v", cs)
	}
	want("D has served", "D")
	install(t, &s, cert.CSMSRootCertificate, d.sub(t, "E"), true)
	want("E follows D", "ED")
	install(t, &s, cert.ManufacturerRootCertificate, root(t, "M"), true) // the rule is the CSMS root's alone
}

// TestSuccessionKeepsWhatIsInstalled: a store that is full refuses a successor before it changes anything.
func TestSuccessionKeepsWhatIsInstalled(t *testing.T) {
	s := cert.Store{Max: 1}
	a := root(t, "A")
	install(t, &s, cert.CSMSRootCertificate, a, true)
	if _, wrong := s.Install(cert.CSMSRootCertificate, a.sub(t, "B").Certificate, cert.Terms{Now: now, Strict: true}); wrong == nil || wrong.Reason != "OutOfStorage" {
		t.Error(wrong)
	}
	if got := names(t, &s, cert.CSMSRootCertificate); got != "A" {
		t.Errorf("roots %s", got)
	}
}

// covers: A02.FR.06 A00.FR.509 A00.FR.511
func TestCheckOwn(t *testing.T) {
	a, key := root(t, "A"), newKey(t)
	between := a.sub(t, "S")
	asked := cert.Asked{Use: cert.ChargingStationCertificate, CSR: csr(t, key, "S1"), CommonName: "S1", Organization: "Operator"}
	chain := func(cs ...*ca) []*x509.Certificate {
		var l []*x509.Certificate
		for _, c := range cs {
			l = append(l, c.Certificate)
		}
		return l
	}
	usage := func(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = u }
	}
	for _, tc := range []struct {
		name  string
		chain []*x509.Certificate
		at    time.Time
		want  string
		path  int
	}{
		{"by the root", chain(a.leaf(t, "S1", key)), now, "", 1},
		{"with the root behind it", chain(a.leaf(t, "S1", key), a), now, "", 1},
		{"by a sub-CA", chain(between.leaf(t, "S1", key), between), now, "", 2},
		{"by a sub-CA, in any order", chain(between.leaf(t, "S1", key), a, between), now, "", 2},
		{"for clients", chain(a.leaf(t, "S1", key, usage(x509.ExtKeyUsageClientAuth))), now, "", 1},
		{"with a clock that nobody has set", chain(a.leaf(t, "S1", key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) })), time.Time{}, "", 1},

		{"by a sub-CA that is missing", chain(between.leaf(t, "S1", key)), now, "unknown authority", 0},
		{"by somebody else", chain(root(t, "X").leaf(t, "S1", key)), now, "unknown authority", 0},
		{"the root first", chain(a, a.leaf(t, "S1", key)), now, "is a CA", 0},
		{"another key", chain(a.leaf(t, "S1", newKey(t))), now, "another key", 0},
		{"another name", chain(a.leaf(t, "S2", key)), now, "common name", 0},
		{"another organization", chain(a.leaf(t, "S1", key, func(c *x509.Certificate) { c.Subject.Organization = []string{"Else"} })), now, "organization", 0},
		{"expired", chain(a.leaf(t, "S1", key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) })), now, "expired", 0},
		{"in the future", chain(a.leaf(t, "S1", key, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) })), now, "not valid before", 0},
		{"for servers", chain(a.leaf(t, "S1", key, usage(x509.ExtKeyUsageServerAuth))), now, "usage", 0},
		{"may not sign a handshake", chain(a.leaf(t, "S1", key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })), now, "key usage", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := cert.Store{Max: 8}
			install(t, &s, cert.CSMSRootCertificate, a, false)
			path, issuer, wrong := s.CheckOwn(asked, tc.chain, tc.at)
			switch {
			case tc.want == "" && (wrong != nil || len(path) != tc.path || !issuer.Equal(a.Certificate)):
				t.Errorf("%v, a path of %d", wrong, len(path))
			case tc.want != "" && (wrong == nil || !strings.Contains(wrong.Info, tc.want)):
				t.Errorf("%v, want %s", wrong, tc.want)
			}
		})
	}
	t.Run("no root", func(t *testing.T) {
		s := cert.Store{Max: 8}
		if _, _, wrong := s.CheckOwn(asked, chain(a.leaf(t, "S1", key)), now); wrong == nil || !strings.Contains(wrong.Info, "no CSMSRootCertificate") {
			t.Error(wrong)
		}
	})
}

// covers: A02.FR.10
func TestTrial(t *testing.T) {
	a := root(t, "A")
	s := cert.Store{Max: 8}
	install(t, &s, cert.CSMSRootCertificate, a, false)
	adopt := func(c *ca, key string, trial bool) []cert.Change {
		t.Helper()
		cs, wrong := s.Adopt(cert.ChargingStationCertificate, []*x509.Certificate{c.Certificate}, a.Certificate, key, trial)
		if wrong != nil {
			t.Fatal(wrong)
		}
		return cs
	}
	dropped := func(cs []cert.Change) (keys string) {
		for _, c := range cs {
			keys += c.DropKey
		}
		return keys
	}
	want := func(inForce, trial string) {
		t.Helper()
		for st, name := range map[cert.State]string{cert.InForce: inForce, cert.Trial: trial} {
			e, got := s.Own(cert.ChargingStationCertificate, st), ""
			if e != nil {
				got = e.Key
			}
			if got != name {
				t.Errorf("%q has the key %q, want %q", st, got, name)
			}
		}
	}
	one, two, three, four := a.leaf(t, "S1", newKey(t)), a.leaf(t, "S1", newKey(t)), a.leaf(t, "S1", newKey(t)), a.leaf(t, "S1", newKey(t))
	adopt(one, "k1", false)
	adopt(two, "k2", true)
	want("k1", "k2")
	if got := dropped(adopt(three, "k3", true)); got != "k2" {
		t.Errorf("dropped %q, want the key of the one that never served", got)
	}
	want("k1", "k3")
	if got := dropped(s.Settle(cert.ChargingStationCertificate, cert.SumOf(three.Raw))); got != "k1" {
		t.Errorf("dropped %q, want k1", got)
	}
	want("k3", "")
	if cs := s.Settle(cert.ChargingStationCertificate, cert.SumOf(three.Raw)); len(cs) != 0 {
		t.Errorf("settled twice: %d changes", len(cs))
	}
	adopt(four, "k4", true)
	if got := dropped(s.Settle(cert.ChargingStationCertificate, cert.SumOf(three.Raw))); got != "k4" {
		t.Errorf("dropped %q, want k4", got)
	}
	want("k3", "")
	// Another certificate for the same key takes the place of the first, and the key stays.
	if got := dropped(adopt(a.leaf(t, "S1", newKey(t)), "k3", false)); got != "" {
		t.Errorf("dropped %q", got)
	}
}

// covers: M03.FR.04 M03.FR.05 M04.FR.02 M04.FR.04 M04.FR.06 M04.FR.08
func TestListAndDelete(t *testing.T) {
	s := cert.Store{Max: 8}
	csms, v2g := root(t, "C"), root(t, "V", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x0abc) })
	between := v2g.sub(t, "S")
	mine, secc := csms.leaf(t, "S1", newKey(t)), between.leaf(t, "SECC", newKey(t))
	install(t, &s, cert.CSMSRootCertificate, csms, false)
	install(t, &s, cert.V2GRootCertificate, v2g, false)
	for _, own := range []struct {
		use    cert.Use
		chain  []*x509.Certificate
		issuer *ca
		key    string
	}{
		{cert.ChargingStationCertificate, []*x509.Certificate{mine.Certificate}, csms, "k1"},
		{cert.V2GCertificate, []*x509.Certificate{secc.Certificate, between.Certificate}, v2g, "k2"},
	} {
		if _, wrong := s.Adopt(own.use, own.chain, own.issuer.Certificate, own.key, false); wrong != nil {
			t.Fatal(wrong)
		}
	}
	hash := func(c, issuer *ca, algorithm string) cert.HashData {
		t.Helper()
		h, err := cert.HashOf(c.Certificate, issuer.Certificate, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	rows := s.List(nil)
	if len(rows) != 3 || rows[0].Use != cert.CSMSRootCertificate || rows[1].Use != cert.V2GRootCertificate || rows[2].Use != cert.V2GCertificate {
		t.Fatalf("%+v", rows)
	}
	if rows[2].Hash != hash(secc, between, "SHA256") || len(rows[2].Children) != 1 || rows[2].Children[0] != hash(between, v2g, "SHA256") {
		t.Errorf("chain %+v", rows[2])
	}
	if rows[1].Hash.Serial != "abc" {
		t.Errorf("serial number %q, want abc", rows[1].Hash.Serial)
	}
	if got := s.List([]cert.Use{cert.ChargingStationCertificate}); len(got) != 0 {
		t.Errorf("own certificate: %+v", got)
	}
	try := func(what string, h cert.HashData, needed bool, want cert.Deletion) []cert.Change {
		t.Helper()
		got, cs, _ := s.Delete(h, needed)
		if got != want || (got == cert.Deleted) != (len(cs) > 0) {
			t.Errorf("%s: %s with %d changes, want %s", what, got, len(cs), want)
		}
		return cs
	}
	try("the own one", hash(mine, csms, "SHA256"), false, cert.Undeleted)
	try("a root that is needed", hash(csms, csms, "SHA384"), true, cert.Undeleted)
	try("another algorithm", cert.HashData{Algorithm: "MD5"}, false, cert.Unknown)
	wrongKey := hash(v2g, v2g, "SHA256")
	wrongKey.IssuerKeyHash = hash(v2g, csms, "SHA256").IssuerKeyHash
	try("another issuer", wrongKey, false, cert.Unknown)
	if cs := try("a sub-CA", hash(between, v2g, "SHA512"), false, cert.Deleted); len(cs) == 1 && cs[0].DropKey != "k2" {
		t.Errorf("dropped %q, want the key below it", cs[0].DropKey)
	}
	loud := hash(v2g, v2g, "SHA256")
	loud.IssuerNameHash, loud.IssuerKeyHash, loud.Serial = strings.ToUpper(loud.IssuerNameHash), strings.ToUpper(loud.IssuerKeyHash), "000ABC"
	try("capitals and zeroes", loud, false, cert.Deleted)
	try("again", loud, false, cert.Unknown)
	try("a root that is not needed", hash(csms, csms, "SHA256"), false, cert.Deleted)
}

// TestHashOf reckons the hashes by hand (RFC 6960, 4.1.1).
func TestHashOf(t *testing.T) {
	a := root(t, "A")
	b := a.sub(t, "B")
	point, err := a.PublicKey.(interface{ Bytes() ([]byte, error) }).Bytes() // an EC key's bits are its point
	if err != nil {
		t.Fatal(err)
	}
	sum := func(algorithm string, b []byte) string {
		switch algorithm {
		case "SHA384":
			h := sha512.Sum384(b)
			return hex.EncodeToString(h[:])
		case "SHA512":
			h := sha512.Sum512(b)
			return hex.EncodeToString(h[:])
		}
		h := sha256.Sum256(b)
		return hex.EncodeToString(h[:])
	}
	for _, algorithm := range []string{"SHA256", "SHA384", "SHA512"} {
		h, err := cert.HashOf(b.Certificate, a.Certificate, algorithm)
		want := cert.HashData{Algorithm: algorithm, IssuerNameHash: sum(algorithm, a.RawSubject), IssuerKeyHash: sum(algorithm, point), Serial: b.SerialNumber.Text(16)}
		if err != nil || h != want {
			t.Errorf("%+v, %v, want %+v", h, err, want)
		}
	}
	if _, err := cert.HashOf(b.Certificate, a.Certificate, "SHA1"); err == nil {
		t.Error("SHA1 taken")
	}
}

// TestRestore: a store that reads its records back is the store that wrote them, in any order and twice.
func TestRestore(t *testing.T) {
	a := root(t, "A")
	s, kept := cert.Store{Max: 8}, map[string][]byte{}
	keep := func(cs []cert.Change) {
		for _, c := range cs {
			if kept[c.Key] = c.Value; c.Value == nil {
				delete(kept, c.Key)
			}
		}
	}
	keep(install(t, &s, cert.CSMSRootCertificate, a, true))
	keep(install(t, &s, cert.CSMSRootCertificate, a.sub(t, "B"), true))
	keep(install(t, &s, cert.ManufacturerRootCertificate, root(t, "M"), false))
	cs, wrong := s.Adopt(cert.ChargingStationCertificate, []*x509.Certificate{a.leaf(t, "S1", newKey(t)).Certificate}, a.Certificate, "k1", true)
	if wrong != nil {
		t.Fatal(wrong)
	}
	keep(cs)
	back := cert.Store{Max: 8}
	for range 2 {
		for key, value := range maps.All(kept) { // in any order
			if err := back.Restore(key, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := names(t, &back, cert.CSMSRootCertificate); got != "BA" || back.Len() != 4 {
		t.Errorf("roots %s, %d installed", got, back.Len())
	}
	if e := back.Own(cert.ChargingStationCertificate, cert.Trial); e == nil || e.Key != "k1" {
		t.Errorf("own %+v", e)
	}
	if got, want := back.List(nil), s.List(nil); len(got) != len(want) || got[0].Hash != want[0].Hash || got[1].Hash != want[1].Hash {
		t.Errorf("%+v, want %+v", got, want)
	}
	for key, value := range kept {
		for what, bad := range map[string][]byte{"cut": value[:len(value)/2], "empty": {}, "null": []byte("null"), "other": []byte(`{"use":"X"}`)} {
			if err := back.Restore(key, bad); err == nil {
				t.Errorf("%s, %s: taken", key, what)
			}
		}
		if err := back.Restore(key+"0", value); err == nil {
			t.Errorf("%s under another key: taken", key)
		}
	}
	if back.Len() != 4 {
		t.Errorf("%d installed behind what could not be read", back.Len())
	}
}

func TestSeed(t *testing.T) {
	a, maker := root(t, "A"), root(t, "M")
	between := maker.sub(t, "S")
	mine := between.leaf(t, "S1", newKey(t))
	s := cert.Store{Max: 8}
	if cs, err := s.Seed(cert.CSMSRootCertificate, a.pem()+maker.pem(), ""); err != nil || len(cs) != 2 {
		t.Fatal(cs, err)
	}
	// A factory's chain ends in a root that this station does not trust for anything.
	if _, err := s.Seed(cert.ChargingStationCertificate, mine.pem()+between.pem()+maker.pem(), "factory"); err != nil {
		t.Fatal(err)
	}
	if e := s.Own(cert.ChargingStationCertificate, cert.InForce); e == nil || len(e.Chain) != 2 || e.Key != "factory" {
		t.Errorf("%+v", e)
	}
	for name, bad := range map[string]func() error{
		"a root with a key":         func() error { _, err := s.Seed(cert.CSMSRootCertificate, a.pem(), "k"); return err },
		"a station without":         func() error { _, err := s.Seed(cert.ChargingStationCertificate, mine.pem(), ""); return err },
		"no use":                    func() error { _, err := s.Seed("X", a.pem(), ""); return err },
		"a chain that does not fit": func() error { _, err := s.Seed(cert.ChargingStationCertificate, mine.pem()+a.pem(), "k"); return err },
		"no PEM":                    func() error { _, err := s.Seed(cert.CSMSRootCertificate, "x", ""); return err },
		"V2G of an unknown root":    func() error { _, err := s.Seed(cert.V2GCertificate, mine.pem()+between.pem(), "k"); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzRestore: no record makes the store panic or grow beyond one entry.
func FuzzRestore(f *testing.F) {
	a := root(f, "A")
	s := cert.Store{Max: 8}
	cs, _ := s.Install(cert.CSMSRootCertificate, a.Certificate, cert.Terms{Now: now})
	f.Add(cs[0].Key, cs[0].Value)
	f.Add("x", []byte(`{"use":"V2GCertificate","chain":["AA=="],"seq":1,"key":"k"}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		s := cert.Store{Max: 8}
		if err := s.Restore(key, value); err == nil {
			s.List(nil)
			s.Roots(cert.CSMSRootCertificate)
			if s.Restore(key, value) != nil || s.Len() > cert.MaxChain {
				t.Fatal("not the same twice")
			}
		}
	})
}

// FuzzDelete: no hash data deletes what it does not name.
func FuzzDelete(f *testing.F) {
	a := root(f, "A")
	h, err := cert.HashOf(a.Certificate, a.Certificate, "SHA256")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(h.Algorithm, h.IssuerNameHash, h.IssuerKeyHash, h.Serial)
	f.Add("SHA512", "", "", "0")
	f.Fuzz(func(t *testing.T, algorithm, name, key, serial string) {
		s := cert.Store{Max: 8}
		install(t, &s, cert.CSMSRootCertificate, a, false)
		got := cert.HashData{Algorithm: algorithm, IssuerNameHash: name, IssuerKeyHash: key, Serial: serial}
		if d, _, _ := s.Delete(got, false); d == cert.Deleted {
			want, err := cert.HashOf(a.Certificate, a.Certificate, algorithm)
			if err != nil || !strings.EqualFold(name, want.IssuerNameHash) || !strings.EqualFold(key, want.IssuerKeyHash) || !strings.HasSuffix(strings.ToLower(serial), want.Serial) {
				t.Fatalf("%+v deleted %+v", got, want)
			}
		}
	})
}

// TestSummaries: a chain lasts as long as the first of its certificates that expires.
func TestSummaries(t *testing.T) {
	s := cert.Store{Max: 8}
	a := root(t, "A")
	between := a.sub(t, "S", func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 1, 0) })
	install(t, &s, cert.CSMSRootCertificate, a, false)
	if _, wrong := s.Adopt(cert.ChargingStationCertificate, []*x509.Certificate{between.leaf(t, "S1", newKey(t)).Certificate, between.Certificate}, a.Certificate, "k", true); wrong != nil {
		t.Fatal(wrong)
	}
	got := s.Summaries()
	if len(got) != 2 || got[0].Use != cert.CSMSRootCertificate || got[1].State != cert.Trial || !got[1].Until.Equal(between.NotAfter) || !strings.Contains(got[1].Subject, "S1") {
		t.Errorf("%+v", got)
	}
}
