package stationtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/term"
)

// stage is a local list that was staged for the station.
type stage map[string]term.TokenInfo

func (b *Bench) lookup(id station.StageID, t term.IdToken) (term.TokenInfo, bool) {
	info, ok := b.stages[id][t.Key()]
	return info, ok
}

// ask sends a request of a size in bytes, from the CSMS or from a local interface.
func (b *Bench) ask(r station.Request, size int, csms bool) station.RequestID {
	b.requests++
	id := station.RequestID(b.requests)
	if csms {
		id |= station.CSMSRequest
	}
	b.step(station.RequestReceived{ID: id, Request: r, Size: size})
	return id
}

// doRequest reads the request of a line:
//
//	request ChangeAvailability 1.1 Inoperative | ClearCache | CustomerInformation id=1 report clear token=ALICE
//	request DataTransfer vendor=X | GetBaseReport id=1 FullInventory | GetReport id=1 [Problem] [COMPONENT/VARIABLE ...]
//	request GetLocalListVersion | SendLocalList version=2 Full ALICE:Accepted BOB:Blocked:GROUP CAROL:-
//	request GetTransactionStatus T1 | RequestStart id=7 token=ALICE [evse=1 [connector=2]] [group=G] | RequestStop T1
//	request Reset Immediate [evse=1] | SetNetworkProfile slot=2 url=ws://x [profile=1] | TriggerMessage Heartbeat [1.1]
//	request UnlockConnector 1.1                      size=N sets the bytes of the message
//	request GetLog id=1 url=http://x/ [type=SecurityLog] [retries=2] [interval=10s] [oldest=-1h] [latest=0s]   (without id: of 1.6)
//	request UpdateFirmware id=1 url=http://x/fw [cert=bad|none] [sig=bad|none] [from=1h] [install=2h] [retries=2] [interval=10s]   (without id: the plain one of 1.6)
//	request ReserveNow id=1 token=ALICE in=1h [evse=1] [type=cType2] [group=G] | CancelReservation id=1
//	request InstallCertificate CSMSRootCertificate A | B<A | A:expired | A:leaf [broken] | GetInstalledCertificateIds [USE ...]
//	request DeleteCertificate A [hash=SHA384] [by=B] | own by=A | CertificateSigned by=A|S<A [as=expired|future|otherkey|othername] [unwanted] [life=24h] [id=1] [use=USE]
func doRequest(b *Bench, l line) error {
	parse := requests[l.word(0)]
	if parse == nil {
		return fmt.Errorf("request %q: unknown", l.word(0))
	}
	l.words = l.words[1:]
	r, err := parse(b, l)
	if err != nil {
		return err
	}
	size, err := l.number("size")
	if err != nil {
		return err
	}
	b.ask(r, size, !l.has("local"))
	return nil
}

