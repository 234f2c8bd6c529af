package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/meter"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocppj"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// Goals of the codec: against ocpp-go, and in allocations of one message.
const (
	goalCodec        = 15.0
	goalEncodeAllocs = 0
	goalDecodeAllocs = 2
)

// codecs are the three ways to read and write one message.
type codecs struct {
	sample  sample
	frame   []byte
	message msg2.Message
	body    rpc.Body
	buf     []byte
	peer    *ocppj.Endpoint
	state   ocppj.ClientState
	request ocpp.Request
	plain   any
}

func newCodecs(s sample) (*codecs, error) {
	c := &codecs{sample: s, frame: s.call(), plain: s.plain(), state: ocppj.NewClientState()}
	var err error
	if c.message, err = s.message(); err != nil {
		return nil, err
	}
	c.peer = &ocppj.Endpoint{Profiles: []*ocpp.Profile{provisioning.Profile, meter.Profile, transactions.Profile}}
	c.peer.SetDialect(ocpp.V2)
	p, ok := c.peer.GetProfileForFeature(s.action)
	if !ok {
		return nil, fmt.Errorf("ocpp-go has no %s", s.action)
	}
	request := reflect.New(p.Features[s.action].GetRequestType()).Interface()
	if err := json.Unmarshal([]byte(s.text), request); err != nil {
		return nil, err
	}
	c.request = request.(ocpp.Request)
	return c, json.Unmarshal([]byte(s.text), c.plain)
}

// The whole way of a CALL: framing and payload, every rule of the schema checked - by encoding/json nothing is.

func (c *codecs) encodeOurs() (err error) {
	c.buf = rpc.OpenCall(c.buf[:0], callID, c.sample.action)
	if c.buf, err = msg2.AppendJSON(c.buf, c.message, rpc.V201); err != nil {
		return err
	}
	c.buf = append(c.buf, ']')
	return nil
}

func (c *codecs) encodeOCPPGo() error {
	call, err := c.peer.CreateCall(c.request)
	if err != nil {
		return err
	}
	_, err = call.MarshalJSON()
	return err
}

func (c *codecs) encodeJSON() error {
	_, err := json.Marshal([4]any{2, callID, c.sample.action, c.plain})
	return err
}

func (c *codecs) decodeOurs() error {
	f, err := rpc.Parse(c.frame, rpc.V201, rpc.Limits{})
	if err != nil {
		return err
	}
	c.body.Reset(f.Payload, rpc.Limits{})
	return msg2.Decode(&c.body, c.message, rpc.V201)
}

func (c *codecs) decodeOCPPGo() error {
	parts, err := ocppj.ParseRawJsonMessage(c.frame)
	if err != nil {
		return err
	}
	_, err = c.peer.ParseMessage(parts, c.state)
	return err
}

func (c *codecs) decodeJSON() error {
	var parts [4]json.RawMessage
	if err := json.Unmarshal(c.frame, &parts); err != nil {
		return err
	}
	return json.Unmarshal(parts[3], c.sample.plain())
}

func repeat(f func() error) func(int) {
	return func(n int) {
		for range n {
			if err := f(); err != nil {
				panic(err) // measured input is valid; main has checked it
			}
		}
	}
}

// codecSection compares the codecs.
func codecSection(o options) (*section, error) {
	s := &section{
		title: "Codec: one CALL of OCPP 2.0.1, from and to the wire",
		about: "Framing and payload with every check of the schema; encoding/json checks nothing. ocpp-go v0.19.0. The ratio is\n" +
			"how many times as long as evsed it took: the median lap by lap, and of the two fastest laps.",
		head: []string{"message", "bytes", "", "codec", "min", "median", "allocs", "ratio", "of min"},
	}
	for _, sample := range samples() {
		c, err := newCodecs(sample)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sample.action, err)
		}
		encode := race(o.laps, contender{"evsed", repeat(c.encodeOurs)}, contender{"ocpp-go", repeat(c.encodeOCPPGo)},
			contender{"encoding/json", repeat(c.encodeJSON)})
		decode := race(o.laps, contender{"evsed", repeat(c.decodeOurs)}, contender{"ocpp-go", repeat(c.decodeOCPPGo)},
			contender{"encoding/json", repeat(c.decodeJSON)})
		s.codec(sample, "encode", encode, goalEncodeAllocs)
		s.codec(sample, "decode+validate", decode, goalDecodeAllocs)
	}
	return s, nil
}

func (s *section) codec(m sample, what string, times []timing, allocs float64) {
	for _, t := range times {
		s.row(m.action, fmt.Sprint(len(m.call())), what, t.name, short(t.min), short(t.median), fmt.Sprintf("%.0f", t.allocs),
			fmt.Sprintf("%.1f", t.against(times[0])), fmt.Sprintf("%.1f", ratio(t.min, times[0].min)))
	}
	r := times[1].against(times[0])
	s.goal(r >= goalCodec, m.action+" "+what, fmt.Sprintf(">= %.0f x ocpp-go", goalCodec), "%.1f x", r)
	s.goal(times[0].allocs <= allocs, m.action+" "+what, fmt.Sprintf("<= %.0f allocs", allocs), "%.0f", times[0].allocs)
}
