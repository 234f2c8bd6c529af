package dialect16

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// sendLocalList reads 1.6, 5.15 item by item into the stage; memory holds one item at a time. Members of an object come in
// any order, so that the kind of update may be known only when all items are staged.
func (d *Dialect) sendLocalList(payload string, big ocpp.Stage) (station.Request, error) {
	return (&listStream{d: d, l: staging{stage: big, firstRemoval: -1}}).Request(payload)
}

var _ ocpp.Streamer = (*Dialect)(nil)

// Stream reads a SendLocalList that is longer than a frame may be.
func (d *Dialect) Stream(action string, big ocpp.Stage) (string, ocpp.Stream) {
	if action != "SendLocalList" {
		return "", nil
	}
	return localList, &listStream{d: d, l: staging{stage: big, firstRemoval: -1}}
}

const localList = "localAuthorizationList"

// listStream is a SendLocalList that is being read.
type listStream struct {
	d       *Dialect
	l       staging
	payload []byte // the piece that is read, as a message; used again for the next
}

// Piece stages some items. They are read as those of a list of their own, so that the rules are the same.
func (s *listStream) Piece(piece []byte) error {
	const head, tail = `{"listVersion":1,"updateType":"Differential","` + localList + `":`, `}`
	s.payload = append(append(append(s.payload[:0], head...), piece...), tail...)
	first := s.l.count + 1 // the first of all comes last
	s.l.index = first
	var m msg16.SendLocalListRequest
	// Nothing of a piece is kept: add copies what it stages, and refusal makes a text of its own.
	if err := s.read(&m, unsafe.String(unsafe.SliceData(s.payload), len(s.payload))); err != nil {
		return refusal(atItem(err, first))
	}
	if s.l.count > rpc.DefaultStream {
		return refusal(&rpc.DecodeError{Code: rpc.OccurrenceConstraintViolation, Path: localList, Reason: fmt.Sprint("elements above ", rpc.DefaultStream)})
	}
	return nil
}

// Request reads the rest of a list, or all of it, and makes the request.
func (s *listStream) Request(payload string) (station.Request, error) {
	var m msg16.SendLocalListRequest
	s.l.index = 0
	err := s.read(&m, payload)
	if err == nil {
		err = s.l.check(&m)
	}
	if err != nil {
		s.Abort()
		return nil, refusal(err)
	}
	return station.SendLocalList{
		Version: m.ListVersion,
		Full:    m.UpdateType == msg16.UpdateFull,
		Stage:   s.l.id,
		Staged:  s.l.count,
	}, nil
}

// Abort gives the list up.
func (s *listStream) Abort() {
	if s.l.open {
		s.l.stage.Abort()
	}
}

func (s *listStream) read(m *msg16.SendLocalListRequest, payload string) error {
	s.d.body.Reset(payload, rpc.Limits{})
	defer s.d.body.Reset("", rpc.Limits{})
	return m.DecodeEach(&s.d.body, s.l.add)
}

// atItem moves what is wrong with an item of a piece to where the item stands in the list.
func atItem(err error, first int) error {
	var invalid *rpc.DecodeError
	if !errors.As(err, &invalid) {
		return err
	}
	rest, ok := strings.CutPrefix(invalid.Path, localList+"[")
	index, rest, found := strings.Cut(rest, "]")
	n, bad := strconv.Atoi(index)
	if !ok || !found || bad != nil {
		return err
	}
	moved := *invalid
	moved.Path = fmt.Sprintf("%s[%d]%s", localList, first+n, rest)
	return &moved
}

// staging is one list on its way into the stage.
type staging struct {
	stage        ocpp.Stage
	id           station.StageID
	open         bool
	count        int
	index        int // in the list, of the item that comes next
	firstRemoval int // index of the first item without idTagInfo, -1 where there is none
}

// add stages one item. The stage keeps what it is given, so that nothing of the frame may reach it.
func (l *staging) add(item *msg16.AuthorizationData) error {
	if !l.open {
		id, err := l.stage.Begin()
		if err != nil {
			return fmt.Errorf("stage local list: %w", err)
		}
		l.id, l.open = id, true
	}
	remove := !item.IdTagInfo.Has
	if remove && l.firstRemoval < 0 {
		l.firstRemoval = l.index
	}
	var info term.TokenInfo
	if !remove {
		info = tokenInfoOf(&item.IdTagInfo.V)
	}
	if err := l.stage.Add(tokenOf(item.IdTag), info, remove); err != nil {
		return fmt.Errorf("stage local list: %w", err)
	}
	l.count++
	l.index++
	return nil
}

// check refuses a version that says something else (errata 3.52), and in a full list an item without idTagInfo, which only
// an update can take away (1.6, 7.1).
func (l *staging) check(m *msg16.SendLocalListRequest) error {
	if m.ListVersion < 1 {
		return invalid("listVersion", "below 1")
	}
	if m.UpdateType == msg16.UpdateFull && l.firstRemoval >= 0 {
		return &rpc.DecodeError{
			Code:   rpc.OccurrenceConstraintViolation,
			Path:   fmt.Sprintf("localAuthorizationList[%d].idTagInfo", l.firstRemoval),
			Reason: "required in a full list",
		}
	}
	return nil
}
