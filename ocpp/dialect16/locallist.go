package dialect16

import (
	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

var _ ocpp.Streamer = (*Dialect)(nil)

// sendLocalList reads 1.6, 5.15 item by item into the stage.
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

func (listWords) Names() (version, info string) { return "listVersion", "idTagInfo" }

func (listWords) Refuse(err error) *ocpp.RequestError { return refusal(err) }

func (w listWords) Read(payload string, l *ocpp.LocalList) (version int, full bool, err error) {
	w.d.body.Reset(payload, rpc.Limits{})
	defer w.d.body.Reset("", rpc.Limits{})
	var m msg16.SendLocalListRequest
	err = m.DecodeEach(&w.d.body, func(item *msg16.AuthorizationData) error {
		var info term.TokenInfo
		if item.IdTagInfo.Has {
			info = tokenInfoOf(&item.IdTagInfo.V)
		}
		return l.Add(tokenOf(item.IdTag), info, !item.IdTagInfo.Has)
	})
	return m.ListVersion, m.UpdateType == msg16.UpdateFull, err
}
