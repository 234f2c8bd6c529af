package main

import (
	"fmt"
	"strings"
)

// handWritten are names that the package itself uses.
var handWritten = []string{"Message", "Version", "V201", "V21", "Opt", "Some", "Direction", "ActionInfo", "Actions", "Lookup",
	"NewRequest", "NewResponse", "FromStation", "FromCSMS", "Both", "Raw", "Decimal", "Profile", "Core", "FirmwareManagement",
	"LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger", "Security", "Action", "AppendJSON", "Decode", "Clear"}

// name gives every type, field and constant its Go name and refuses two things of one name.
func (m *model) name() error {
	taken := map[string]string{}
	take := func(name, who string) error {
		if other, ok := taken[name]; ok {
			return fmt.Errorf("%s and %s both want the name %s", other, who, name)
		}
		taken[name] = who
		return nil
	}
	for _, n := range handWritten {
		taken[n] = "the package"
	}
	for _, o := range m.objects {
		o.goName = strings.TrimSuffix(o.schema, "Type")
		if err := take(o.goName, o.schema); err != nil {
			return err
		}
		if err := nameFields(o); err != nil {
			return err
		}
	}
	for _, e := range m.enums {
		e.goName = strings.TrimSuffix(e.schema, "EnumType")
		if _, ok := taken[e.goName]; ok {
			e.goName += "Enum"
		}
		if err := take(e.goName, e.schema); err != nil {
			return err
		}
	}
	for _, e := range m.enums {
		for i := range e.values {
			v := &e.values[i]
			v.goName = e.goName + constName(v.text)
			if err := take(v.goName, e.schema+"."+v.text); err != nil {
				return err
			}
		}
	}
	return nil
}

func nameFields(o *object) error {
	seen := map[string]bool{}
	for _, f := range o.fields {
		f.goName = fieldName(f.name)
		if o.message && methods[f.goName] {
			f.goName += "Field"
		}
		if seen[f.goName] {
			return fmt.Errorf("%s: two fields %s", o.schema, f.goName)
		}
		seen[f.goName] = true
	}
	return nil
}

// methods are what a message has besides fields: Get15118EVCertificateRequest.action becomes ActionField.
var methods = map[string]bool{"Action": true, "AppendJSON": true, "Decode": true, "DecodeEach": true, "Reset": true}

// initialisms are leading words that Go spells in capitals; the longest match counts.
var initialisms = []struct{ from, to string }{
	{"iccid", "ICCID"}, {"imsi", "IMSI"}, {"ocppCsmsUrl", "OCPPCSMSURL"}, {"ocpp", "OCPP"}, {"evse", "EVSE"},
	{"apn", "APN"}, {"vpn", "VPN"}, {"ev", "EV"}, {"v2x", "V2X"}, {"sim", "SIM"}, {"soc", "SoC"}, {"ac", "AC"}, {"dc", "DC"},
	{"exi", "EXI"}, {"ocsp", "OCSP"}, {"csr", "CSR"}, {"id", "ID"}, {"iso15118", "ISO15118"},
}

// fieldName makes evseId EVSEID, idToken IdToken, limit_L2 LimitL2.
func fieldName(name string) string {
	name = leading(strings.ReplaceAll(name, "_", ""))
	switch {
	case strings.HasSuffix(name, "Id"):
		return strings.TrimSuffix(name, "Id") + "ID"
	case strings.HasSuffix(name, "Ids"):
		return strings.TrimSuffix(name, "Ids") + "IDs"
	case strings.HasSuffix(name, "Url"):
		return strings.TrimSuffix(name, "Url") + "URL"
	}
	return name
}

func leading(name string) string {
	for _, w := range initialisms {
		rest, ok := strings.CutPrefix(name, w.from)
		if !ok || rest != "" && !upper(rest[0]) || w.from == "id" && rest != "" {
			continue
		}
		return w.to + rest
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }
func digit(c byte) bool { return c >= '0' && c <= '9' }

// constName makes Energy.Active.Net EnergyActiveNet; a separator stays as _ only between two digits.
func constName(text string) string {
	var out []byte
	start := true
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case upper(c) || digit(c) || c >= 'a' && c <= 'z':
			if start && c >= 'a' {
				c -= 'a' - 'A'
			}
			out = append(out, c)
			start = false
		default:
			if i > 0 && i+1 < len(text) && digit(text[i-1]) && digit(text[i+1]) {
				out = append(out, '_')
			}
			start = true
		}
	}
	return string(out)
}

// actionOf returns the action of a message type.
func actionOf(message string) string {
	return strings.TrimSuffix(strings.TrimSuffix(message, "Request"), "Response")
}

// snake makes GetDERControl get_der_control.
func snake(name string) string {
	var out []byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		if upper(c) {
			lowerBefore := i > 0 && !upper(name[i-1])
			lowerAfter := i > 0 && i+1 < len(name) && name[i+1] >= 'a'
			if lowerBefore || lowerAfter {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}
