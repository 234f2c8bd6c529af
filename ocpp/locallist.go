package ocpp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// ListMember is the member of SendLocalList that has the items, in every generation.
const ListMember = "localAuthorizationList"

// ListWords is what differs from one generation to the next where a SendLocalList is read.
type ListWords interface {
	// Names returns how the version and an item's info are called.
	Names() (version, info string)
	// Read decodes a payload, gives each item to l.Add, and returns the version and whether the list is a full one. Nothing
	// that it gives may be a part of payload, which is used again.
	Read(payload string, l *LocalList) (version int, full bool, err error)
	// Refuse is the CALLERROR for what went wrong.
	Refuse(err error) *RequestError
}

// LocalList is a SendLocalList on its way into a stage (2.x, D01; 1.6, 5.15): whole or in pieces, so that memory holds one
// item at a time. Members of an object come in any order, so that the kind of update may be known only when all items are
// staged. It is a Stream.
type LocalList struct {
	words        ListWords
	stage        Stage
	id           station.StageID
	open         bool
	count        int
	index        int    // in the list, of the item that comes next
	firstRemoval int    // index of the first item without info, -1 where there is none
	payload      []byte // the piece that is read, as a message; used again for the next
}

// NewLocalList begins to read a list.
func NewLocalList(words ListWords, stage Stage) *LocalList {
	return &LocalList{words: words, stage: stage, firstRemoval: -1}
}

// Item is the path of the item that is being read.
func (l *LocalList) Item() string { return itemPath(l.index) }

func itemPath(n int) string { return fmt.Sprintf("%s[%d]", ListMember, n) }

// Add stages one item. The stage keeps what it is given. remove is set for an item without info.
func (l *LocalList) Add(token term.IdToken, info term.TokenInfo, remove bool) error {
	if !l.open {
		id, err := l.stage.Begin()
		if err != nil {
			return fmt.Errorf("stage local list: %w", err)
		}
		l.id, l.open = id, true
	}
	if remove && l.firstRemoval < 0 {
		l.firstRemoval = l.index
	}
	if err := l.stage.Add(token, info, remove); err != nil {
		return fmt.Errorf("stage local list: %w", err)
	}
	l.count++
	l.index++
	return nil
}

// Piece stages some items. They are read as those of a list of their own, so that the rules are the same. Errors are
// *RequestError.
func (l *LocalList) Piece(piece []byte) error {
	version, _ := l.words.Names()
	l.payload = append(append(append(append(l.payload[:0], `{"`...), version...), `":1,"updateType":"Differential","`+ListMember+`":`...), piece...)
	l.payload = append(l.payload, '}')
	first := l.count + 1 // the first of all comes last
	l.index = first
	// The pieces of a list of 20 MB share one buffer.
	if _, _, err := l.words.Read(unsafe.String(unsafe.SliceData(l.payload), len(l.payload)), l); err != nil {
		return l.words.Refuse(atItem(err, first))
	}
	if l.count > rpc.DefaultStream {
		return l.words.Refuse(&rpc.DecodeError{Code: rpc.OccurrenceConstraintViolation, Path: ListMember, Reason: fmt.Sprint("elements above ", rpc.DefaultStream)})
	}
	return nil
}

// Request reads the rest of a list, or all of it, and makes the request. Errors are *RequestError.
func (l *LocalList) Request(payload string) (station.Request, error) {
	l.index = 0
	version, full, err := l.words.Read(payload, l)
	if err == nil {
		err = l.check(version, full)
	}
	if err != nil {
		l.Abort()
		return nil, l.words.Refuse(err)
	}
	return station.SendLocalList{Version: version, Full: full, Stage: l.id, Staged: l.count}, nil
}

// Abort gives the list up.
func (l *LocalList) Abort() {
	if l.open {
		l.stage.Abort()
	}
}

// check refuses what the schemas let pass: a version below 1 (D01.FR.18; 1.6 errata 3.52), and in a full list an item
// without info, which only an update can take away (D01.FR.17; 1.6, 7.1).
func (l *LocalList) check(version int, full bool) error {
	name, info := l.words.Names()
	if version < 1 {
		return &rpc.DecodeError{Code: rpc.PropertyConstraintViolation, Path: name, Reason: "below 1"}
	}
	if full && l.firstRemoval >= 0 {
		return &rpc.DecodeError{Code: rpc.OccurrenceConstraintViolation, Path: itemPath(l.firstRemoval) + "." + info, Reason: "required in a full list"}
	}
	return nil
}

// atItem moves what is wrong with an item of a piece to where the item stands in the list.
func atItem(err error, first int) error {
	var invalid *rpc.DecodeError
	if !errors.As(err, &invalid) {
		return err
	}
	rest, ok := strings.CutPrefix(invalid.Path, ListMember+"[")
	index, rest, found := strings.Cut(rest, "]")
	n, bad := strconv.Atoi(index)
	if !ok || !found || bad != nil {
		return err
	}
	moved := *invalid
	moved.Path = itemPath(first+n) + rest
	return &moved
}
