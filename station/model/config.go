package model

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

// Config is what the board and the product say about the rows. A zero field takes the default named at it.
type Config struct {
	Identity, Vendor, Model string

	EVSEs       []EVSE           // in the order of their ids, which count up from 1
	Measurands  []term.Measurand // what the meters can give; default the import register
	Slots       []int            // slots that a network profile may be put into; default 1
	Priority    []int            // slots in use until somebody sets them, best first; default the first of Slots
	TimeSources []string         // OCPP words of the clocks that exist; default Heartbeat
	ParkingBay  bool             // bay sensors exist
	Lights      bool             // connectors have lights that blink and can be dimmed
	Signed      bool             // a meter signs transactions
	SignedParts bool             // and all that do sign them as far as they go, too

	ListEntries, ListBytes int // most that the local list holds; defaults DefaultListEntries, DefaultListBytes
	CacheBytes             int // most that the authorization cache holds; default DefaultCacheBytes
	Certificates           int // most certificates installed at any time; default DefaultCertificates

	// Veto has the last word on a value that a CSMS sets and that passed every check of the row: "" accepts.
	// It knows what the model cannot, such as which slots hold a valid network profile (B10.FR.02).
	Veto func(id ID, value string) Reason
}

// Defaults of the limits that Config may set.
const (
	DefaultListEntries  = 10_000
	DefaultListBytes    = 4 << 20
	DefaultCacheBytes   = 1 << 20
	DefaultCertificates = 32
)

// EVSE describes one EVSE. EvseID is its name for drivers (ISO 15118, IEC 63119-2), "" if it has none.
type EVSE struct {
	ID         term.EVSEID
	EvseID     string
	Phases     int
	MaxPower   unit.Power
	Signed     bool // its meter signs
	Connectors []Connector
}

// Connector describes one connector. Type is a word of ConnectorEnumType, Fixed a captive cable.
type Connector struct {
	ID     term.ConnectorID
	Type   string
	Phases int
	Fixed  bool
}

// New returns a model that holds the defaults. live may be nil. An error names the part of cfg that is wrong.
func New(cfg Config, live Live) (*Model, error) {
	m := &Model{byName: make(map[string]int), live: live, veto: cfg.Veto}
	for g := range table {
		if table[g].tier == tierStation {
			m.add(&table[g], Component{}, noRow)
			if table[g].light && !cfg.Lights {
				m.leaveOut()
			}
			if !cfg.Signed {
				m.leaveOutSigned()
			}
		}
	}
	if err := m.configureStation(cfg.withDefaults()); err != nil {
		return nil, err
	}
	for i := range cfg.EVSEs {
		if err := m.addEVSE(term.EVSEID(i+1), &cfg.EVSEs[i]); err != nil {
			return nil, err
		}
	}
	for i := range m.entries {
		if e := &m.entries[i]; !e.set {
			if err := m.preset(i, e.row.def); err != nil {
				return nil, err
			}
		}
		m.entries[i].set = false
	}
	return m, nil
}

// noRow is the ID of no row.
const noRow = idCount

// add appends a component with all rows of its group but one; their values come later.
func (m *Model) add(g *group, where Component, skip ID) (first int) {
	where.Name = g.component
	c := component{Component: where, first: len(m.entries)}
	for i := range g.rows {
		r := &g.rows[i]
		if r.id == skip {
			continue
		}
		m.entries = append(m.entries, entry{row: r, comp: len(m.comps), mut: r.mut, chars: &Characteristics{
			DataType: r.kind, Unit: r.unit, MinLimit: r.min, MaxLimit: r.max, ValuesList: r.values,
		}})
	}
	c.end = len(m.entries)
	m.byName[string(appendName(nil, where))] = len(m.comps)
	m.comps = append(m.comps, c)
	return c.first
}

// leaveOut makes the newest component one that the station does not have. Its rows keep their places, because an ID of the
// station tier is one, but nobody finds them.
func (m *Model) leaveOut() {
	c := &m.comps[len(m.comps)-1]
	for i := c.first; i < c.end; i++ {
		m.entries[i].gone = true
	}
	delete(m.byName, string(appendName(nil, c.Component)))
}

// leaveOutSigned makes what the newest component says of signed values something that the station does not have.
func (m *Model) leaveOutSigned() {
	for i := m.comps[len(m.comps)-1].first; i < len(m.entries); i++ {
		m.entries[i].gone = m.entries[i].gone || m.entries[i].row.signed
	}
}

// preset gives a row the value that holds until somebody sets it. A live row takes any word: it is shown only.
func (m *Model) preset(i int, raw string) error {
	e := &m.entries[i]
	e.set = true
	if e.row.live || raw == "" {
		e.value = value{text: raw}
		return nil
	}
	val, f := parse(e, raw)
	if f.reason != "" {
		return fmt.Errorf("configure %s with %q: %s", m.key(e), raw, f.info)
	}
	e.value = val
	return nil
}

func (cfg Config) withDefaults() Config {
	if len(cfg.Measurands) == 0 {
		cfg.Measurands = []term.Measurand{term.EnergyActiveImportRegister}
	}
	if len(cfg.Slots) == 0 {
		cfg.Slots = []int{1}
	}
	if len(cfg.Priority) == 0 {
		cfg.Priority = cfg.Slots[:1]
	}
	if len(cfg.TimeSources) == 0 {
		cfg.TimeSources = []string{"Heartbeat"}
	}
	for _, d := range []struct {
		n *int
		v int
	}{
		{&cfg.ListEntries, DefaultListEntries}, {&cfg.ListBytes, DefaultListBytes},
		{&cfg.CacheBytes, DefaultCacheBytes}, {&cfg.Certificates, DefaultCertificates},
	} {
		if *d.n == 0 {
			*d.n = d.v
		}
	}
	return cfg
}

