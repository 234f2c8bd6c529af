package seed

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
)

// overSOAP tells whether a profile is one of SOAP: of a single version, since over SOAP nothing is agreed upon.
func overSOAP(versions []string) bool {
	return len(versions) == 1 && strings.HasPrefix(versions[0], "soap")
}

// soap reads what belongs to SOAP alone: where the station can be called, and what the CSMS is told of that.
func (d *decoder) soap(o *strict.Members, p *Profile) {
	if !overSOAP(p.Versions) {
		for _, key := range []string{"soapListen", "callbackUrl"} {
			if o.Value(key) != nil {
				o.Fail(key, `only for SOAP: want "ocpp":["soap1.6"] with it, or leave it out`)
			}
		}
		return
	}
	p.Listen = strict.Or(strict.Text(o, "soapListen", maxURL), "")
	if o.Value("soapListen") != nil {
		if _, port, err := net.SplitHostPort(p.Listen); err != nil || port == "" {
			o.Fail("soapListen", fmt.Sprintf("%q: want host:port, or :port for every interface", p.Listen))
		}
	}
	p.Callback = strict.Or(strict.Text(o, "callbackUrl", maxURL), "")
	u, err := url.Parse(p.Callback)
	switch {
	case o.Value("callbackUrl") == nil:
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "":
		o.Fail("callbackUrl", fmt.Sprintf("%q: want http://host:port/path", u.Redacted()))
	case p.Listen == "":
		o.Fail("callbackUrl", "nobody would answer there: want soapListen with it")
	}
}

// soapAddress checks the address of a CSMS over SOAP.
func (d *decoder) soapAddress(o *strict.Members, s string) {
	u, err := url.Parse(s)
	switch {
	case o.Value("url") == nil:
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		o.Fail("url", fmt.Sprintf("%q: want http://host:port/path", s))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		o.Fail("url", fmt.Sprintf("%q: want http://host:port/path without user, query and fragment", u.Redacted()))
	}
}
