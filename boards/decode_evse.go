package boards

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station/term"
)

func decodeEVSE(v *value, supply Supply) EVSE {
	e := EVSE{ID: v.evseID(), Name: v.str("name"), Off: v.is("off"), Phases: uint8(v.number("phases")), Connector: decodeConnector(v.child("connector"))}
	for _, t := range connectorTypes {
		if t.ocpp == e.Connector.Type {
			e.DC = t.dc
		}
	}
	switch {
	case e.DC:
		e.Phases = 0
	case e.Phases == 0:
		e.Phases = supply.Phases
	}
	e.wired, e.Phases = e.Phases, min(e.Phases, supply.Phases)
	e.MaxCurrent = e.Connector.MaxCurrent
	if !e.DC {
		e.MaxCurrent = min(e.MaxCurrent, supply.MaxCurrent)
	}
	if m := v.child("mcu"); m != nil {
		e.MCU, e.Port = m.str("unit"), max(1, uint8(m.number("port")))
	}
	e.Pilot = decodePilot(v.child("pilot"))
	if p := v.child("proximity"); p != nil {
		e.Proximity = &Proximity{MCU: p.flag, Pullup: unit.Resistance(p.number("pullup")), Rail: unit.Voltage(p.number("rail"))}
		if a := decodeADC(p); a != nil {
			e.Proximity.ADC = *a
		}
	}
	e.Contactors = decodeContactors(v.child("contactors"))
	if r := v.child("rcd"); r != nil {
		s := r.child("selftest")
		e.RCD = &RCD{MCU: r.flag, Fault: r.mustLine("fault"), Test: r.lineOf("test"), Every: s.time("every"), Within: s.time("within")}
	}
	if l := v.child("lock"); l != nil {
		e.Lock = &Lock{MCU: l.flag, Sense: l.lineOf("sense"), Pulse: l.time("pulse")}
		l.each("motor", func(_ string, v *value) { e.Lock.Motor = append(e.Lock.Motor, v.asLine()) })
	}
	e.Meter = decodeMeter(v.child("meter"))
	v.each("temperature", func(_ string, v *value) { e.Temperatures = append(e.Temperatures, decodeTemperature(v)) })
	e.Reader = decodeReader(v.child("reader"))
	if l := v.child("light"); l != nil {
		e.Light = &Light{LEDs: l.wordsOf("leds")}
		l.each("rgb", func(_ string, v *value) { e.Light.RGB = append(e.Light.RGB, v.asLine()) })
	}
	v.each("diagnosis", func(name string, v *value) {
		d := Diagnosis{Name: name, Line: v.mustLine("line")}
		d.Fault, _ = term.ParseFault(v.str("fault"))
		e.Diagnosis = append(e.Diagnosis, d)
	})
	if h := v.child("hlc"); h != nil {
		e.HLC = &HLC{Bus: h.str("bus")}
	}
	decodeDC(&e, v)
	return e
}

func decodeDC(e *EVSE, v *value) {
	if s := v.child("source"); s != nil {
		p := s.child("precharge")
		e.Source = &Source{Modules: s.wordsOf("modules"), PrechargeTolerance: unit.Voltage(p.number("tolerance")), PrechargeTimeout: p.time("timeout")}
	}
	if i := v.child("isolation"); i != nil {
		e.Isolation = &Isolation{Model: i.str("model"), Bus: i.str("bus"), Address: uint8(i.number("address")), Trip: unit.Resistance(i.number("trip"))}
	}
}

func decodeConnector(v *value) Connector {
	c := Connector{MaxCurrent: unit.Current(v.number("max_current")), Voltage: v.rangeOf("voltage"), Ventilated: v.is("ventilated")}
	for _, t := range connectorTypes {
		if t.word == v.str("type") {
			c.Type, c.Tethered = t.ocpp, t.tethered
		}
	}
	return c
}

func decodePilot(v *value) Pilot {
	p := Pilot{Median: 1}
	if v == nil || v.flag {
		p.MCU = v != nil
		return p
	}
	p.PWM, p.High, p.Low, p.Every = decodePWM(v.child("pwm")), decodeADC(v.child("high")), decodeADC(v.child("low")), v.child("sample").time("every")
	if n, err := strconv.Atoi(strings.TrimPrefix(v.child("sample").str("filter"), "median-")); err == nil {
		p.Median = n
	}
	p.Frozen = int(v.child("sample").number("frozen_after"))
	v.each("comparators", func(name string, v *value) {
		c := Comparator{Name: name, Line: v.mustLine("line"), Level: unit.Voltage(v.number("above"))}
		if v.child("below") != nil {
			c.Below, c.Level = true, unit.Voltage(v.number("below"))
		}
		p.Comparators = append(p.Comparators, c)
	})
	return p
}

func decodeContactors(v *value) Contactors {
	if v == nil || v.flag {
		return Contactors{MCU: v != nil}
	}
	c := Contactors{Main: decodeSwitch(v.child("main")), Extra: decodeSwitch(v.child("extra")), Plus: decodeSwitch(v.child("plus")),
		Minus: decodeSwitch(v.child("minus")), Close: v.child("timing").time("close"), Open: v.child("timing").time("open")}
	for w := hal.WiringSingle; w <= hal.WiringMutual; w++ {
		if w.String() == v.str("wiring") {
			c.Wiring = w
		}
	}
	return c
}

func decodeSwitch(v *value) *Switch {
	if v == nil {
		return nil
	}
	s := &Switch{Drive: v.mustLine("drive"), Sense: v.lineOf("sense"), NormallyClosed: v.str("aux") != "normally-open"}
	for _, l := range v.wordsOf("phases") {
		s.Lines |= lineBits[l]
	}
	return s
}

func decodeMeter(v *value) *Meter {
	if v == nil {
		return nil
	}
	m := &Meter{Model: v.str("model"), Bus: v.str("bus"), Address: uint8(v.number("address")), HTTP: v.str("http"), Legal: v.str("legal") != "",
		PublicKey: v.str("public_key"), Stop: v.str("silent") == "stop", Phases: [3]uint8{1, 2, 3}}
	if strings.HasSuffix(m.Model, ".yaml") {
		m.Model = filepath.Join(filepath.Dir(v.where.File), m.Model)
	}
	if lines := v.wordsOf("phases"); lines != nil {
		m.Phases = [3]uint8{}
		for i, l := range lines {
			m.Phases[i] = l[1] - '0'
		}
	}
	return m
}

func decodeTemperature(v *value) Temperature {
	t := Temperature{ID: v.str("id"), ADC: decodeADC(v), Pullup: unit.Resistance(v.number("pullup")), Rail: unit.Voltage(v.number("rail")), MCU: v.is("mcu")}
	t.Curve, _ = hal.ParseCurve(v.str("curve"))
	if s := v.str("hwmon"); s != "" {
		t.Kernel = "hwmon:" + s
	}
	if s := v.str("w1"); s != "" {
		t.Kernel = "w1:" + s
	}
	if d := v.child("derate"); d != nil {
		for _, s := range d.steps {
			t.Derate = append(t.Derate, Step{At: unit.Temperature(s.at), Max: unit.Current(s.to)})
		}
	}
	return t
}