func (m *Model) configureStation(cfg Config) error {
	phases := 0
	for i := range cfg.EVSEs {
		phases = max(phases, cfg.EVSEs[i].Phases)
	}
	m.limit(LocalAuthListEntries, cfg.ListEntries)
	m.limit(LocalAuthListStorage, cfg.ListBytes)
	m.limit(AuthCacheStorage, cfg.CacheBytes)
	m.limit(CertificateEntries, cfg.Certificates)
	m.offer(NetworkConfigurationPriority, joinInts(cfg.Slots))
	m.offer(TimeSource, strings.Join(cfg.TimeSources, ","))
	if cfg.ParkingBay {
		m.offer(TxStartPoint, txPointsWithBays)
		m.offer(TxStopPoint, txPointsWithBays)
	}
	if !cfg.SignedParts {
		for _, id := range partIDs {
			m.entries[id].mut = ReadOnly
		}
	}
	if onlyFixed(cfg.EVSEs) { // part 2, 2.1.12: a captive cable is never unlocked at the station
		m.entries[UnlockOnEVSideDisconnect].mut = ReadOnly
		if err := m.preset(int(UnlockOnEVSideDisconnect), "false"); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		id  ID
		raw string
	}{
		{Identity, cfg.Identity}, {StationVendorName, cfg.Vendor}, {StationModel, cfg.Model},
		{StationSupplyPhases, strconv.Itoa(phases)}, {NetworkConfigurationPriority, joinInts(cfg.Priority)},
		{TimeSource, strings.Join(cfg.TimeSources, ",")},
	} {
		if err := m.preset(int(p.id), p.raw); err != nil {
			return err
		}
	}
	return m.configureMeasurands(cfg.Measurands)
}

// configureMeasurands offers what the meters can give and cuts the defaults to it.
func (m *Model) configureMeasurands(measurands []term.Measurand) error {
	words := make([]string, len(measurands))
	for i, measurand := range measurands {
		words[i] = measurand.String()
	}
	offered := strings.Join(words, ",")
	for _, id := range measurandIDs {
		m.offer(id, offered)
		var def []string
		for _, word := range splitList(m.entries[id].row.def) {
			if hasWord(offered, word) {
				def = append(def, word)
			}
		}
		if err := m.preset(int(id), strings.Join(def, ",")); err != nil {
			return err
		}
	}
	return nil
}

// addEVSE adds an EVSE and its connectors. Ids count up from 1, as OCPP numbers them (part 1, 3-tier model).
func (m *Model) addEVSE(id term.EVSEID, cfg *EVSE) error {
	if cfg.ID != id {
		return fmt.Errorf("configure EVSE %d: its id is %d, ids count up from 1", id, cfg.ID)
	}
	skip := noRow
	if cfg.EvseID == "" {
		skip = EVSEEvseId
	}
	for g := range table {
		if table[g].tier != tierEVSE || table[g].signed && !cfg.Signed {
			continue
		}
		for i := m.add(&table[g], Component{EVSE: id}, skip); i < len(m.entries); i++ {
			if err := m.presetEVSE(i, cfg); err != nil {
				return err
			}
		}
	}
	for c := range cfg.Connectors {
		if err := m.addConnector(term.Ref{EVSE: id, Connector: term.ConnectorID(c + 1)}, &cfg.Connectors[c]); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) addConnector(ref term.Ref, cfg *Connector) error {
	if cfg.ID != ref.Connector {
		return fmt.Errorf("configure connector %s: its id is %d, ids count up from 1", ref, cfg.ID)
	}
	for g := range table {
		if table[g].tier != tierConnector || cfg.Fixed && table[g].socket {
			continue
		}
		for i := m.add(&table[g], Component{EVSE: ref.EVSE, Connector: ref.Connector}, noRow); i < len(m.entries); i++ {
			if err := m.presetConnector(i, cfg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Model) presetEVSE(i int, cfg *EVSE) error {
	e := &m.entries[i]
	switch e.row.id {
	case EVSEEvseId:
		return m.preset(i, cfg.EvseID)
	case EVSESupplyPhases:
		return m.preset(i, strconv.Itoa(cfg.Phases))
	case EVSEPower: // part 2, 2.13.7: the limit is what is required
		e.chars.MaxLimit = Limit{Value: Decimal(cfg.MaxPower), Set: true}
	}
	return nil
}

func (m *Model) presetConnector(i int, cfg *Connector) error {
	switch m.entries[i].row.id {
	case ConnectorType:
		return m.preset(i, cfg.Type)
	case ConnectorSupplyPhases:
		return m.preset(i, strconv.Itoa(cfg.Phases))
	}
	return nil
}

func (m *Model) limit(id ID, most int)      { m.entries[id].chars.MaxLimit = at(most) }
func (m *Model) offer(id ID, values string) { m.entries[id].chars.ValuesList = values }

// onlyFixed reports whether there are connectors and all of them have captive cables.
func onlyFixed(evses []EVSE) bool {
	found := false
	for _, e := range evses {
		for _, c := range e.Connectors {
			if !c.Fixed {
				return false
			}
			found = true
		}
	}
	return found
}

func joinInts(ns []int) string {
	var b []byte
	for i, n := range ns {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}
