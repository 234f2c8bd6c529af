package main

import "path/filepath"

// dialect is what tells the packages apart that are written.
type dialect struct {
	pkg      string          // name of the package
	old, now []string        // folders of the schemas below DIR/ocpp; one list where there is one version
	tables   bool            // no straight lines at all; actions with a feature profile
	straight map[string]bool // actions that are read and written by straight lines, the others along tables: smaller, slower
}

// allDay are the actions that a station sends or receives often, or in bulk.
var allDay = map[string]bool{
	"Authorize": true, "BootNotification": true, "GetVariables": true, "Heartbeat": true, "MeterValues": true, "NotifyEvent": true,
	"NotifyReport": true, "SendLocalList": true, "SetVariables": true, "StatusNotification": true, "TransactionEvent": true,
}

// dialects is every package by its name.
var dialects = map[string]*dialect{
	"msg2":  {pkg: "msg2", old: []string{"2.0.1"}, now: []string{"2.1"}, straight: allDay},
	"msg16": {pkg: "msg16", now: []string{"1.6", "1.6-security"}, tables: true},
}

// load reads the schemas and makes one type set of them.
func (d *dialect) load(schemas string) (*model, error) {
	now, err := load(below(schemas, d.now)...)
	if err != nil {
		return nil, err
	}
	if len(d.old) == 0 {
		if err := now.lift(); err != nil {
			return nil, err
		}
		return merge(d, now, now)
	}
	old, err := load(below(schemas, d.old)...)
	if err != nil {
		return nil, err
	}
	return merge(d, old, now)
}

func below(schemas string, folders []string) (dirs []string) {
	for _, f := range folders {
		dirs = append(dirs, filepath.Join(schemas, "ocpp", f))
	}
	return dirs
}
