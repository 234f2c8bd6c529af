package dialect2

import (
	"fmt"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// sendLocalList reads D01 item by item into the stage; memory holds one item at a time. Members of an object come in any
// order, so that the kind of update may be known only when all items are staged.
func (d *Dialect) sendLocalList(payload string, big ocpp.Stage) (station.Request, error) {
	var m msg2.SendLocalListRequest
	l := staging{stage: big, firstRemoval: -1}
	d.body.Reset(payload, rpc.Limits{})
	defer d.body.Reset("", rpc.Limits{})
	err := m.DecodeEach(&d.body, d.v, l.add)
	if err == nil {
		err = l.check(&m)
	}
	if err != nil {
		l.abort()
		return nil, refusal(err)
	}
	return station.SendLocalList{
		Version: m.VersionNumber,
		Full:    m.UpdateType == msg2.UpdateFull,
		Stage:   l.id,
		Staged:  l.count,
	}, nil
}

// staging is one list on its way into the stage.
type staging struct {
	stage        ocpp.Stage
	id           station.StageID
	open         bool
	count        int
	firstRemoval int // index of the first item without idTokenInfo, -1 where there is none
}

// add stages one item. The stage keeps what it is given, so that nothing of the frame may reach it.
func (l *staging) add(item *msg2.AuthorizationData) error {
	if item.IdToken.Type == "" {
		return untyped(fmt.Sprintf("localAuthorizationList[%d].idToken", l.count))
	}
	if !l.open {
		id, err := l.stage.Begin()
		if err != nil {
			return fmt.Errorf("stage local list: %w", err)
		}
		l.id, l.open = id, true
	}
	remove := !item.IdTokenInfo.Has
	if remove && l.firstRemoval < 0 {
		l.firstRemoval = l.count
	}
	var info term.TokenInfo
	if !remove {
		info = tokenInfoOf(&item.IdTokenInfo.V)
	}
	if err := l.stage.Add(tokenOf(&item.IdToken), info, remove); err != nil {
		return fmt.Errorf("stage local list: %w", err)
	}
	l.count++
	return nil
}

// check refuses what the schemas let pass: a version below 1 (D01.FR.18), and in a full list an item without
// idTokenInfo, which only an update can take away (D01.FR.17; AuthorizationData requires it for Full).
func (l *staging) check(m *msg2.SendLocalListRequest) error {
	if m.VersionNumber < 1 {
		return invalid("versionNumber", "below 1")
	}
	if m.UpdateType == msg2.UpdateFull && l.firstRemoval >= 0 {
		return &rpc.DecodeError{
			Code:   rpc.OccurrenceConstraintViolation,
			Path:   fmt.Sprintf("localAuthorizationList[%d].idTokenInfo", l.firstRemoval),
			Reason: "required in a full list",
		}
	}
	return nil
}

func (l *staging) abort() {
	if l.open {
		l.stage.Abort()
	}
}
