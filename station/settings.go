package station

import (
	"fmt"
	"time"

	"github.com/evsed/evsed/station/auth"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/sampling"
	"github.com/evsed/evsed/station/transaction"
)

// settings are the values of the device model in the form in which the blocks want them. They are read again after each change.
type settings struct {
	start, stop       transaction.Points
	txBeforeAccepted  bool
	stopOnInvalid     bool
	stopOnEVSide      bool
	unlockOnEVSide    bool
	maxEnergyInvalid  int64 // Wh
	reserving         bool  // reservations count
	reserveAny        bool  // one that names no EVSE is taken
	blinks            int   // how often a light blinks for a signal
	connectionTimeout time.Duration
	resumption        time.Duration
	statusDuration    time.Duration
	smart             bool          // profiles are followed
	significance      model.Decimal // percent of a limit below which its change is not told
	auth              auth.Config
	sampling          sampling.Config
	signed            signedConfig
}

// readSettings copies the device model. The model has validated every value, so an unreadable one is a bug.
func (s *Station) readSettings() {
	m := s.model
	points := func(id model.ID) transaction.Points {
		p, err := transaction.ParsePoints(m.List(id))
		if err != nil {
			panic("station: " + err.Error())
		}
		return p
	}
	s.settings = settings{
		start:             points(model.TxStartPoint),
		stop:              points(model.TxStopPoint),
		txBeforeAccepted:  m.Bool(model.TxBeforeAcceptedEnabled),
		stopOnInvalid:     m.Bool(model.StopTxOnInvalidId),
		stopOnEVSide:      m.Bool(model.StopTxOnEVSideDisconnect),
		unlockOnEVSide:    m.Bool(model.UnlockOnEVSideDisconnect),
		maxEnergyInvalid:  int64(m.Int(model.MaxEnergyOnInvalidId)),
		reserving:         m.Bool(model.ReservationAvailable) && m.Bool(model.ReservationEnabled),
		reserveAny:        m.Bool(model.ReservationNonEvseSpecific),
		blinks:            s.blinks(),
		connectionTimeout: m.Duration(model.EVConnectionTimeOut),
		resumption:        m.Duration(model.ResumptionTimeout),
		statusDuration:    m.Duration(model.MinimumStatusDuration),
		smart:             m.Bool(model.SmartChargingEnabled),
		significance:      m.Decimal(model.LimitChangeSignificance),
		auth:              s.authConfig(),
		sampling:          s.samplingConfig(),
		signed:            s.signedConfig(),
	}
}

// put sets a variable from inside the core and records the change. The caller has brought the value into its range.
func (s *Station) put(id model.ID, value string) {
	if s.model.Text(id) == value {
		return
	}
	c, err := s.model.Put(id, value)
	if err != nil {
		panic(fmt.Sprintf("station: set %v: %v", id, err))
	}
	s.changed([]model.Change{c})
}

// changed records changes of the device model and lets everybody read them.
func (s *Station) changed(cs []model.Change) {
	reconfigure, aligned, order := false, false, false
	for _, c := range cs {
		s.record(BucketVariable, c.Key, []byte(c.Value))
		switch c.ID {
		case model.AlignedDataInterval, model.AlignedDataTxEndedInterval, model.AlignedDataEnabled:
			aligned = true
		case model.BasicAuthPassword:
			s.securityEvent(ReconfigurationOfSecurityParameters, "BasicAuthPassword")
			s.command(Reconnect{}) // A01: the new password holds from the next connection on
			reconfigure = true
		case model.NetworkConfigurationPriority:
			reconfigure, order = true, true
		case model.BlinkRepeat: // nobody but the core reads it
		case model.LightPercent:
			s.dim()
		default:
			reconfigure = true
		}
	}
	if len(cs) == 0 {
		return
	}
	s.out.MustSync = true
	s.readSettings()
	s.configureProfiles()
	if aligned {
		s.startAligned()
	}
	s.planAgain()
	if reconfigure {
		s.command(Reconfigure{})
	}
	if order {
		s.tryHigher()
	}
}
