package soap

import "strings"

// Names of the world around OCPP.
const (
	nsSOAP12 = "http://www.w3.org/2003/05/soap-envelope"
	nsSOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsWSA    = "http://www.w3.org/2005/08/addressing"
	nsOldWSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing" // its draft, which some frameworks still write
	nsXSI    = "http://www.w3.org/2001/XMLSchema-instance"
	nsXML    = "http://www.w3.org/XML/1998/namespace"

	// Anonymous is the address that means: in the HTTP response (OCPP-S 1.6, 3.8).
	Anonymous = nsWSA + "/anonymous"

	actionFault = nsWSA + "/soap/fault"
)

// space is a name space: one of the known ones, or one of the services counted from spaceService.
type space uint8

const (
	spaceNone space = iota
	spaceOther
	spaceSOAP12
	spaceSOAP11
	spaceWSA
	spaceXSI
	spaceService
)

func spaceOf(uri string) space {
	switch uri {
	case "":
		return spaceNone
	case nsSOAP12:
		return spaceSOAP12
	case nsSOAP11:
		return spaceSOAP11
	case nsWSA, nsOldWSA:
		return spaceWSA
	case nsXSI:
		return spaceXSI
	}
	for i := range services {
		if strings.TrimSuffix(uri, "/") == strings.TrimSuffix(services[i].namespace(), "/") {
			return spaceService + space(i)
		}
	}
	return spaceOther
}

// service returns the service whose name space s is, or nil.
func (s space) service() *service {
	if s < spaceService {
		return nil
	}
	return &services[s-spaceService]
}
