package rpc

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		want     Frame
	}{
		{"call", `[2,"19","Heartbeat",{}]`, Frame{Type: Call, ID: "19", Action: "Heartbeat", Payload: "{}"}},
		{"white space", " [ 2 , \"1\",\n\"A\" ,\t{ \"a\" : 1 } ] ", Frame{Type: Call, ID: "1", Action: "A", Payload: `{ "a" : 1 }`}},
		{"null for no payload", `[2,"1","Heartbeat",null]`, Frame{Type: Call, ID: "1", Action: "Heartbeat", Payload: "{}"}},
		{"escaped id", `[2,"\u0041\n","A",{}]`, Frame{Type: Call, ID: "A\n", Action: "A", Payload: "{}"}},
		{"empty id", `[3,"",{}]`, Frame{Type: CallResult, Payload: "{}"}},
		{"36 characters of two bytes", `[3,"` + strings.Repeat("é", 36) + `",{}]`, Frame{Type: CallResult, ID: strings.Repeat("é", 36), Payload: "{}"}},
		{"number of any size", `[2,"1","A",{"a":-1e400}]`, Frame{Type: Call, ID: "1", Action: "A", Payload: `{"a":-1e400}`}},
		{"result", `[3,"1",{"status":"Accepted"}]`, Frame{Type: CallResult, ID: "1", Payload: `{"status":"Accepted"}`}},
		{"type as 2.0", `[2.0,"1","A",{}]`, Frame{Type: Call, ID: "1", Action: "A", Payload: "{}"}},
		{"error", `[4,"1","NotSupported","no",{"a":1}]`, Frame{Type: CallError, ID: "1", ErrorCode: NotSupported, ErrorDescription: "no", ErrorDetails: `{"a":1}`}},
		{"error to -1", `[4,"-1","RpcFrameworkError","",{}]`, Frame{Type: CallError, ID: "-1", ErrorCode: RpcFrameworkError, ErrorDetails: "{}"}},
		{"error spelled as in 1.6", `[4,"1","OccurenceConstraintViolation","",{}]`, Frame{Type: CallError, ID: "1", ErrorCode: OccurrenceConstraintViolation, ErrorDetails: "{}"}},
		{"error spelled as in 1.6", `[4,"1","FormationViolation","",{}]`, Frame{Type: CallError, ID: "1", ErrorCode: FormatViolation, ErrorDetails: "{}"}},
		{"error of its own", `[4,"1","Oops","",{}]`, Frame{Type: CallError, ID: "1", ErrorCode: "Oops", ErrorDetails: "{}"}},
		{"error cut short", `[4,"1","InternalError"]`, Frame{Type: CallError, ID: "1", ErrorCode: InternalError, ErrorDetails: "{}"}},
		{"error with null", `[4,"1","InternalError",null,null]`, Frame{Type: CallError, ID: "1", ErrorCode: InternalError, ErrorDetails: "{}"}},
		{"result error", `[5,"1","InternalError","",{}]`, Frame{Type: CallResultError, ID: "1", ErrorCode: InternalError, ErrorDetails: "{}"}},
		{"send", `[6,"1","NotifyPeriodicEventStream",{}]`, Frame{Type: Send, ID: "1", Action: "NotifyPeriodicEventStream", Payload: "{}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := []byte(tt.in)
			got, err := Parse(raw, V21, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			clear(raw) // the frame must not hold on to the caller's buffer
			if got != tt.want {
				t.Errorf("got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("x", 37)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	tests := []struct {
		name, in string
		v        Version
		answer   MessageType
		id       string
		code     ErrorCode
	}{
		{"nothing", ``, V201, CallError, "-1", RpcFrameworkError},
		{"no JSON", `hello`, V201, CallError, "-1", RpcFrameworkError},
		{"object", `{"a":1}`, V201, CallError, "-1", RpcFrameworkError},
		{"empty array", `[]`, V201, CallError, "-1", RpcFrameworkError},
		{"type alone", `[2]`, V201, CallError, "-1", RpcFrameworkError},
		{"byte order mark", "\ufeff[2,\"1\",\"A\",{}]", V201, CallError, "-1", RpcFrameworkError},
		{"type as text", `["2","7","A",{}]`, V201, CallError, "7", RpcFrameworkError},
		{"type null", `[null,"7","A",{}]`, V201, CallError, "7", RpcFrameworkError},
		{"type unknown", `[9,"7",{}]`, V201, CallError, "7", MessageTypeNotSupported},
		{"type negative", `[-2,"7",{}]`, V21, CallError, "7", MessageTypeNotSupported},
		{"type broken", `[2.5,"7",{}]`, V21, CallError, "7", MessageTypeNotSupported},
		{"send before 2.1", `[6,"7","A",{}]`, V201, CallError, "7", MessageTypeNotSupported},
		{"type unknown in 1.6", `[9,"7",{}]`, V16, 0, "7", MessageTypeNotSupported},
		{"id a number", `[2,7,"A",{}]`, V201, CallError, "-1", RpcFrameworkError},
		{"id too long", `[2,"` + long + `","A",{}]`, V201, CallError, "-1", RpcFrameworkError},
		{"id not UTF-8", "[2,\"\xff\",\"A\",{}]", V201, CallError, "-1", RpcFrameworkError},
		{"id half a pair", `[2,"\ud800","A",{}]`, V201, CallError, "-1", RpcFrameworkError},
		{"id of a result too long", `[3,"` + long + `",{}]`, V21, 0, "-1", RpcFrameworkError},
		{"no action", `[2,"7"]`, V201, CallError, "7", RpcFrameworkError},
		{"action a number", `[2,"7",1,{}]`, V201, CallError, "7", RpcFrameworkError},
		{"no payload", `[2,"7","A"]`, V201, CallError, "7", RpcFrameworkError},
		{"five elements", `[2,"7","A",{},{}]`, V201, CallError, "7", RpcFrameworkError},
		{"not closed", `[2,"7","A",{}`, V201, CallError, "7", RpcFrameworkError},
		{"data after", `[2,"7","A",{}]x`, V201, CallError, "7", RpcFrameworkError},
		{"two frames", `[2,"7","A",{}][2,"8","A",{}]`, V201, CallError, "7", RpcFrameworkError},
		{"payload a list", `[2,"7","A",[]]`, V201, CallError, "7", ProtocolError},
		{"payload text", `[2,"7","A","x"]`, V201, CallError, "7", ProtocolError},
		{"payload broken", `[2,"7","A",{"a":}]`, V201, CallError, "7", FormatViolation},
		{"payload cut off", `[2,"7","A",{"a":"b`, V201, CallError, "7", FormatViolation},
		{"payload not UTF-8", "[2,\"7\",\"A\",{\"a\":\"\xc3\x28\"}]", V201, CallError, "7", FormatViolation},
		{"payload too deep", `[2,"7","A",{"a":` + deep + `}]`, V201, CallError, "7", FormatViolation},
		{"result broken in 2.0.1", `[3,"7",{]`, V201, 0, "7", FormatViolation},
		{"result broken in 2.1", `[3,"7",{]`, V21, CallResultError, "7", FormatViolation},
		{"result of wrong arity", `[3,"7",{},1]`, V21, CallResultError, "7", RpcFrameworkError},
		{"error broken", `[4,"7",{]`, V21, 0, "7", RpcFrameworkError},
		{"error details broken", `[4,"7","InternalError","",{]`, V201, 0, "7", FormatViolation},
		{"result error broken", `[5,"7"]`, V21, 0, "7", RpcFrameworkError},
		{"send broken", `[6,"7","A",{]`, V21, 0, "7", FormatViolation},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.in), tt.v, Limits{})
			var e *FrameError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a FrameError", err)
			}
			if e.Answer != tt.answer || e.ID != tt.id || e.Code != tt.code {
				t.Errorf("got %d %q %s (%s), want %d %q %s", e.Answer, e.ID, e.Code, e.Reason, tt.answer, tt.id, tt.code)
			}
		})
	}
}

