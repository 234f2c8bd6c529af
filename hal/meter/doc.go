// Package meter reads energy meters over Modbus. What a model's registers mean is data: one YAML file a model, those
// that evsed knows in models/, more beside the board's description (Load).
//
//	Find, Load ──► Model ──► New(model, client, unit) ──► Meter, a hal.Meter
//	                  └────► NewSlave(model) ──► Slave, a modbus.Unit that shows a hal.MeterReading
package meter
