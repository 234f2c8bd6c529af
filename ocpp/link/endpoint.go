package link

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
)

// MaxIdentity is the longest identity in characters (part 4, 3.1.1).
const MaxIdentity = 48

// ProfileError says that a network profile cannot be used at all, so that trying again would change nothing.
type ProfileError struct {
	Slot   int
	Code   string // NotSupported for what this station does not offer, InvalidProfile for what cannot be meant
	Reason string
}

func (e *ProfileError) Error() string {
	return fmt.Sprintf("network profile %d: %s: %s", e.Slot, e.Code, e.Reason)
}

// endpoint is a network profile made ready to dial.
type endpoint struct {
	url    string
	header http.Header
	offer  []offer       // best first
	soap   *soapEndpoint // nil: a WebSocket
	silent bool          // the CSMS names no subprotocol: SilentSubprotocol
	tls    *security     // nil: in the clear
}

// offer is a subprotocol and the dialect that is spoken if the CSMS takes it.
type offer struct {
	name    string
	dialect ocpp.Dialect
}

func (e *endpoint) names() []string {
	names := make([]string, len(e.offer))
	for i := range e.offer {
		names[i] = e.offer[i].name
	}
	return names
}

// subprotocols are all that there are, best first. 2.0 was withdrawn before anybody spoke it; a CSMS that knows its name
// alone means 2.0.1.
var subprotocols = []struct {
	name    string
	version rpc.Version
}{
	{"ocpp2.1", rpc.V21}, {"ocpp2.0.1", rpc.V201}, {"ocpp2.0", rpc.V201}, {"ocpp1.6", rpc.V16},
}

// schemes are those of a CSMS' address.
var schemes = [...]string{"ws", "wss", "http", "https"}

func isTLS(scheme string) bool { return scheme == "wss" || scheme == "https" }

// hostOf returns the name or address of the CSMS, as its certificate has to have it.
func (e *endpoint) hostOf() string {
	u, err := url.Parse(e.url)
	if err != nil {
		return ""
	}
	host, _, _ := strings.Cut(u.Hostname(), "%") // without the zone of an IPv6 address
	return host
}

// newEndpoint checks the profile. Errors are *ProfileError.
func newEndpoint(p Profile, identity string, dialects []ocpp.Dialect, q Quirks) (endpoint, error) {
	invalid := func(format string, args ...any) (endpoint, error) {
		return endpoint{}, &ProfileError{p.Slot, "InvalidProfile", fmt.Sprintf(format, args...)}
	}
	if p.SecurityProfile < 0 || p.SecurityProfile > profileMTLS {
		return invalid("security profile %d", p.SecurityProfile)
	}
	if identity == "" || utf8.RuneCountInString(identity) > MaxIdentity || strings.Contains(identity, ":") {
		return invalid("identity %q: 1 to %d characters without a colon", identity, MaxIdentity)
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Host == "":
		return invalid("url %q", redactURL(p.URL))
	case !slices.Contains(schemes[:], u.Scheme):
		return invalid("url scheme %q", u.Scheme)
	case isTLS(u.Scheme) != (p.SecurityProfile >= profileTLS): // TLS without the rules of profile 2 would only look safe
		return invalid("%s with security profile %d", u.Scheme, p.SecurityProfile)
	}
	e := endpoint{url: connectionURL(u, identity, q), header: http.Header{"User-Agent": {"evsed"}}, silent: q.has(SilentSubprotocol)}
	if p.SecurityProfile == 1 || p.SecurityProfile == profileTLS {
		if p.Password == "" {
			return invalid("no password for security profile %d", p.SecurityProfile)
		}
		credentials := base64.StdEncoding.EncodeToString([]byte(identity + ":" + q.password(p.Password)))
		e.header.Set("Authorization", "Basic "+credentials) // A00.FR.202 to A00.FR.205, A00.FR.301 to A00.FR.304
	}
	if strings.HasPrefix(u.Scheme, "http") {
		return newSOAPEndpoint(p, u, identity, e.header, dialects)
	}
	if e.offer = choose(p.Versions, dialects); len(e.offer) == 0 {
		return invalid("none of the versions %q is spoken", p.Versions)
	}
	return e, nil
}

// connectionURL appends the identity, percent-encoded, to the path (part 4, 3.1.1). Credentials in the URL are dropped:
// only the security profile says how the station authenticates itself.
func connectionURL(u *url.URL, identity string, q Quirks) string {
	c := *u
	c.User, c.Fragment, c.RawFragment = nil, "", ""
	if q.has(FullURL) {
		return c.String()
	}
	raw := strings.TrimSuffix(c.EscapedPath(), "/") + "/" + url.PathEscape(identity)
	c.Path = strings.TrimSuffix(c.Path, "/") + "/" + identity
	c.RawPath = raw
	return c.String()
}

// redactURL returns s without what stands before an @.
func redactURL(s string) string {
	if _, host, found := strings.Cut(s, "@"); found {
		return "…@" + host
	}
	return s
}

// choose returns what a profile that lists versions may offer, in its order; all that is spoken if it lists none.
func choose(versions []string, dialects []ocpp.Dialect) []offer {
	if len(versions) == 0 {
		for _, p := range subprotocols {
			versions = append(versions, p.name)
		}
	}
	var chosen []offer
	for _, name := range versions {
		if slices.ContainsFunc(chosen, func(o offer) bool { return o.name == name }) {
			continue
		}
		if d := spoken(name, dialects); d != nil {
			chosen = append(chosen, offer{name, d})
		}
	}
	return chosen
}

// spoken returns the dialect of a subprotocol, nil if it is not spoken.
func spoken(name string, dialects []ocpp.Dialect) ocpp.Dialect {
	for _, p := range subprotocols {
		if p.name != name {
			continue
		}
		for _, d := range dialects {
			if _, over := d.(soapDialect); !over && d.Version() == p.version {
				return d
			}
		}
	}
	return nil
}

// agreed returns the offer that the server took. A server that chose none does not speak any of those offered (part 4, 3.2).
func (e *endpoint) agreed(subprotocol string) (offer, bool) {
	for _, o := range e.offer {
		if strings.EqualFold(o.name, subprotocol) {
			return o, true
		}
	}
	if e.silent && subprotocol == "" {
		return e.offer[len(e.offer)-1], true
	}
	return offer{}, false
}
