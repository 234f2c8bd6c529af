package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"slices"
	"strings"
	"time"
)

// attack is one thing that a CSMS does to a station.
type attack struct {
	name  string
	run   func(*siege)
	wrote int  // bytes that may go to the device meanwhile; 0: not looked at
	quick bool // let loose in every run
	once  bool // long, or the same in every version: let loose in one of them, in the others with those of soak
	soak  bool // takes long
}

// attacks are those of a CSMS that speaks over a WebSocket, in the words of one version.
func attacks(w words) []attack {
	shared := slices.Concat([]attack{
		{name: "wrong arity and types", quick: true, run: texts(slices.Concat(misshapen, w.misshapen)...)},
		{name: "nesting: 10^6 lists in a frame", run: stuffed("", "[", 1e6, "")},
		{name: "nesting: 10^6 lists in a payload", quick: true, run: stuffed(`[2,"n2","DataTransfer",{"vendorId":"x","data":`, "[", 1e6, "}]")},
		{name: "nesting: 5*10^4 objects", run: stuffed(`[2,"n3","DataTransfer",{"vendorId":"x","data":`, `{"a":`, 5e4, "}]")},
		{name: "string of 64 MB", run: stuffed(`[2,"s1","DataTransfer",{"vendorId":"x","data":"`, "A", 64e6, `"}]`)},
		{name: "string of 15 MB", quick: true, run: stuffed(`[2,"s2","DataTransfer",{"vendorId":"x","data":"`, "A", 15e6, `"}]`)},
		{name: "string of 500 kB, escaped", quick: true, run: stuffed(`[2,"s3","DataTransfer",{"vendorId":"x","data":"`, `\u0041`, 8e4, `"}]`)},
		{name: "message id of 500 kB", run: stuffed(`[2,"`, "i", 5e5, `","Reset",{}]`)},
		{name: "action of 500 kB", quick: true, run: stuffed(`[2,"s4","`, "a", 5e5, `",{}]`)},
		{name: "white space of 500 kB", run: stuffed(`[2,"s5",`, " ", 5e5, `"Reset",{}]`)},
		{name: "bad UTF-8", quick: true, run: texts("[2,\"u1\",\"DataTransfer\",{\"vendorId\":\"\xff\xfe\"}]", "[2,\"u\xc0\x80\",\"Reset\",{}]", "\xed\xa0\x80", `[2,"u2","DataTransfer",{"vendorId":"\ud800"}]`)},
		{name: "binary message", once: true, run: sends(opBinary|fin, `[2,"b1","Reset",{}]`)},
		{name: "reserved bits", once: true, run: sends(opText|fin|0x30, `[2,"r1","Reset",{}]`)},
		{name: "unknown opcodes", once: true, run: sends(fin|0x3, "x", fin|0xb, "y")},
		{name: "masked frame", quick: true, run: masked},
		{name: "continuation of nothing", soak: true, run: sends(opContinuation|fin, "x")},
		{name: "text inside of a message", soak: true, run: sends(opText, "[2,", opText|fin, `[2,"f1","Reset",{}]`)},
		{name: "ping of 64 kB", once: true, run: sends(opPing|fin, strings.Repeat("p", 65000))},
		{name: "ping in fragments", soak: true, run: sends(opPing, "p")},
		{name: "close with a bad code", once: true, run: sends(opClose|fin, "\x00\x01bye")},
		{name: "close of one byte", soak: true, run: sends(opClose|fin, "\x03")},
		{name: "length of 2^63", once: true, run: rawBytes(append([]byte{opText | fin, 127}, bytes.Repeat([]byte{0xff}, 8)...))},
		{name: "length of 2^62", once: true, run: rawBytes([]byte{opText | fin, 127, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '['})},
		{name: "fragments of a byte", quick: true, run: fragments},
		{name: "fragments of nothing", once: true, run: emptyFragments},
		{name: "message without end", once: true, run: sends(opText, `[2,"e1","DataTransfer",{"vendorId":"`)},
		{name: "stall in a frame", once: true, run: stall(3 * time.Second)},
		{name: "compressed frame", once: true, run: bomb},
		{name: "drip in a frame", run: drip, soak: true},
	}, lists(), floods(), handshakes())
	if w.brief {
		for i := range shared {
			shared[i].quick = false
			shared[i].soak = shared[i].soak || shared[i].once
		}
	}
	return append(shared, w.attacks...)
}

