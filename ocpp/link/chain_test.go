package link

import (
	"bytes"
	"crypto/x509"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

const csmsName = "csms.test"

// chainCase is a chain, what it is judged by, and the cause for which it is refused; "" is none.
type chainCase struct {
	chain []*x509.Certificate
	raw   [][]byte // where there are no certificates to be made
	by    func(*Criteria)
	want  string
}

func chainCases() map[string]chainCase {
	ca, other := root(), newAuthority("Other", keyP384())
	leaf := ca.issue(csmsName, keyP256(), nil)
	mid := ca.under("Middle", keyP384(), nil)
	below := mid.issue(csmsName, keyP256(), nil)
	old := ca.under("Old", keyP384(), lasting(today.Add(-90*aDay), today.Add(-aDay)))
	weak := ca.under("Weak", keyRSA1024(), nil)
	rsa := newAuthority("RSA", keyRSA2048())
	noCA := ca.issue("No authority", keyP384(), nil)
	over := func(c *Criteria) { c.Roots = append(c.Roots, rsa.cert.Raw) }
	host := func(name string) func(*Criteria) { return func(c *Criteria) { c.Host = name } }
	at := func(t time.Time) func(*Criteria) { return func(c *Criteria) { c.At = t } }
	future := ca.issue(csmsName, keyP256(), lasting(today.Add(aDay), today.Add(9*aDay)))
	past := ca.issue(csmsName, keyP256(), lasting(today.Add(-9*aDay), today.Add(-aDay)))
	use := func(u ...x509.ExtKeyUsage) *x509.Certificate {
		return ca.issue(csmsName, keyP256(), func(t *x509.Certificate) { t.ExtKeyUsage = u })
	}
	list := func(certs ...*x509.Certificate) []*x509.Certificate { return certs }
	return map[string]chainCase{
		"common name":                 {chain: list(leaf)},
		"with its root":               {chain: list(leaf, ca.cert)},
		"with what leads nowhere":     {chain: list(leaf, other.cert, weak.cert)},
		"alternative name":            {chain: list(ca.issue("", keyP256(), alsoFor("x.test", csmsName)))},
		"alternative names alone":     {chain: list(ca.issue(csmsName, keyP256(), alsoFor("x.test"))), want: CauseWrongName},
		"wildcard":                    {chain: list(ca.issue("*.test", keyP256(), nil))},
		"other name":                  {chain: list(ca.issue("csms.test.evil.example", keyP256(), nil)), want: CauseWrongName},
		"name of a station":           {chain: list(ca.issue("CS 2", keyP256(), nil)), want: CauseWrongName},
		"no name":                     {chain: list(ca.issue("", keyP256(), nil)), want: CauseWrongName},
		"address":                     {chain: list(ca.issue("x", keyP256(), alsoFor("192.0.2.1"))), by: host("192.0.2.1")},
		"IPv6 address":                {chain: list(ca.issue("x", keyP256(), alsoFor("2001:db8::1"))), by: host("2001:db8::1")},
		"address as common name":      {chain: list(ca.issue("192.0.2.1", keyP256(), nil)), by: host("192.0.2.1")},
		"name for an address":         {chain: list(leaf), by: host("192.0.2.1"), want: CauseWrongName},
		"address for a name":          {chain: list(ca.issue("192.0.2.1", keyP256(), nil)), want: CauseWrongName},
		"second root":                 {chain: list(other.issue(csmsName, keyP256(), nil)), by: func(c *Criteria) { c.Roots = append(c.Roots, other.cert.Raw) }},
		"root that cannot be read":    {chain: list(leaf), by: func(c *Criteria) { c.Roots = [][]byte{{1, 2}, ca.cert.Raw} }},
		"wrong root":                  {chain: list(other.issue(csmsName, keyP256(), nil)), want: CauseUnknownIssuer},
		"wrong root that comes along": {chain: list(other.issue(csmsName, keyP256(), nil), other.cert), want: CauseUnknownIssuer},
		"root of the same name":       {chain: list(newAuthority("Root", keyP384()).issue(csmsName, keyP256(), nil)), want: CauseUnknownIssuer},
		"signed by itself":            {chain: list((*authority)(nil).issue(csmsName, keyP256(), nil)), want: CauseUnknownIssuer},
		"no roots":                    {chain: list(leaf), by: func(c *Criteria) { c.Roots = nil }, want: CauseUnknownIssuer},
		"intermediate given":          {chain: list(below, mid.cert)},
		"intermediate missing":        {chain: list(below), want: CauseUnknownIssuer},
		"intermediate over":           {chain: list(old.issue(csmsName, keyP256(), nil), old.cert), want: CauseExpired},
		"issued by no authority":      {chain: list((&authority{keyP384(), noCA}).issue(csmsName, keyP256(), nil), noCA), want: CauseUnknownIssuer},
		"expired":                     {chain: list(past), want: CauseExpired},
		"expired, clock not set":      {chain: list(past), by: func(c *Criteria) { c.AtMost = true }, want: CauseExpired},
		"not yet valid":               {chain: list(future), want: CauseNotYetValid},
		"root not yet valid":          {chain: list(leaf), by: at(today.Add(-4000 * aDay)), want: CauseNotYetValid},
		"root over":                   {chain: list(leaf), by: at(today.Add(4000 * aDay)), want: CauseExpired},
		"RSA 2048":                    {chain: list(rsa.issue(csmsName, keyRSA2048(), nil)), by: over},
		"RSA-PSS":                     {chain: list(rsa.issue(csmsName, keyP256(), func(t *x509.Certificate) { t.SignatureAlgorithm = x509.SHA256WithRSAPSS })), by: over},
		"RSA 1024":                    {chain: list(ca.issue(csmsName, keyRSA1024(), nil)), want: CauseWeakKey},
		"intermediate of RSA 1024":    {chain: list(weak.issue(csmsName, keyP256(), nil), weak.cert), want: CauseWeakKey},
		"root of RSA 1024": {chain: list(newAuthority("Weak root", keyRSA1024()).issue(csmsName, keyP256(), nil)),
			by: func(c *Criteria) { c.Roots = ders(newAuthority("Weak root", keyRSA1024()).cert) }, want: CauseWeakKey},
		"SHA-1":              {chain: list(rsa.issue(csmsName, keyP256(), func(t *x509.Certificate) { t.SignatureAlgorithm = x509.SHA1WithRSA })), by: over, want: CauseWeakSignature},
		"for a client":       {chain: list(use(x509.ExtKeyUsageClientAuth)), want: CauseWrongUse},
		"for a server":       {chain: list(use(x509.ExtKeyUsageServerAuth))},
		"caller":             {chain: list(use(x509.ExtKeyUsageClientAuth)), by: func(c *Criteria) { c.Caller = true }},
		"caller, a server":   {chain: list(use(x509.ExtKeyUsageServerAuth)), by: func(c *Criteria) { c.Caller = true }},
		"caller, for code":   {chain: list(use(x509.ExtKeyUsageCodeSigning)), by: func(c *Criteria) { c.Caller = true }, want: CauseWrongUse},
		"none":               {want: CauseMissing},
		"too many":           {chain: list(leaf, ca.cert, ca.cert, ca.cert, ca.cert, ca.cert, ca.cert, ca.cert, ca.cert), want: CauseTooLong},
		"too large":          {raw: [][]byte{leaf.Raw, make([]byte, MaxChainBytes)}, want: CauseTooLarge},
		"no certificate":     {raw: [][]byte{[]byte("hello")}, want: CauseMalformed},
		"cut":                {raw: [][]byte{leaf.Raw[:len(leaf.Raw)-1]}, want: CauseMalformed},
		"staple: good":       {chain: list(leaf), by: func(c *Criteria) { c.Staple = ca.staple(leaf, ocsp.Good) }},
		"staple: revoked":    {chain: list(leaf), by: func(c *Criteria) { c.Staple = ca.staple(leaf, ocsp.Revoked) }, want: CauseRevoked},
		"staple: unknown":    {chain: list(leaf), by: func(c *Criteria) { c.Staple = ca.staple(leaf, ocsp.Unknown) }},
		"staple: below":      {chain: list(below, mid.cert), by: func(c *Criteria) { c.Staple = mid.staple(below, ocsp.Revoked) }, want: CauseRevoked},
		"staple: of another": {chain: list(leaf), by: func(c *Criteria) { c.Staple = ca.staple(past, ocsp.Good) }, want: CauseBadStaple},
		"staple: forged":     {chain: list(leaf), by: func(c *Criteria) { c.Staple = other.staple(leaf, ocsp.Good) }, want: CauseBadStaple},
		"staple: no OCSP":    {chain: list(leaf), by: func(c *Criteria) { c.Staple = []byte("good") }, want: CauseBadStaple},
		"staple: try later":  {chain: list(leaf), by: func(c *Criteria) { c.Staple = ocsp.TryLaterErrorResponse }},
		"staple: by a station": {chain: list(leaf), by: func(c *Criteria) {
			c.Staple = must(ocsp.CreateResponse(ca.cert, noCA, ocsp.Response{Status: ocsp.Good, SerialNumber: leaf.SerialNumber, Certificate: noCA}, keyP384()))
		}, want: CauseBadStaple},
	}
}

// covers: A00.FR.308 A00.FR.309 A00.FR.411 A00.FR.412 A00.FR.501 A00.FR.502 A00.FR.503 A00.FR.504 A00.FR.510
func TestChainsAreJudged(t *testing.T) {
	for name, c := range chainCases() {
		t.Run(name, func(t *testing.T) {
			criteria := Criteria{Roots: ders(root().cert), Host: csmsName, At: today}
			if c.by != nil {
				c.by(&criteria)
			}
			chain := c.raw
			if chain == nil {
				chain = ders(c.chain...)
			}
			j, refusal := JudgeChain(chain, criteria)
			switch {
			case c.want == "" && refusal != nil:
				t.Fatalf("refused: %v", refusal)
			case c.want != "" && (refusal == nil || refusal.Code != c.want):
				t.Fatalf("got %v, want %s", refusal, c.want)
			case c.want != "" && cures[refusal.Code] == "":
				t.Errorf("%s without a next step", refusal.Code)
			case c.want == "" && (j.Provisional || len(j.Path) == 0 || criteria.At.Before(j.From) || criteria.At.After(j.Until)):
				t.Errorf("judged %v to %v, provisional %t", j.From, j.Until, j.Provisional)
			}
		})
	}
}

// Before anybody has set the clock, what is not valid yet passes, and nothing else does that would not.
func TestNotYetValidPassesWhileTheClockIsNotSet(t *testing.T) {
	for name, c := range chainCases() {
		if c.by != nil || c.raw != nil {
			continue
		}
		criteria := Criteria{Roots: ders(root().cert), Host: csmsName, At: today.Add(-5000 * aDay), AtMost: true}
		j, refusal := JudgeChain(ders(c.chain...), criteria)
		late := c.want == "" || c.want == CauseNotYetValid || c.want == CauseExpired
		if late != (refusal == nil) || refusal == nil && !j.Provisional || refusal != nil && refusal.Code != c.want {
			t.Errorf("%s: %v, provisional %t", name, refusal, j.Provisional)
		}
	}
}

// Of two roots with one key the first of the list is named as the one that vouches.
func TestTheFirstRootThatServesVouches(t *testing.T) {
	leaf := root().issue(csmsName, keyP256(), nil)
	again := newAuthority("Root", keyP256())
	for _, order := range [][][]byte{{root().cert.Raw, again.cert.Raw}, {again.cert.Raw, root().cert.Raw}} {
		j, refusal := JudgeChain(ders(leaf), Criteria{Roots: order, Host: csmsName, At: today})
		if refusal != nil || !bytes.Equal(j.Path[len(j.Path)-1], order[0]) {
			t.Errorf("refused %v, or not the first root", refusal)
		}
	}
}

func TestTimeOfAClockThatIsNotSet(t *testing.T) {
	mono := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(wall time.Time) time.Duration { return wall.Sub(mono) }
	for name, c := range map[string]struct {
		clock Clock
		want  time.Time
	}{
		"set":                  {Clock{Offset: at(today), Set: true, Floor: today.Add(aDay)}, today},
		"epoch":                {Clock{Offset: at(time.Unix(0, 0)), Floor: today}, today},
		"later than the floor": {Clock{Offset: at(today.Add(aDay)), Floor: today}, today.Add(aDay)},
		"much later":           {Clock{Offset: at(today.AddDate(73, 0, 0)), Floor: today}, today},
		"no floor":             {Clock{Offset: at(today)}, today},
		"set, and much later":  {Clock{Offset: at(today.AddDate(73, 0, 0)), Set: true, Floor: today}, today.AddDate(73, 0, 0)},
	} {
		if got := c.clock.at(mono); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A chain of any bytes is judged without a panic, and is trusted only with the certificate that is trusted in it.
func FuzzJudgeChain(f *testing.F) {
	leaf := root().issue(csmsName, keyP256(), nil)
	cases, good := chainCases(), map[string]bool{}
	for _, c := range cases {
		if len(c.chain) > 0 {
			f.Add(c.chain[0].Raw, c.chain[len(c.chain)-1].Raw, []byte(nil))
		}
	}
	f.Add(leaf.Raw, root().cert.Raw, root().staple(leaf, ocsp.Good))
	for _, c := range cases {
		if len(c.chain) > 0 {
			good[string(c.chain[0].RawTBSCertificate)] = true
		}
	}
	f.Fuzz(func(t *testing.T, first, second, staple []byte) {
		j, refusal := JudgeChain([][]byte{first, second}, Criteria{Roots: ders(root().cert), Host: csmsName, At: today, Staple: staple})
		if refusal != nil {
			if cures[refusal.Code] == "" {
				t.Errorf("%s without a next step", refusal.Code)
			}
			return
		}
		cert, err := x509.ParseCertificate(j.Path[0])
		if err != nil || !good[string(cert.RawTBSCertificate)] && !bytes.Equal(cert.RawTBSCertificate, leaf.RawTBSCertificate) {
			t.Errorf("trusts %q", j.Path[0])
		}
	})
}