var requests = map[string]func(*Bench, line) (station.Request, error){
	"ChangeAvailability": func(b *Bench, l line) (station.Request, error) {
		r, err := l.ref(0)
		return station.ChangeAvailability{Ref: r, Operative: l.has("Operative"), Deep: l.has("deep")}, err
	},
	"ClearCache": func(*Bench, line) (station.Request, error) { return station.ClearCache{}, nil },
	"CustomerInformation": func(b *Bench, l line) (station.Request, error) {
		id, err := l.number("id")
		r := station.CustomerInformation{RequestID: id, Report: l.has("report"), Clear: l.has("clear"), Identifier: l.keys["identifier"], HasCert: l.has("certificate")}
		if t := l.keys["token"]; t != "" {
			r.Token = token(t)
		}
		return r, err
	},
	"DataTransfer": func(b *Bench, l line) (station.Request, error) {
		return station.DataTransfer{VendorID: l.keys["vendor"]}, nil
	},
	"GetBaseReport": func(b *Bench, l line) (station.Request, error) {
		id, err := l.number("id")
		return station.GetBaseReport{RequestID: id, Base: model.Base(l.word(0))}, err
	},
	"GetReport":            parseGetReport,
	"SetChargingProfile":   parseSetProfile,
	"ClearChargingProfile": parseClearProfile,
	"GetChargingProfiles":  parseGetProfiles,
	"GetCompositeSchedule": parseComposite,
	"GetLocalListVersion":  func(*Bench, line) (station.Request, error) { return station.GetLocalListVersion{}, nil },
	"SendLocalList":        parseSendLocalList,
	"GetLog":               parseGetLog,
	"UpdateFirmware":       parseUpdateFirmware,
	"GetTransactionStatus": func(b *Bench, l line) (station.Request, error) {
		return station.GetTransactionStatus{Transaction: term.TransactionID(l.word(0))}, nil
	},
	"RequestStart": func(b *Bench, l line) (station.Request, error) {
		id, err := l.number("id")
		if err != nil {
			return nil, err
		}
		evse, err := l.number("evse")
		if err != nil {
			return nil, err
		}
		connector, err := l.number("connector")
		r := station.RequestStart{EVSE: term.EVSEID(evse), Connector: term.ConnectorID(connector), RemoteStartID: id, Token: token(l.keys["token"]), HasProfile: l.has("profile")}
		if r.HasProfile {
			var err error
			if r.Profile, err = b.profile(l, "pid"); err != nil {
				return nil, err
			}
			if l.keys["for"] == "" {
				r.Profile.Purpose = schedule.PurposeTx
			}
		}
		if g := l.keys["group"]; g != "" {
			r.Group = term.IdToken{Value: g, Type: term.TokenCentral}
		}
		return r, err
	},
	"RequestStop": func(b *Bench, l line) (station.Request, error) {
		return station.RequestStop{Transaction: term.TransactionID(l.word(0))}, nil
	},
	"Reset": func(b *Bench, l line) (station.Request, error) {
		evse, err := l.number("evse")
		return station.Reset{Kind: station.ResetKind(l.word(0)), EVSE: term.EVSEID(evse)}, err
	},
	"RaiseSecurity": func(_ *Bench, l line) (station.Request, error) {
		n, err := strconv.Atoi(l.word(0))
		return station.RaiseSecurity{Profile: n}, err
	},
	"SetNetworkProfile": func(b *Bench, l line) (station.Request, error) {
		slot, err := l.number("slot")
		if err != nil {
			return nil, err
		}
		sec, err := l.number("profile")
		if err != nil {
			return nil, err
		}
		timeout, err := l.duration("timeout", 30*time.Second)
		p := station.NetworkProfile{URL: l.keys["url"], SecurityProfile: sec, MessageTimeout: timeout, HasAPN: l.has("apn"), HasVPN: l.has("vpn"),
			Transport: l.keys["transport"]}
		return station.SetNetworkProfile{Slot: slot, Profile: p}, err
	},
	"TriggerMessage": func(b *Bench, l line) (station.Request, error) {
		r := station.TriggerMessage{Message: l.word(0), Sampled: l.has("sampled")}
		if len(l.words) < 2 || r.Sampled {
			return r, nil
		}
		ref, err := l.ref(1)
		r.HasEVSE, r.Ref = true, ref
		return r, err
	},
	"ReserveNow": parseReserveNow,

	"InstallCertificate":         parseInstallCertificate,
	"GetInstalledCertificateIds": parseInstalledCertificates,
	"DeleteCertificate":          parseDeleteCertificate,
	"CertificateSigned":          parseCertificateSigned,

	"CancelReservation": func(b *Bench, l line) (station.Request, error) {
		id, err := l.number("id")
		return station.CancelReservation{ID: id}, err
	},
	"UnlockConnector": func(b *Bench, l line) (station.Request, error) {
		r, err := l.ref(0)
		return station.UnlockConnector{Ref: r, Finish: l.has("finish")}, err
	},
}

func parseGetReport(b *Bench, l line) (station.Request, error) {
	id, err := l.number("id")
	if err != nil {
		return nil, err
	}
	var q model.Query
	for _, w := range l.words {
		if !strings.Contains(w, "/") {
			q.Criteria = append(q.Criteria, model.Criterion(w))
			continue
		}
		c, v, err := parseName(w)
		if err != nil {
			return nil, err
		}
		q.Variables = append(q.Variables, model.ComponentVariable{Component: c, Variable: v})
	}
	return station.GetReport{RequestID: id, Query: q}, nil
}

