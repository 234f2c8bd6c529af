package seed

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/model"
)

// Bounds of network profiles.
const (
	maxProfiles       = 16
	maxSlot           = 16
	maxURL            = 512 // NetworkConnectionProfileType.ocppCsmsUrl, 2.0.1
	maxPassword       = 64  // SecurityCtrlr.BasicAuthPassword
	maxMessageTimeout = 600 // s
	defaultTimeout    = 30  // s
	usualSlots        = 3
)

// spoken are the words of csms[].ocpp: the subprotocols of a WebSocket, best first, and the versions over SOAP.
var spoken = []string{"ocpp2.1", "ocpp2.0.1", "ocpp2.0", "ocpp1.6", "soap1.6", "soap1.5", "soap1.2"}

func (d *decoder) networks(top *strict.Members) {
	top.Need("csms", `[{"url":"ws://host:port/path"}]`)
	var passwords []string
	top.Each("csms", maxProfiles, func(i int, v *strict.Value) {
		p, password := d.network(i, v)
		if slices.ContainsFunc(d.s.Profiles, func(q Profile) bool { return q.Slot == p.Slot }) {
			d.Fail(v, fmt.Sprintf("slot %d is taken: give each its own", p.Slot))
		}
		d.s.Profiles, passwords = append(d.s.Profiles, p), append(passwords, password)
	})
	if v := top.Value("csms"); v != nil && len(d.s.Profiles) == 0 {
		top.Fail("csms", `empty: want [{"url":"ws://host:port/path"}]`)
	}
	if d.Err() != nil {
		return
	}
	d.passwords(passwords)
	d.offered()
	d.slots()
}

func (d *decoder) network(i int, v *strict.Value) (p Profile, password string) {
	o := d.Object(v, "slot", "url", "ocpp", "securityProfile", "basicAuthPassword", "messageTimeoutS", "soapListen", "callbackUrl")
	o.Need("url", "ws://host:port/path")
	p.Slot = strict.Or(strict.Int(o, "slot", 1, maxSlot), i+1)
	p.Versions = d.versions(o)
	d.soap(o, &p)
	p.URL = d.address(o, overSOAP(p.Versions))
	p.MessageTimeout = time.Duration(strict.Or(strict.Int(o, "messageTimeoutS", 1, maxMessageTimeout), defaultTimeout)) * time.Second
	password = strict.Or(strict.Text(o, "basicAuthPassword", maxPassword), "")
	p.SecurityProfile = d.securityProfile(o, isTLS(p.URL), password != "")
	if isTLS(p.URL) && p.Callback != "" && !isTLS(p.Callback) {
		o.Fail("callbackUrl", fmt.Sprintf("%q: with TLS the station is called by https", redacted(p.Callback)))
	}
	return p, password
}

// securityProfile is the one that the address and the credentials mean: 0 with neither TLS nor a password, 1 with a password,
// 2 with both, 3 with TLS alone. One that is given has to agree.
func (d *decoder) securityProfile(o *strict.Members, tls, password bool) int {
	meant := 0
	switch {
	case tls && password:
		meant = 2
	case tls:
		meant = 3
	case password:
		meant = 1
	}
	n := strict.Int(o, "securityProfile", 0, 3)
	switch {
	case n == nil:
		return meant
	case o.Value("url") == nil:
	case *n >= 2 && !tls:
		o.Fail("url", fmt.Sprintf("security profile %d is TLS: want wss://, over SOAP https://", *n))
	case *n < 2 && tls:
		o.Fail("securityProfile", fmt.Sprintf("%d: the url has TLS: want 2, or 3 with a certificate of the station", *n))
	case (*n == 1 || *n == 2) && !password:
		o.Need("basicAuthPassword", fmt.Sprintf("a password, which security profile %d asks for", *n))
		o.Fail("basicAuthPassword", fmt.Sprintf("empty: security profile %d asks for a password", *n))
	}
	return *n
}

func isTLS(address string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(address), ":")
	return scheme == "wss" || scheme == "https"
}

func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "…"
	}
	return u.Redacted()
}

