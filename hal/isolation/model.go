package isolation

// Model is a monitor's registers. All are holding registers.
type Model struct {
	Name string

	// Measurements of four registers each: an IEEE 754 number of 32 bits, high word first; test and alarm; the channel.
	Resistance uint16 // Ohm
	Voltage    uint16 // V between the lines
	Plus       uint16 // V of L1 against earth
	Minus      uint16 // V of L2 against earth

	PreAlarm, Alarm uint16 // response values, kOhm
	Test            uint16 // starts a self-test,
	TestValue       uint16 // when this is written
	Firmware        uint16 // ident, version in 0.01, year, month, day, version of the Modbus driver

	Baud, Unit int // as delivered; 8 data bits, even parity
}

// models are the monitors that we know. The addresses are those that open drivers use (EVerest's driver for the isoCHA
// among them), held against the manufacturer's names of the channels.
var models = []Model{
	{
		Name: "bender/isocha425hv", Resistance: 1000, Voltage: 1008, Plus: 1016, Minus: 1020,
		PreAlarm: 3005, Alarm: 3007, Test: 8005, TestValue: 0x5445, Firmware: 9820, Baud: 19200, Unit: 3,
	},
}

// Models returns the names of all models.
func Models() []string {
	var names []string
	for i := range models {
		names = append(names, models[i].Name)
	}
	return names
}

// Find returns the model of a name.
func Find(name string) (Model, bool) {
	for i := range models {
		if models[i].Name == name {
			return models[i], true
		}
	}
	return Model{}, false
}
