package transaction

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Tx is a running transaction, as kept over a power cut. Its JSON form is the record on flash: fields may be added,
// never renamed.
type Tx struct {
	ID        term.TransactionID `json:"id"`
	Ref       term.Ref           `json:"ref"` // EVSE 0 while no EVSE is known (token first)
	NextSeq   int                `json:"seq"`
	StartedAt time.Time          `json:"at"`   // wall time
	Seen      time.Time          `json:"seen"` // wall time of the newest record
	State     term.ChargingState `json:"state"`
	Begin     unit.Energy        `json:"begin"` // import register at the start
	HasBegin  bool               `json:"hasBegin,omitempty"`
	Last      unit.Energy        `json:"last"`               // highest import register told
	Charging  time.Duration      `json:"charging,omitempty"` // time in which energy flowed
	Charged   bool               `json:"charged,omitempty"`
	Grant     *Grant             `json:"grant,omitempty"`
	Owner     term.IdToken       `json:"owner,omitzero"` // whose authorization it last had, also when it has none any more
	Bay       bool               `json:"bay,omitempty"`  // a car stood in the parking bay
	Ready     time.Time          `json:"ready,omitzero"` // wall time from which relative schedules count: a driver authorized, a car connected
	Ending    *Ending            `json:"ending,omitempty"`
	Phases    int8               `json:"phases,omitempty"`   // last told number of phases, 0 none
	Reason    term.StopReason    `json:"reason,omitempty"`   // why the authorization ended, told when the transaction ends later
	StoppedBy term.IdToken       `json:"stoppedBy,omitzero"` // the token that did, "" for none
	Samples   []byte             `json:"samples,omitempty"`  // values for the Ended event, sampling's binary form
	PlugTold  bool               `json:"plugTold,omitempty"` // evse and connector were told
	BeginTold bool               `json:"beginTold,omitempty"`
	Signed    bool               `json:"signed,omitempty"`    // the meter has begun to count it, and will sign it
	Uncounted bool               `json:"uncounted,omitempty"` // energy was allowed to flow that a meter which signs does not count
	KeyTold   bool               `json:"keyTold,omitempty"`   // the public key for that was told
}

// Grant is an authorization in force.
type Grant struct {
	Token     term.IdToken          `json:"token"`
	Info      []term.AdditionalInfo `json:"info,omitempty"`
	Group     term.IdToken          `json:"group,omitzero"`
	Remote    int                   `json:"remote,omitempty"`
	HasRemote bool                  `json:"hasRemote,omitempty"`
	EVSEs     []term.EVSEID         `json:"evses,omitempty"`     // where it is valid; empty: everywhere
	Told      bool                  `json:"told,omitempty"`      // the token was told in an event
	Refused   bool                  `json:"refused,omitempty"`   // the CSMS refused the token, and the transaction goes on (StopTxOnInvalidId false)
	BudgetEnd unit.Energy           `json:"budgetEnd,omitempty"` // register at which it is used up
	Suspended bool                  `json:"suspended,omitempty"` // no energy any more (E05.FR.02)

	Connector term.ConnectorID `json:"connector,omitempty"` // of its EVSE that it is for; 0: any

	Reservation *int `json:"reservation,omitempty"` // id of the reservation that the driver has used; nil for none
}

// ValidAt reports whether the grant may be used at an EVSE (C01.FR.21).
func (g *Grant) ValidAt(e term.EVSEID) bool {
	if len(g.EVSEs) == 0 {
		return true
	}
	for _, v := range g.EVSEs {
		if v == e {
			return true
		}
	}
	return false
}

// For reports whether the grant is for a connector of its EVSE.
func (g *Grant) For(c term.ConnectorID) bool { return g.Connector == 0 || g.Connector == c }

// Ending is a transaction whose end is decided, while the contactor opens and the last reading is taken.
type Ending struct {
	Trigger term.TriggerReason    `json:"trigger"`
	Reason  term.StopReason       `json:"reason"`
	At      time.Time             `json:"at"`             // wall time of the decision
	Token   term.IdToken          `json:"token,omitzero"` // the token that stopped it
	Info    []term.AdditionalInfo `json:"info,omitempty"`
}

// Marshal returns the record value of t.
func (t *Tx) Marshal() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic("transaction: " + err.Error()) // plain data only
	}
	return b
}

const (
	maxID  = 255       // bytes of a transaction id that an outbox header holds
	maxSeq = 1<<31 - 1 // seqNo is a 32-bit integer
)

// Unmarshal reads a record value.
func Unmarshal(b []byte) (*Tx, error) {
	t := new(Tx)
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("read transaction record: %w", err)
	}
	if t.ID == "" || len(t.ID) > maxID || t.NextSeq < 0 || t.NextSeq > maxSeq {
		return nil, fmt.Errorf("read transaction record: id %q, sequence number %d", t.ID, t.NextSeq)
	}
	return t, nil
}
