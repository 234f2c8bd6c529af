package dialect16

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// featureProfiles are those of which every message that a station must understand does something.
var featureProfiles = []string{"Core", "FirmwareManagement", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger"}

// fact returns the value of a key that is no variable; false if there is nothing to tell.
func (d *Dialect) fact(name string, rows []model.ReportRow) (string, bool) {
	switch name {
	case "NumberOfConnectors":
		return strconv.Itoa(len(d.topology)), true
	case "ConnectorPhaseRotationMaxLength":
		_, ok := d.standard(find("ConnectorPhaseRotation"), rows)
		return strconv.Itoa(len(d.topology)), ok
	case "SupportedFeatureProfiles":
		return strings.Join(featureProfiles, ","), true
	case "SupportedFeatureProfilesMaxLength":
		return strconv.Itoa(len(featureProfiles)), true
	}
	panic("dialect16: no fact " + name)
}

// parseRef reads "2" or "2.1".
func parseRef(s string) (term.Ref, bool) {
	evse, connector, deep := strings.Cut(s, ".")
	e, err := strconv.ParseUint(evse, 10, 31)
	r := term.Ref{EVSE: term.EVSEID(e)}
	if err != nil || !deep {
		return r, err == nil
	}
	c, err := strconv.ParseUint(connector, 10, 31)
	r.Connector = term.ConnectorID(c)
	return r, err == nil
}