func parseGetLog(b *Bench, l line) (station.Request, error) {
	r := station.GetLog{LogType: station.DiagnosticsLog, URL: l.keys["url"]}
	if kind := l.keys["type"]; kind != "" {
		r.LogType = kind
	}
	_, r.HasRequestID = l.keys["id"]
	_, r.HasRetries = l.keys["retries"]
	var err error
	if r.RequestID, err = l.number("id"); err != nil {
		return nil, err
	}
	if r.Retries, err = l.number("retries"); err != nil {
		return nil, err
	}
	if r.RetryInterval, err = l.duration("interval", 0); err != nil {
		return nil, err
	}
	for key, at := range map[string]*time.Time{"oldest": &r.Oldest, "latest": &r.Latest} {
		if _, ok := l.keys[key]; !ok {
			continue
		}
		d, err := l.duration(key, 0)
		if err != nil {
			return nil, err
		}
		*at = b.wall().Add(d)
	}
	return r, nil
}

// parseSendLocalList stages the entries as the wire side does: a differential list is merged with the one in force.
func parseSendLocalList(b *Bench, l line) (station.Request, error) {
	version, err := l.number("version")
	if err != nil {
		return nil, err
	}
	r := station.SendLocalList{Version: version, Full: l.has("Full")}
	list := stage{}
	if !r.Full {
		for k, v := range b.stages[b.Station.LocalList()] {
			list[k] = v
		}
	}
	seen := []string{}
	for _, w := range l.words {
		name, rest, ok := strings.Cut(w, ":")
		if !ok {
			continue
		}
		key := token(name).Key()
		r.Duplicates = r.Duplicates || slices.Contains(seen, key)
		seen = append(seen, key)
		r.Staged++
		if rest == "-" {
			delete(list, key)
			continue
		}
		status, group, _ := strings.Cut(rest, ":")
		info := term.TokenInfo{Status: term.TokenStatus(status)}
		if group != "" {
			info.Group = term.IdToken{Value: group, Type: term.TokenCentral}
		}
		list[key] = info
	}
	if r.Staged > 0 {
		b.stageNext++
		r.Stage = b.stageNext
		b.stages[r.Stage] = list
	}
	r.Total = len(list)
	return r, nil
}

// parseName reads COMPONENT[#INSTANCE][@EVSE[.CONNECTOR]]/VARIABLE[#INSTANCE].
func parseName(s string) (c model.Component, v model.Variable, err error) {
	left, right, ok := strings.Cut(s, "/")
	if !ok {
		return c, v, fmt.Errorf("name %q: want component/variable", s)
	}
	left, at, _ := strings.Cut(left, "@")
	c.Name, c.Instance, _ = strings.Cut(left, "#")
	v.Name, v.Instance, _ = strings.Cut(right, "#")
	if at != "" {
		ref, err := ParseRef(at)
		if err != nil {
			return c, v, err
		}
		c.EVSE, c.Connector = ref.EVSE, ref.Connector
	}
	return c, v, nil
}

func (l line) setItems() ([]model.SetItem, error) {
	var items []model.SetItem
	names := make([]string, 0, len(l.keys))
	for name := range l.keys {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == "size" {
			continue
		}
		c, v, err := parseName(name)
		if err != nil {
			return nil, err
		}
		items = append(items, model.SetItem{Component: c, Variable: v, Value: l.keys[name]})
	}
	return items, nil
}

func doSet(b *Bench, l line) error {
	items, err := l.setItems()
	if err != nil {
		return err
	}
	size, err := l.number("size")
	b.ask(station.SetVariables{Items: items}, size, true)
	return err
}

func doOverride(b *Bench, l line) error {
	items, err := l.setItems()
	b.ask(station.OverrideVariables{Items: items}, 0, false)
	return err
}

func doGet(b *Bench, l line) error {
	var items []model.GetItem
	for _, w := range l.words {
		c, v, err := parseName(w)
		if err != nil {
			return err
		}
		items = append(items, model.GetItem{Component: c, Variable: v})
	}
	if n, err := strconv.Atoi(l.keys["times"]); err == nil {
		items = slices.Repeat(items, n)
	}
	size, err := l.number("size")
	b.ask(station.GetVariables{Items: items}, size, true)
	return err
}
