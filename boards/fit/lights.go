package fit

// fitLights makes the lights of the connectors.
func (f *Fitted) fitLights() error { return nil }
