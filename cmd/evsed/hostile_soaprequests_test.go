package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/link"
)

// forbidden is the value that requests which must be refused try to set.
const forbidden = "7777"

func soapAttacks(f *soapFoe) []attack {
	return slices.Concat(xmlAttacks(f), httpAttacks(), answerAttacks(f))
}

// change is a request that changes something, if it is believed.
var change = envelope("ChangeConfiguration", `{"key":"HeartbeatInterval","value":"`+forbidden+`"}`)

const (
	inHeader = "</soap:Header>"
	inBody   = "<ocpp:changeConfigurationRequest"
)

// before puts text in front of a part of the request.
func before(part, text string) string {
	if !strings.Contains(change, part) {
		panic("no " + part + " in " + change)
	}
	return strings.Replace(change, part, text+part, 1)
}

func swap(old, new string) string {
	if !strings.Contains(change, old) {
		panic("no " + old + " in " + change)
	}
	return strings.ReplaceAll(change, old, new)
}

func doctype(inside, value string) string {
	_, document, ok := strings.Cut(change, "?>")
	if !ok {
		document = change
	}
	return "<!DOCTYPE x " + inside + ">" + strings.Replace(document, forbidden, value, 1)
}

func laughs() string {
	var b strings.Builder
	b.WriteString(`[<!ENTITY a0 "` + forbidden + `">`)
	for i := range 12 {
		fmt.Fprintf(&b, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	return b.String() + "]"
}

// xmlAttacks are requests in sound HTTP.
func xmlAttacks(f *soapFoe) []attack {
	return []attack{
		{name: "entities and document types", quick: true, run: wrong(
			doctype(laughs(), "&a12;"), doctype(`[<!ENTITY a "`+strings.Repeat("7", 1e5)+`">]`, strings.Repeat("&a;", 1e4)), doctype(`[<!ENTITY a "7777">]`, "&a;"),
			doctype(`SYSTEM "http://`+f.trap+`/x.dtd"`, forbidden), doctype(`[<!ENTITY a SYSTEM "file:///etc/passwd">]`, "&a;"), doctype(`[<!ENTITY a SYSTEM "http://`+f.trap+`/">]`, "&a;"),
			doctype(`[<!ENTITY % a SYSTEM "http://`+f.trap+`/"> %a;]`, forbidden), doctype(`PUBLIC "-//X" "http://`+f.trap+`/x.dtd"`, forbidden), swap(forbidden, "&undefined;"+forbidden),
			before(inBody, `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://`+f.trap+`/"/>`), before(inBody, `<?php system("reboot"); ?>`))},
		{name: "name spaces and identities", quick: true, run: wrong(
			swap("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"), swap("urn://Ocpp/Cp/2015/10/", "urn://Ocpp/Cp/2012/06/"), swap("urn://Ocpp/Cp/2015/10/", "urn://Ocpp/Cs/2015/10/"),
			swap("urn://Ocpp/Cp/2015/10/", "urn:x"), swap("urn://Ocpp/Cp/2015/10/", ""), swap(">cp001<", "><"), swap(">cp001<", ">cp002<"), swap(">cp001<", ">cp001\x00<"), swap("cp001", "cp001<x/>"),
			before(inHeader, `<ocpp:chargeBoxIdentity xmlns:ocpp="urn://Ocpp/Cp/2015/10/">cp002</ocpp:chargeBoxIdentity>`), before(inHeader, `<x xmlns="urn:x" soap:mustUnderstand="true"/>`))},
		{name: "not well-formed", quick: true, run: wrong("", " ", "<", "<a", "hello", "[2,\"1\",\"Reset\",{}]", "\x00", "\xff\xfe<\x00a\x00", "<a/><b/>", "<a></b>", "</a>", change+change, change+"x", "x"+change, change[:len(change)/2],
			swap(forbidden, "&#0;"), swap(forbidden, "\xff"), swap(forbidden, "]]>"), swap(forbidden, "<![CDATA["+forbidden), before("</soap:Envelope>", "<soap:Body/>"), before(inBody, "<ocpp:clearCacheRequest/>"), before(inBody, "text"),
			swap("<ocpp:key>", `<ocpp:key a="1" a="2">`), swap("<ocpp:key>", `<ocpp:key xmlns:xml="urn:x">`), swap("ocpp:key", "nobody:key"), swap("changeConfigurationRequest", "changeConfigurationResponse"), `<?xml version="1.0" encoding="utf-16"?>`+change)},
		{name: "wrong words", quick: true, run: wrongSOAP},
		{name: "envelope of 64 MB", quick: true, run: streamed(swap(forbidden, "")[:strings.Index(change, forbidden)], "a", 64e6, change[strings.Index(change, forbidden)+4:])},
		{name: "nesting: 10^6 elements", run: streamed(head(inBody), "<a>", 1e6, "")},
		{name: "nesting: 5*10^4 elements", quick: true, run: streamed(head(inBody), "<a>", 5e4, strings.Repeat("</a>", 5e4)+tail(inBody))},
		{name: "nesting: in a header", run: streamed(head(inHeader), "<a>", 5e4, strings.Repeat("</a>", 5e4)+tail(inHeader))},
		{name: "attributes: 8*10^4 of an element", quick: true, run: streamed(head(inBody)+"<a", ` a=""`, 8e4, "/>"+tail(inBody))},
		{name: "attributes: 10^5 of the envelope", run: streamed("<a", ` b=""`, 1e5, "/>")},
		{name: "attributes: with signs in them", run: streamed(head(inBody)+"<a", ` a=">"`, 8e4, "/>"+tail(inBody))},
		{name: "name spaces: 2*10^4", run: streamed(head(inBody)+"<a", ` xmlns:a="u"`, 2e4, "/>"+tail(inBody))},
		{name: "headers: 10^4 in the envelope", run: streamed(head(inHeader), `<h xmlns="urn:h">x</h>`, 1e4, tail(inHeader))},
		{name: "elements: 10^5 in the body", run: streamed(head(inBody), `<a/>`, 1e5, tail(inBody))},
		{name: "elements: 5*10^4 to be skipped", run: streamed(head(inHeader)+`<h xmlns="urn:h">`, `<a>b</a>`, 5e4, "</h>"+strings.Replace(tail(inHeader), inBody, "<x/>"+inBody, 1))},
		{name: "name of 400 kB", run: streamed(head(inBody)+"<", "a", 4e5, "/>"+tail(inBody))},
		{name: "attribute of 400 kB", run: streamed(head(inBody)+`<a b="`, "a", 4e5, `"/>`+tail(inBody))},
		{name: "text of 400 kB", quick: true, run: streamed(head(forbidden), "a", 4e5, tail(forbidden))},
		{name: "text of references", run: streamed(head(forbidden), "&#65;", 8e4, tail(forbidden))},
		{name: "comment of 400 kB", run: streamed(head("</ocpp:changeConfigurationRequest>")+"<x/><!--", "a", 4e5, "-->"+tail("</ocpp:changeConfigurationRequest>"))},
		{name: "sections: 2*10^4 of CDATA", run: streamed(head(forbidden), "<![CDATA[a]]>", 2e4, tail(forbidden))},
		{name: "compression: 64 MB of gzip", quick: true, run: packed("gzip", 64<<20)},
		{name: "compression: 64 MB of deflate", run: packed("deflate", 64<<20)},
		{name: "compression: not what it says", run: codings},
		{name: "list: 10^6 keys", run: list("getConfigurationRequest", "<ocpp:key>a</ocpp:key>", 1e6)},
		{name: "list: 2*10^4 keys", quick: true, run: list("getConfigurationRequest", "<ocpp:key>a</ocpp:key>", 2e4)},
		{name: "list: 10^6 tokens", run: list("sendLocalListRequest", soapToken, 1e6)},
		{name: "list: 3000 tokens", run: list("sendLocalListRequest", soapToken, 3000)},
		{name: "list: 4000 periods", run: list("setChargingProfileRequest", "<ocpp:chargingSchedulePeriod><ocpp:startPeriod>0</ocpp:startPeriod><ocpp:limit>16</ocpp:limit></ocpp:chargingSchedulePeriod>", 4000)},
		{name: "addresses of others", quick: true, run: addressed},
		{name: "replayed message ids", run: replayed},
		{name: "flood: GetConfiguration", run: soapFlood(400, "GetConfiguration", func(int) string { return `{}` })},
		{name: "flood: ChangeConfiguration", wrote: mostWrote, run: soapFlood(600, "ChangeConfiguration", func(i int) string { return fmt.Sprintf(`{"key":"HeartbeatInterval","value":"%d"}`, 300+i) })},
		{name: "flood: TriggerMessage", run: soapFlood(400, "TriggerMessage", func(i int) string { return `{"requestedMessage":"MeterValues","connectorId":1}` })},
		{name: "flood: refused", wrote: mostWrote, run: soapFlood(400, "UnlockConnector", func(i int) string { return `{"connectorId":-1}` })},
	}
}

const soapToken = "<ocpp:localAuthorizationList><ocpp:idTag>ABCDEF</ocpp:idTag><ocpp:idTagInfo><ocpp:status>Accepted</ocpp:status></ocpp:idTagInfo></ocpp:localAuthorizationList>"

// head and tail are what stands around a place in the request.
func head(part string) string { return change[:strings.Index(change, part)] }
func tail(part string) string { return change[strings.Index(change, part):] }

// wrong posts envelopes, each of which must be refused with a status of HTTP.
func wrong(all ...string) func(*siege) {
	return func(s *siege) {
		for i, body := range all {
			if status, m := s.soap.post(strings.NewReader(body), ""); status < 400 || status == 401 {
				s.t.Errorf("envelope %d, %.300q: %d %+v", i, body, status, m)
			}
		}
	}
}

// wrongSOAP posts what the words of 1.6 cannot mean.
func wrongSOAP(s *siege) {
	for i, r := range []string{`<ocpp:resetRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"/>`,
		`<ocpp:resetRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:type>soft</ocpp:type></ocpp:resetRequest>`,
		`<ocpp:unlockConnectorRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:connectorId>1e9</ocpp:connectorId></ocpp:unlockConnectorRequest>`,
		`<ocpp:unlockConnectorRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:connectorId>2147483648</ocpp:connectorId></ocpp:unlockConnectorRequest>`,
		`<ocpp:remoteStopTransactionRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:transactionId>one</ocpp:transactionId></ocpp:remoteStopTransactionRequest>`,
		`<ocpp:remoteStartTransactionRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:idTag>` + strings.Repeat("A", 21) + `</ocpp:idTag></ocpp:remoteStartTransactionRequest>`,
		`<ocpp:reserveNowRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:connectorId>3</ocpp:connectorId><ocpp:expiryDate>tomorrow</ocpp:expiryDate><ocpp:idTag>A</ocpp:idTag><ocpp:reservationId>1</ocpp:reservationId></ocpp:reserveNowRequest>`,
		`<ocpp:changeAvailabilityRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"><ocpp:connectorId>1</ocpp:connectorId><ocpp:type>Inoperative</ocpp:type><ocpp:type>Operative</ocpp:type></ocpp:changeAvailabilityRequest>`,
		`<ocpp:getBaseReportRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"/>`, `<ocpp:heartbeatRequest xmlns:ocpp="urn://Ocpp/Cp/2015/10/"/>`} {
		open, end := strings.Index(change, inBody), strings.Index(change, "</soap:Body>")
		if status, m := s.soap.post(strings.NewReader(change[:open]+r+change[end:]), ""); status < 400 || m.Fault == nil || m.Fault.Subcode == "" {
			s.t.Errorf("words %d: %d %+v", i, status, m)
		}
	}
}

// repeating reads a piece n times.
type repeating struct {
	piece []byte
	left  int // bytes
	at    int
}

func (r *repeating) Read(p []byte) (n int, err error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	for n < len(p) && r.left > 0 {
		k := copy(p[n:min(len(p), n+r.left)], r.piece[r.at:])
		n, r.left, r.at = n+k, r.left-k, (r.at+k)%len(r.piece)
	}
	return n, nil
}

func repeat(piece string, n int) io.Reader { return &repeating{[]byte(piece), n * len(piece), 0} }

// streamed posts an envelope with a middle that is repeated, with a length and in chunks. It is never believed.
func streamed(head, piece string, n int, tail string) func(*siege) {
	return func(s *siege) {
		for _, length := range []int{len(head) + n*len(piece) + len(tail), -1} {
			body := io.MultiReader(strings.NewReader(head), repeat(piece, n), strings.NewReader(tail))
			r, err := http.NewRequest(http.MethodPost, s.soap.station(), body)
			if err != nil {
				s.t.Fatal(err)
			}
			r.ContentLength = int64(length)
			r.Header.Set("Content-Type", "application/soap+xml")
			response, err := s.soap.client.Do(r)
			if err != nil {
				continue // hung up on while it was sent
			}
			raw, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if strings.Contains(string(raw), ">Accepted<") {
				s.t.Errorf("length %d: %d %.300q", length, response.StatusCode, raw)
			}
		}
	}
}

// list posts a request with a list that is long.
func list(element, piece string, n int) func(*siege) {
	open, end := strings.Index(change, inBody), strings.Index(change, "</soap:Body>")
	first, last := "", ""
	switch element {
	case "sendLocalListRequest":
		first, last = "<ocpp:listVersion>7</ocpp:listVersion>", "<ocpp:updateType>Full</ocpp:updateType>"
	case "setChargingProfileRequest":
		first = "<ocpp:connectorId>1</ocpp:connectorId><ocpp:csChargingProfiles><ocpp:chargingProfileId>1</ocpp:chargingProfileId><ocpp:stackLevel>0</ocpp:stackLevel><ocpp:chargingProfilePurpose>TxDefaultProfile</ocpp:chargingProfilePurpose><ocpp:chargingProfileKind>Relative</ocpp:chargingProfileKind><ocpp:chargingSchedule><ocpp:chargingRateUnit>A</ocpp:chargingRateUnit>"
		last = "</ocpp:chargingSchedule></ocpp:csChargingProfiles>"
	}
	return streamed(change[:open]+`<ocpp:`+element+` xmlns:ocpp="urn://Ocpp/Cp/2015/10/">`+first, piece, n, last+`</ocpp:`+element+`>`+change[end:])
}

// packed posts a bomb.
func packed(coding string, n int64) func(*siege) {
	var b bytes.Buffer
	var z io.WriteCloser = gzip.NewWriter(&b)
	if coding == "deflate" {
		z = zlib.NewWriter(&b)
	}
	io.WriteString(z, head(inBody))
	io.Copy(z, repeat(" ", int(n)))
	z.Close()
	return func(s *siege) {
		for range 8 {
			if status, m := s.soap.post(bytes.NewReader(b.Bytes()), coding); status != 0 && status < 400 {
				s.t.Errorf("%s: %d %+v", coding, status, m)
			}
		}
	}
}

func codings(s *siege) {
	for _, c := range []string{"gzip", "deflate", "br", "gzip, gzip", "x-gzip", "identity, gzip", strings.Repeat("gzip,", 5000)} {
		if status, m := s.soap.post(strings.NewReader(change), c); status != 0 && status < 400 {
			s.t.Errorf("%.50q: %d %+v", c, status, m)
		}
	}
}

// addressed sends good requests that name a place to answer to. The answer comes on the connection, and nobody is called.
func addressed(s *siege) {
	const wsa = `xmlns:a="http://www.w3.org/2005/08/addressing"`
	good := envelope("GetConfiguration", `{"key":["HeartbeatInterval"]}`)
	trap := "http://" + s.soap.trap + "/"
	elsewhere := map[string]string{"ReplyTo": strings.Replace(good, "http://www.w3.org/2005/08/addressing/anonymous", trap, 1)}
	for _, header := range []string{"FaultTo", "From"} {
		elsewhere[header] = strings.Replace(good, inHeader, `<a:`+header+` `+wsa+`><a:Address>`+trap+`</a:Address></a:`+header+`>`+inHeader, 1)
	}
	for header, request := range elsewhere {
		if !strings.Contains(request, trap) {
			s.t.Fatalf("no %s in %s", header, request)
		}
		if status, m := s.soap.post(strings.NewReader(request), ""); status != 200 || !strings.Contains(string(m.Payload), "HeartbeatInterval") {
			s.t.Errorf("%s: %d %+v", header, status, m)
		}
		if status, m := s.soap.post(strings.NewReader(strings.Replace(request, inHeader, `<x xmlns="urn:x" soap:mustUnderstand="1"/>`+inHeader, 1)), ""); status < 400 {
			s.t.Errorf("%s of a fault: %d %+v", header, status, m)
		}
	}
	if n := s.soap.trapped.Load(); n > 0 {
		s.t.Errorf("the station called %d times where a message had told it to", n)
	}
}

func replayed(s *siege) {
	good := envelope("GetConfiguration", `{"key":["HeartbeatInterval"]}`)
	for range 100 {
		if status, m := s.soap.post(strings.NewReader(good), ""); status != 200 {
			s.t.Errorf("%d %+v", status, m)
		}
	}
}

// soapFlood sends n requests, a few at once, as fast as they are answered.
func soapFlood(n int, operation string, payload func(int) string) func(*siege) {
	return func(s *siege) {
		var wg sync.WaitGroup
		const at = 4
		for k := range at {
			wg.Go(func() {
				for i := k; i < n; i += at {
					s.soap.ask(operation, payload(i))
				}
			})
		}
		wg.Wait()
	}
}

// httpAttacks are on the station's server.
func httpAttacks() []attack {
	return []attack{
		{name: "HTTP: smuggling", quick: true, run: smuggled},
		{name: "HTTP: 10 MB of headers", run: poured("POST / HTTP/1.1\r\nHost: x\r\n", "X-Flood: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 25e4)},
		{name: "HTTP: 10^4 short headers", quick: true, run: poured("POST / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n", 1e4)},
		{name: "HTTP: a header of 10 MB", run: poured("POST / HTTP/1.1\r\nHost: x\r\nX: ", "x", 1e7)},
		{name: "HTTP: a line of 10 MB", run: poured("POST /", "x", 1e7)},
		{name: "HTTP: garbage", run: poured("", "\x16\x03\x01\x02\x00", 1e5)},
		{name: "HTTP: a frame of a WebSocket", run: poured("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n", "[2,", 1e3)},
		{name: "HTTP: chunks of a byte", run: poured(chunks, "1\r\na\r\n", 4e5)},
		{name: "HTTP: chunks with extensions", run: poured(chunks, "1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 1e4)},
		{name: "HTTP: a trailer of 10 MB", run: poured(chunks+"0\r\n", "X: yyyyyyyy\r\n", 1e6)},
		{name: "HTTP: chunks without end", run: poured(chunks, "400\r\n"+strings.Repeat("a", 1024)+"\r\n", 3e4)},
		{name: "HTTP: pipelined", run: poured("", soapRequest(change+"x"), 200)},
		{name: "HTTP: many connections", quick: true, run: crowd(300, "")},
		{name: "HTTP: many unfinished heads", run: crowd(100, "POST / HTTP/1.1\r\nHost: x\r\n")},
		{name: "HTTP: many unfinished bodies", quick: true, run: crowd(50, strings.TrimSuffix(soapRequest(envelope("GetConfiguration", `{}`)+strings.Repeat(" ", 4e5)), "  "))},
		{name: "HTTP: slow loris", soak: true, run: loris},
	}
}

const (
	post1  = "POST / HTTP/1.1\r\nHost: x\r\n"
	kind   = "Content-Type: application/soap+xml\r\n"
	coding = "Transfer-Encoding: chunked\r\n"
	chunks = post1 + kind + coding + "\r\n"
)

func soapRequest(body string) string {
	return fmt.Sprintf("%s%sContent-Length: %d\r\n\r\n%s", post1, kind, len(body), body)
}

// smuggled sends requests whose end two readers could find in two places. None is granted.
func smuggled(s *siege) {
	length := fmt.Sprintf("Content-Length: %d\r\n", len(change))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(change), change)
	for i, text := range []string{
		post1 + kind + length + coding + "\r\n" + chunked, post1 + kind + coding + length + "\r\n" + chunked, post1 + kind + "Content-Length: 4\r\n" + coding + "\r\n" + chunked,
		post1 + kind + length + "Content-Length: 3\r\n\r\n" + change, post1 + kind + length + length + "\r\n" + change, post1 + kind + "Content-Length: +" + length[16:] + "\r\n" + change,
		post1 + kind + "Content-Length : " + length[16:] + "\r\n" + change, post1 + kind + coding + coding + "\r\n" + chunked, post1 + kind + "Transfer-Encoding: xchunked\r\n\r\n" + chunked,
		post1 + kind + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunked, post1 + kind + "Transfer-Encoding: \vchunked\r\n\r\n" + chunked, post1 + kind + "Transfer-Encoding:\r\n chunked\r\n" + length + "\r\n" + change,
		strings.ReplaceAll(post1+kind+length+"\r\n", "\r\n", "\n") + change, post1 + kind + "X: a\nTransfer-Encoding: chunked\r\n" + length + "\r\n" + change, post1 + kind + "X: a\rContent-Length: 3\r\n" + length + "\r\n" + change,
		"POST / HTTP/1.1\r\n" + kind + length + "\r\n" + change, post1 + "Host: y\r\n" + kind + length + "\r\n" + change, chunks + "FFFFFFFFFFFFFFFFF\r\n" + change + "\r\n0\r\n\r\n", chunks + fmt.Sprintf("%x\n%s\r\n0\r\n\r\n", len(change), change),
		chunks + fmt.Sprintf("-%x\r\n%s\r\n0\r\n\r\n", len(change), change), chunks + fmt.Sprintf("0x%x\r\n%s\r\n0\r\n\r\n", len(change), change), soapRequest("x") + soapRequest(change), strings.Replace(soapRequest(change), "POST", "GET", 1),
		strings.Replace(soapRequest(change), "HTTP/1.1", "HTTP/0.9", 1), strings.Replace(soapRequest(change), "HTTP/1.1", "HTTP/2.0", 1), strings.Replace(soapRequest(change), kind, "Content-Type: text/xml\r\n", 1), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		if got := s.raw(text); strings.Contains(got, "HTTP/1.1 200") {
			s.t.Errorf("request %d, %.100q: %.200q", i, text, got)
		}
	}
}

// raw writes text to the station's server and returns what comes back before it hangs up.
func (s *siege) raw(text string) string {
	c := s.soap.dial()
	if c == nil {
		return ""
	}
	defer c.Close()
	go io.WriteString(c, text) // the station may hang up before it has read all
	got, _ := io.ReadAll(io.LimitReader(c, 1<<20))
	return string(got)
}

// poured writes a piece n times, or until the station hangs up.
func poured(head, piece string, n int) func(*siege) {
	return func(s *siege) {
		c := s.soap.dial()
		if c == nil {
			s.t.Error("the station does not listen")
			return
		}
		defer c.Close()
		if _, err := io.Copy(c, io.MultiReader(strings.NewReader(head), repeat(piece, n))); err != nil {
			return
		}
		_ = c.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(io.LimitReader(c, 1<<20)); strings.Contains(string(got), "HTTP/1.1 200") {
			s.t.Errorf("%.200q", got)
		}
	}
}

// crowd opens n connections at once, says something on each and holds them for a moment.
func crowd(n int, text string) func(*siege) {
	return func(s *siege) {
		before := s.number("status", "FDSize:")
		var all []net.Conn
		for range n {
			if c := s.soap.dial(); c != nil {
				all = append(all, c)
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
				_, _ = io.WriteString(c, text)
			}
		}
		time.Sleep(500 * time.Millisecond) // the station has its own time
		if f := s.look(); f.files > s.before.files+mostFiles+link.MaxSOAPConnections || before == 0 {
			s.t.Errorf("%d descriptors at once", f.files)
		}
		for _, c := range all {
			c.Close()
		}
	}
}

// loris says a byte a second on every connection that there may be, until the station has enough.
func loris(s *siege) {
	var wg sync.WaitGroup
	for range link.MaxSOAPConnections {
		wg.Go(func() {
			c := s.soap.dial()
			if c == nil {
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			for _, b := range []byte(soapRequest(change)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second) // the station has its own time
			}
			s.t.Error("a minute was not enough")
		})
	}
	wg.Wait()
}
