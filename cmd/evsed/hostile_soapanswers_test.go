package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evsed/evsed/ocpp/soap"
)

// answerAttacks are answers to the station's own calls.
func answerAttacks(f *soapFoe) []attack {
	says := func(status, header, body string) func(*siege) {
		return answered(func(c net.Conn, _ *http.Request, _ soap.Message) { c.Write(whole(status, header, body)) })
	}
	return []attack{
		{name: "answers: gzip bomb", quick: true, run: says("200 OK", "Content-Encoding: gzip\r\n", zipped(64<<20))},
		{name: "answers: 64 MB", run: pours("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 64000000\r\n\r\n", "a", 64e6)},
		{name: "answers: chunks without end", run: pours("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nTransfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("a", 1024)+"\r\n", 1e5)},
		{name: "answers: without end or length", run: pours("HTTP/1.0 200 OK\r\n\r\n", "<a>", 1e7)},
		{name: "answers: 10 MB of headers", run: pours("HTTP/1.1 200 OK\r\n", "X-Flood: xxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 3e5)},
		{name: "answers: a header of 10 MB", run: pours("HTTP/1.1 200 OK\r\nX: ", "x", 1e7)},
		{name: "answers: 100 Continue for ever", run: pours("", "HTTP/1.1 100 Continue\r\n\r\n", 1e5)},
		{name: "answers: 103 with headers for ever", run: pours("", "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload; as=style\r\n\r\n", 1e5)},
		{name: "answers: garbage", run: pours("", "\x00\x01\x02", 1e5)},
		{name: "answers: nothing", run: pours("", "", 0)},
		{name: "answers: half", run: pours("HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 1000\r\n\r\n<a>", "", 0)},
		{name: "answers: redirect to itself", run: answered(func(c net.Conn, r *http.Request, _ soap.Message) {
			c.Write(whole("307 Temporary Redirect", "Location: http://"+r.Host+r.URL.Path+"\r\n", ""))
		})},
		{name: "answers: redirect elsewhere", run: says("302 Found", "Location: http://"+f.trap+"/\r\n", "")},
		{name: "answers: unauthorized", run: says("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "")},
		{name: "answers: switching protocols", run: says("101 Switching Protocols", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "")},
		{name: "answers: a page", run: says("200 OK", "", "<html><body>pay here</body></html>")},
		{name: "answers: entities", run: answered(func(c net.Conn, _ *http.Request, m soap.Message) {
			c.Write(whole("200 OK", "", "<!DOCTYPE a "+laughs()+">"+strings.Replace(body(f, m), "</", "&a12;</", 1)))
		})},
		{name: "answers: external entities", run: says("200 OK", "", `<!DOCTYPE a [<!ENTITY x SYSTEM "http://`+f.trap+`/">]><a>&x;</a>`)},
		{name: "answers: nesting", run: answered(func(c net.Conn, _ *http.Request, m soap.Message) {
			c.Write(whole("200 OK", "", strings.Replace(body(f, m), "<ocpp:", strings.Repeat("<a>", 1e5)+"<ocpp:", 1)))
		})},
		{name: "answers: 8*10^4 attributes", run: says("200 OK", "", "<a"+strings.Repeat(` a=""`, 8e4)+"/>")},
		{name: "answers: text of 400 kB", run: answered(func(c net.Conn, _ *http.Request, m soap.Message) {
			c.Write(whole("200 OK", "", strings.Replace(body(f, m), "</ocpp:", strings.Repeat("a", 4e5)+"</ocpp:", 1)))
		})},
		{name: "answers: of others", run: answered(func(c net.Conn, _ *http.Request, m soap.Message) {
			m.Operation = map[bool]string{true: "Heartbeat", false: "BootNotification"}[m.Operation != "Heartbeat"]
			c.Write(f.response(m, m.MessageID))
		})},
		{name: "answers: related to others", run: related},
		{name: "answers: two at once", run: twice},
		{name: "answers: faults", quick: true, run: faults("Sender", soap.InternalError, "no")},
		{name: "answers: faults of 400 kB", run: faults("Receiver", strings.Repeat("E", 2e5), strings.Repeat("d", 2e5))},
		{name: "answers: drip", soak: true, run: answered(func(c net.Conn, _ *http.Request, _ soap.Message) {
			for range 60 {
				if _, err := io.WriteString(c, "H"); err != nil {
					return
				}
				time.Sleep(time.Second) // the station has its own time
			}
		})},
	}
}

func zipped(n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.Copy(z, repeat(" ", n))
	z.Close()
	return b.String()
}

// body is the envelope that a good CSMS answers with.
func body(f *soapFoe, m soap.Message) string {
	_, text, _ := strings.Cut(string(f.response(m, m.MessageID)), "\r\n\r\n")
	return text
}

// answered lets the CSMS answer its own way, and hang up, until it has done so.
func answered(how func(net.Conn, *http.Request, soap.Message)) func(*siege) {
	return func(s *siege) {
		var n atomic.Int64
		s.soap.misbehave(func(c net.Conn, r *http.Request, m soap.Message) bool {
			if m.Operation == "BootNotification" {
				return false
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			how(c, r, m)
			n.Add(1)
			return true
		})
		s.until("the station has heard such an answer", func() bool { return n.Load() > 0 })
		s.soap.behave()
	}
}

func pours(head, piece string, n int) func(*siege) {
	return answered(func(c net.Conn, _ *http.Request, _ soap.Message) {
		io.WriteString(c, head)
		if n > 0 {
			io.Copy(c, repeat(piece, n))
		}
	})
}

// related answers as a good CSMS does, but to another message: HTTP tells to which.
func related(s *siege) {
	answered(func(c net.Conn, _ *http.Request, m soap.Message) { c.Write(s.soap.response(m, "urn:uuid:other")) })(s)
}

// twice answers, and once more what was not asked for.
func twice(s *siege) {
	answered(func(c net.Conn, _ *http.Request, m soap.Message) {
		c.Write(bytes.Repeat(s.soap.response(m, m.MessageID), 3))
		time.Sleep(200 * time.Millisecond) // the station has its own time
	})(s)
}

func faults(code soap.Code, sub, reason string) func(*siege) {
	return answered(func(c net.Conn, _ *http.Request, m soap.Message) {
		raw := soap.AppendFault(nil, m.Version, soap.CentralSystem, soap.Header{RelatesTo: m.MessageID}, soap.Fault{Code: code, Subcode: sub, Reason: reason})
		c.Write(whole(fmt.Sprintf("%d Fault", (&soap.Fault{Code: code}).Status()), "", string(raw)))
	})
}
