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
	url      string
	header   http.Header
	offer    []string // subprotocols, best first
	dialects []ocpp.Dialect
}

// newEndpoint checks the profile. Errors are *ProfileError.
func newEndpoint(p Profile, identity string, dialects []ocpp.Dialect) (endpoint, error) {
	invalid := func(format string, args ...any) (endpoint, error) {
		return endpoint{}, &ProfileError{p.Slot, "InvalidProfile", fmt.Sprintf(format, args...)}
	}
	if p.SecurityProfile < 0 || p.SecurityProfile > 1 {
		return endpoint{}, &ProfileError{p.Slot, "NotSupported", fmt.Sprintf("security profile %d", p.SecurityProfile)}
	}
	if identity == "" || utf8.RuneCountInString(identity) > MaxIdentity || strings.Contains(identity, ":") {
		return invalid("identity %q: 1 to %d characters without a colon", identity, MaxIdentity)
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Host == "":
		return invalid("url %q", redactURL(p.URL))
	case u.Scheme == "wss": // TLS without the rules of security profile 2 would only look safe
		return endpoint{}, &ProfileError{p.Slot, "NotSupported", "wss with security profile below 2"}
	case u.Scheme != "ws":
		return invalid("url scheme %q", u.Scheme)
	}
	e := endpoint{url: connectionURL(u, identity), header: http.Header{"User-Agent": {"evsed"}}}
	if p.SecurityProfile == 1 {
		if p.Password == "" {
			return invalid("no password for security profile 1")
		}
		credentials := base64.StdEncoding.EncodeToString([]byte(identity + ":" + p.Password))
		e.header.Set("Authorization", "Basic "+credentials) // A00.FR.202 to A00.FR.205
	}
	if e.dialects = choose(p.Versions, dialects); len(e.dialects) == 0 {
		return invalid("none of the versions %q is spoken", p.Versions)
	}
	for _, d := range e.dialects {
		e.offer = append(e.offer, d.Version().Subprotocol())
	}
	return e, nil
}

// connectionURL appends the identity, percent-encoded, to the path (part 4, 3.1.1). Credentials in the URL are dropped:
// only the security profile says how the station authenticates itself.
func connectionURL(u *url.URL, identity string) string {
	c := *u
	c.User, c.Fragment, c.RawFragment = nil, "", ""
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

// choose returns the dialects whose subprotocol is in versions, in that order; all of them if versions is empty.
func choose(versions []string, dialects []ocpp.Dialect) []ocpp.Dialect {
	if len(versions) == 0 {
		return dialects
	}
	var chosen []ocpp.Dialect
	for _, v := range versions {
		i := slices.IndexFunc(dialects, func(d ocpp.Dialect) bool { return d.Version().Subprotocol() == v })
		if i >= 0 && !slices.Contains(chosen, dialects[i]) {
			chosen = append(chosen, dialects[i])
		}
	}
	return chosen
}

// agreed returns the dialect of the subprotocol that the server chose. A server that chose none does not speak any of
// those offered (part 4, 3.2).
func (e *endpoint) agreed(subprotocol string) (ocpp.Dialect, bool) {
	for _, d := range e.dialects {
		if strings.EqualFold(d.Version().Subprotocol(), subprotocol) {
			return d, true
		}
	}
	return nil, false
}