// trusted tells whether there is what TLS asks for: nobody is trusted by himself.
func (d *decoder) trusted(top *strict.Members) {
	for _, p := range d.s.Profiles {
		switch own := d.s.Security.Station.Certificates != ""; {
		case p.SecurityProfile < 2 || d.Err() != nil:
		case d.s.Security.Roots[0] == "":
			top.Need("security", fmt.Sprintf(`{"csmsRootCertificates":"FILE"}, which security profile %d asks for`, p.SecurityProfile))
			top.Fail("security", fmt.Sprintf("security profile %d asks for csmsRootCertificates", p.SecurityProfile))
		case !own && p.SecurityProfile == 3:
			top.Fail("security", "security profile 3 asks for chargingStationCertificateDir and chargingStationKeyDir")
		case !own && p.Listen != "":
			top.Fail("security", "soapListen with TLS asks for chargingStationCertificateDir and chargingStationKeyDir")
		}
	}
}

func (d *decoder) address(o *strict.Members, soap bool) string {
	s := strict.Or(strict.Text(o, "url", maxURL), "")
	if soap {
		d.soapAddress(o, s)
		return s
	}
	u, err := url.Parse(s)
	switch {
	case o.Value("url") == nil:
	case err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss":
		o.Fail("url", fmt.Sprintf("%q: want ws://host:port/path", s))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		o.Fail("url", fmt.Sprintf("%q: want ws://host:port/path without user, query and fragment", u.Redacted()))
	}
	return s
}

// versions reads the subprotocols to offer, or the version over SOAP. nil: all subprotocols that there are.
func (d *decoder) versions(o *strict.Members) []string {
	var got []string
	o.Each("ocpp", len(spoken), func(_ int, v *strict.Value) {
		switch {
		case v.Kind != strict.String || !slices.Contains(spoken, v.Text):
			d.Fail(v, fmt.Sprintf("%q: want %s", v.Text, strict.Words(v.Text, spoken)))
		case slices.Contains(got, v.Text):
			d.Fail(v, fmt.Sprintf("%q: given twice: keep one", v.Text))
		case len(got) > 0 && strings.HasPrefix(v.Text, "soap") != strings.HasPrefix(got[0], "soap"), overSOAP(got):
			d.Fail(v, fmt.Sprintf("%q: a version over SOAP stands alone: put it into a profile of its own", v.Text))
		default:
			got = append(got, v.Text)
		}
	})
	if o.Value("ocpp") != nil && len(got) == 0 {
		o.Fail("ocpp", "empty: want "+strings.Join(spoken, " or "))
	}
	return got
}

// passwords makes the first password that of the station (SecurityCtrlr.BasicAuthPassword, which a CSMS may change
// later); a profile with another one gets its own.
func (d *decoder) passwords(list []string) {
	common := ""
	for i, password := range list {
		switch {
		case password == "":
		case common == "":
			common = password
			d.override("SecurityCtrlr", "BasicAuthPassword", password)
		case password != common:
			d.s.Profiles[i].Password = password
		}
	}
}

// offered makes the list of versions that all profiles share that of the station (OCPPCommCtrlr.OfferedVersions, which a CSMS
// may change later). Where they differ each keeps its own.
func (d *decoder) offered() {
	common := d.s.Profiles[0].Versions
	for _, p := range d.s.Profiles {
		if overSOAP(p.Versions) || !slices.Equal(p.Versions, common) {
			return
		}
	}
	if common == nil {
		return
	}
	for i := range d.s.Profiles {
		d.s.Profiles[i].Versions = nil
	}
	d.override("OCPPCommCtrlr", "OfferedVersions", strings.Join(common, ","))
}

// slots lists the slots, and the order in which they are tried where it is not the default.
func (d *decoder) slots() {
	most := usualSlots
	var order []string
	for _, p := range d.s.Profiles {
		most = max(most, p.Slot)
		order = append(order, strconv.Itoa(p.Slot))
	}
	for n := 1; n <= most; n++ {
		d.s.Slots = append(d.s.Slots, n)
	}
	d.override("OCPPCommCtrlr", "NetworkConfigurationPriority", strings.Join(order, ","))
}

func (d *decoder) override(component, variable, value string) {
	d.s.Overrides = append(d.s.Overrides, model.SetItem{
		Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value,
	})
}

// Install puts the profiles of the seed into a station at its first boot, before Start, and returns the records to
// keep.
func (s *Seed) Install(to *station.Station) ([]station.Record, error) {
	var records []station.Record
	for _, p := range s.Profiles {
		r, err := to.SeedProfile(p.Slot, p.NetworkProfile)
		if err != nil {
			return nil, fmt.Errorf("install network profile %d: %w", p.Slot, err)
		}
		records = append(records, r)
	}
	return records, nil
}
