package main

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/dialect16"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/sim"
	"github.com/evsed/evsed/station/model"
)

// keys16 are the configuration keys of OCPP 1.6 of a station: the fitter says of them what a CSMS would.
type keys16 struct{ evses []station.EVSE }

var _ sim.Keys = keys16{}

// ask has the dialect read a request.
func (k keys16) ask(m msg16.Message) station.Request {
	payload, err := msg16.AppendJSON(nil, m)
	if err != nil {
		return nil // a name or a value that no message can carry is none of a key
	}
	r, err := dialect16.New(k.evses).Request(msg16.Action(m), string(payload), ocpp.NewTable(), nil)
	if err != nil {
		return nil
	}
	return r
}

// Set returns the variables that a key stands for, with their values.
func (k keys16) Set(key, value string) []model.SetItem {
	r, _ := k.ask(&msg16.ChangeConfigurationRequest{Key: key, Value: value}).(station.SetVariables)
	return r.Items
}

// List asks for one key.
func (k keys16) List(key string) station.Request {
	if r, ok := k.ask(&msg16.GetConfigurationRequest{Key: []string{key}}).(station.ListVariables); ok {
		return r
	}
	return station.ListVariables{Names: []string{key}}
}

// Read finds the key in the answer.
func (k keys16) Read(asked station.Request, answer station.Inventory) (sim.KeyValue, bool) {
	payload, err := dialect16.New(k.evses).Respond(nil, "GetConfiguration", asked, answer)
	var m msg16.GetConfigurationResponse
	var b rpc.Body
	b.Reset(string(payload), rpc.Limits{})
	if err != nil || msg16.Decode(&b, &m) != nil || len(m.ConfigurationKey) == 0 {
		return sim.KeyValue{}, false
	}
	v := &m.ConfigurationKey[0]
	return sim.KeyValue{Key: v.Key, Value: v.Value.V, HasValue: v.Value.Has, ReadOnly: v.Readonly}, true
}