// lists are of as many tokens as a list may have, and of more.
func lists() []attack {
	return []attack{
		{name: "SendLocalList of 10^5 tokens", quick: true, run: tokens(1e5, "Accepted")},
		{name: "SendLocalList of 1.2*10^5 tokens", once: true, run: tokens(12e4, "")},
		{name: "SendLocalList of 10^6 tokens", once: true, run: tokens(1e6, "")},
	}
}

// misshapen are messages of the wrong shape in any version.
var misshapen = []string{"", " ", "[]", "{}", "null", "2", `"x"`, "[2]", `[2,"m1"]`, `[2,"m2","Reset"]`, `[2,"m3","Reset",{},{}]`, `[2,"m4","Reset",[]]`,
	`[2,"m5","Reset",null]`, `[2,5,"Reset",{}]`, `[2,null,"Reset",{}]`, `["2","m6","Reset",{}]`, `[2.5,"m7","Reset",{}]`, `[1e999999999,"m8","Reset",{}]`,
	`[-2,"m9","Reset",{}]`, `[7,"m10","Reset",{}]`, `[99999999999999999999,"m11",{}]`, `[2,"m12",{},"Reset"]`, `[2,"m13","Reset",{"type":7}]`,
	`[2,"m14","Reset",{"type":"Sideways"}]`, `[2,"m15","Reset",{"type":"OnIdle","type":"Immediate"}]`, `[2,"m16","Reset",{"type":"OnIdle"}`, `[2,"m17","Reset",{"type":"OnIdle",}]`,
	`[2,"m18","Reset",{"typ":"OnIdle"}]x`, `[2,"","",{}]`, `[2,"m19","Nothing",{}]`, `[2,"m20","BootNotification",{}]`,
	`[6,"m30","NotifyPeriodicEventStream",{}]`, `[5,"m31","GenericError","",{}]`, `[4,"m32"]`, `[3,"m33"]`, `[3]`, `[4,"m34",7,7,7]`, "\x00", "[2,\"m35\",\"Re\x00set\",{}]"}

// texts sends messages, and expects to be answered still.
func texts(all ...string) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		for _, m := range all {
			p.write(m)
		}
		p.ask("GetLocalListVersion", `{}`)
	}
}

func stuffed(head, piece string, n int, tail string) func(*siege) {
	return func(s *siege) {
		if p := s.peer(); p.stuff(head, piece, n, tail) {
			p.askFor("GetLocalListVersion", `{}`, 5*time.Second)
		}
	}
}

// tokens sends a local list of n tokens in one message; it must be answered as said, with "" by an error or the end of the
// connection.
func tokens(n int, want string) func(*siege) {
	return func(s *siege) {
		got := s.list(n)
		for try := 1; want != "" && got == "" && try < mostTries; try++ {
			got = s.list(n) // while a message takes longer than some timeouts, on a disk that others write to, nothing can be answered
		}
		if want != "" && !strings.Contains(got, want) || want == "" && strings.HasPrefix(got, "[3,") && !strings.Contains(got, "Failed") {
			s.t.Errorf("list of %d tokens: answered %q", n, got)
		}
	}
}