func TestParseTooLong(t *testing.T) {
	in := `[2,"7","A",{"a":"` + strings.Repeat("x", 200) + `"}]`
	_, err := Parse([]byte(in), V201, Limits{Frame: 100})
	var e *FrameError
	if !errors.As(err, &e) || e.Answer != CallError || e.ID != "7" || e.Code != FormatViolation {
		t.Fatalf("got %+v", err)
	}
	if _, err := Parse([]byte(in), V201, Limits{Frame: len(in)}); err != nil {
		t.Fatalf("a frame of exactly the limit: %v", err)
	}
	if e := TooLong([]byte(`[2,"7`), V201); e.Answer != CallError || e.ID != UnknownID {
		t.Fatalf("id cut off: %+v", e)
	}
	if e := TooLong([]byte(`[3,"7",{`), V201); e.Answer != 0 || e.ID != "7" {
		t.Fatalf("a result: %+v", e)
	}
}

func TestAppendFrames(t *testing.T) {
	payload := []byte(`{"a":1}`)
	long := strings.Repeat("é", 300)
	tests := []struct{ name, got, want string }{
		{"call", string(AppendCall(nil, `1"`, "A", payload)), `[2,"1\"","A",{"a":1}]`},
		{"send", string(AppendSend(nil, "1", "A", payload)), `[6,"1","A",{"a":1}]`},
		{"result", string(AppendCallResult(nil, "1", payload)), `[3,"1",{"a":1}]`},
		{"error", string(AppendCallError(nil, "1", NotSupported, "no\n")), `[4,"1","NotSupported","no\n",{}]`},
		{"result error", string(AppendCallResultError(nil, "1", NotSupported, "")), `[5,"1","NotSupported","",{}]`},
		{"long description", string(AppendCallError(nil, "1", NotSupported, long)), `[4,"1","NotSupported","` + strings.Repeat("é", 255) + `",{}]`},
		{"answer", string(AppendAnswer(nil, &FrameError{Answer: CallError, ID: "-1", Code: RpcFrameworkError, Reason: "x"})), `[4,"-1","RpcFrameworkError","x",{}]`},
		{"answer to a result", string(AppendAnswer(nil, &FrameError{Answer: CallResultError, ID: "1", Code: FormatViolation, Reason: "x"})), `[5,"1","FormatViolation","x",{}]`},
		{"silence", string(AppendAnswer(nil, &FrameError{ID: "1", Code: FormatViolation})), ``},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	buf, payload := make([]byte, 0, 256), []byte("{}")
	if n := testing.AllocsPerRun(100, func() {
		AppendCall(buf, "1", "Heartbeat", payload)
		AppendCallResult(buf, "1", payload)
		AppendCallError(buf, "1", NotSupported, "no")
	}); n != 0 {
		t.Errorf("writing frames: %v allocations", n)
	}
	raw := []byte(`[2,"7","Heartbeat",{"a":[1,2,{"b":"c"}]}]`)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Parse(raw, V201, Limits{}); err != nil {
			t.Error(err)
		}
	}); n > 1 {
		t.Errorf("parsing a frame: %v allocations, want its one copy", n)
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{`[2,"1","Heartbeat",{}]`, `[3,"1",{"a":[1.5e3,"\u00e9\ud83d\ude00",true,null]}]`, `[4,"1","NotSupported","",{}]`,
		`[5,"1","NotSupported","",{}]`, `[6,"1","A",{}]`, `[9,"x"]`, `[2,"1","A",{"a":"\`, "[2,\"\xff\"", `[[],"1"`} {
		for _, v := range []byte{0, 1, 2} {
			f.Add([]byte(s), v)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, version byte) {
		v := V16 + Version(version%3)
		frame, err := Parse(raw, v, Limits{Frame: 1 << 16})
		if err != nil {
			var e *FrameError
			if !errors.As(err, &e) || e.Code == "" || e.Reason == "" {
				t.Fatalf("not a whole answer: %+v", err)
			}
			if answer := AppendAnswer(nil, e); len(answer) > 0 {
				if _, err := Parse(answer, V21, Limits{}); err != nil {
					t.Fatalf("answer %s cannot be read: %v", answer, err)
				}
			}
			return
		}
		again := rebuild(frame)
		second, err := Parse(again, v, Limits{Frame: 1 << 20})
		if err != nil {
			t.Fatalf("%s, written again as %s: %v", raw, again, err)
		}
		frame.ErrorDetails, second.ErrorDetails = "", "" // we never send any
		if frame.ErrorDescription = cut(frame.ErrorDescription, MaxReason); frame != second {
			t.Fatalf("%+v became %+v", frame, second)
		}
	})
}

func rebuild(f Frame) []byte {
	switch f.Type {
	case Call:
		return AppendCall(nil, f.ID, f.Action, []byte(f.Payload))
	case Send:
		return AppendSend(nil, f.ID, f.Action, []byte(f.Payload))
	case CallResult:
		return AppendCallResult(nil, f.ID, []byte(f.Payload))
	case CallError:
		return AppendCallError(nil, f.ID, f.ErrorCode, f.ErrorDescription)
	}
	return AppendCallResultError(nil, f.ID, f.ErrorCode, f.ErrorDescription)
}
