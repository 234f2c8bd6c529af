package model

// maxBlinks bounds a signal to half a minute: a light that goes on for longer does not show any more what it is there for.
const maxBlinks = 60

// The lights of the connectors: ChargingStatusIndicator, one setting for all of them. A station without lights does not have
// the component.
var lightRows = []row{
	// BlinkRepeat is a variable of our own: how often a light blinks to tell what became of a card; 0 is not at all (1.6, 9.1.4).
	{id: BlinkRepeat, name: "BlinkRepeat", kind: TypeInteger, min: at(0), max: at(maxBlinks), def: "3", reader: "core: signals"},
	// Percent is how bright they are (1.6, 9.1.11); as BeaconLighting has it, in whole percent.
	{id: LightPercent, name: "Percent", kind: TypeInteger, unit: "Percent", min: at(0), max: at(100), def: "100", reader: "core: lights"},
}