// list sends a local list and returns the answer, "" if there is none.
func (s *siege) list(n int) string {
	p := s.peer()
	s.version++
	entry := func(i int) string { return fmt.Sprintf(s.words.token, uint64(i)*0x9e3779b97f4a7c15>>8, i%1000) }
	id := fmt.Sprintf("tokens-%d", s.version)
	head, tail := fmt.Sprintf(`[2,%q,"SendLocalList",{"localAuthorizationList":[`, id), fmt.Sprintf(`],%q:%d,"updateType":"Full"}]`, s.words.listVersion, s.version)
	answer := make(chan string, 1)
	p.mu.Lock()
	p.waiting[id] = answer
	p.mu.Unlock()
	p.writing.Lock()
	sent := p.part(append(header(opText|fin, len(head)+n*(len(entry(0))+1)-1+len(tail)), head...))
	for i := 0; i < n && sent; {
		var b strings.Builder
		for end := min(i+500, n); i < end; i++ {
			b.WriteString(entry(i))
			if i+1 < n {
				b.WriteByte(',')
			}
		}
		sent = p.part([]byte(b.String()))
	}
	if sent {
		p.part([]byte(tail))
	}
	p.writing.Unlock()
	patience := 20 * time.Second
	if !sent {
		patience = 0 // the station has hung up
	}
	select {
	case got := <-answer:
		return got
	case <-time.After(patience):
		return ""
	}
}

// sends sends frames: first byte, payload, first byte, payload … and waits until the station has taken offence, or not.
func sends(frames ...any) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		for i := 0; i < len(frames); i += 2 {
			p.send(byte(frames[i].(int)), []byte(frames[i+1].(string)))
		}
		p.askFor("GetLocalListVersion", `{}`, time.Second)
	}
}

func rawBytes(b []byte) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		p.raw(b)
		p.askFor("GetLocalListVersion", `{}`, time.Second)
	}
}

func masked(s *siege) {
	p := s.peer()
	text := []byte(`[2,"k1","DataTransfer",{"vendorId":"x"}]`)
	h := header(opText|fin, len(text))
	h[1] |= 0x80
	h = append(h, 1, 2, 3, 4)
	for i := range text {
		h = append(h, text[i]^byte(i%4+1))
	}
	p.raw(h)
	p.askFor("GetLocalListVersion", `{}`, time.Second)
}

// fragments sends a long message in frames of one byte, and a good one the same way.
func fragments(s *siege) {
	p := s.peer()
	p.send(opText, []byte(`[2,"f1","DataTransfer",{"vendorId":"`))
	p.repeat(p.raw, "\x00\x01A", 1e6)
	p.send(opContinuation|fin, []byte(`"}]`))
	p.ask("GetLocalListVersion", `{}`)
}

// emptyFragments sends frames that bring a message no further.
func emptyFragments(s *siege) {
	p := s.peer()
	p.send(opText, []byte(`[2,"f2","DataTransfer",{"vendorId":"`))
	p.repeat(p.raw, "\x00\x00", 1e6)
	p.send(opContinuation|fin, []byte(`"}]`))
	p.ask("GetLocalListVersion", `{}`)
}

// stall begins a frame and says nothing more, not even to a ping.
func stall(long time.Duration) func(*siege) {
	return func(s *siege) {
		p := s.peer()
		p.raw(append(header(opText|fin, 1000), `[2,"t1",`...))
		time.Sleep(long) // the station has its own time
	}
}

// drip sends a frame so slowly that something is always heard.
func drip(s *siege) {
	p := s.peer()
	p.raw(header(opText|fin, 1000))
	for range 90 {
		p.raw([]byte(" "))
		time.Sleep(time.Second) // the station has its own time
	}
}

// bomb sends what would be 64 MB, were compression spoken here.
func bomb(s *siege) {
	s.foe.mu.Lock()
	if s.foe.offered != "" {
		s.t.Errorf("the station offers extensions: %q", s.foe.offered)
	}
	s.foe.mu.Unlock()
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	fmt.Fprintf(w, `[2,"z1","DataTransfer",{"vendorId":"%s"}]`, strings.Repeat("A", 64e6))
	w.Flush()
	p := s.peer()
	p.send(opText|fin|rsv1, b.Bytes())
	p.askFor("GetLocalListVersion", `{}`, time.Second)
}
