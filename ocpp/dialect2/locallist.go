package dialect2

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

var _ ocpp.Streamer = (*Dialect)(nil)

// sendLocalList reads D01 item by item into the stage.
func (d *Dialect) sendLocalList(payload string, big ocpp.Stage) (station.Request, error) {
	return ocpp.NewLocalList(listWords{d}, big).Request(payload)
}

// Stream reads a SendLocalList that is longer than a frame may be: a list of 100,000 tokens is some 20 MB.
func (d *Dialect) Stream(action string, big ocpp.Stage) (string, ocpp.Stream) {
	if action != "SendLocalList" {
		return "", nil
	}
	return ocpp.ListMember, ocpp.NewLocalList(listWords{d}, big)
}

// listWords are the names of a local list in this generation.
type listWords struct{ d *Dialect }

func (listWords) Names() (version, info string) { return "versionNumber", "idTokenInfo" }

func (listWords) Refuse(err error) *ocpp.RequestError { return refusal(err) }

func (w listWords) Read(payload string, l *ocpp.LocalList) (version int, full bool, err error) {
	w.d.body.Reset(payload, rpc.Limits{})
	defer w.d.body.Reset("", rpc.Limits{})
	var m msg2.SendLocalListRequest
	err = m.DecodeEach(&w.d.body, w.d.v, func(item *msg2.AuthorizationData) error {
		if item.IdToken.Type == "" {
			return untyped(l.Item() + ".idToken")
		}
		var info term.TokenInfo
		if item.IdTokenInfo.Has {
			info = tokenInfoOf(&item.IdTokenInfo.V)
		}
		return l.Add(tokenOf(&item.IdToken), info, !item.IdTokenInfo.Has)
	})
	return m.VersionNumber, m.UpdateType == msg2.UpdateFull, err
}
