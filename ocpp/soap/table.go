package soap

// Version is a version of OCPP that is spoken over SOAP.
type Version uint8

// The versions, in order of age.
const (
	V12 Version = iota + 1
	V15
	V16
)

// String returns the version as OCPP writes it: 1.2, 1.5, 1.6.
func (v Version) String() string {
	switch v {
	case V12:
		return "1.2"
	case V15:
		return "1.5"
	case V16:
		return "1.6"
	}
	return "unknown"
}

// Side is one of the two services: who is asked.
type Side uint8

// The services. The station asks the central system and is the charge point.
const (
	CentralSystem Side = iota
	ChargePoint
)

type kind uint8

const (
	text kind = iota
	integer
	decimal
	boolean
	instant
	object
)

type flags uint8

const (
	required  flags = 1 << iota
	many            // a list: the element repeats
	attribute       // an attribute of the element; a member of the object like the others
	content         // the text of the element that has attributes
)

// field is a member of a JSON object and an element, or attribute, of an XML element.
type field struct {
	name string
	kind kind
	set  flags
	of   uint8 // the shape of an object
}

// operation is a request and its response, each a shape.
type operation struct {
	name              string
	request, response uint8
}

type service struct {
	version Version
	side    Side
	year    string // and month, of the namespace
	ops     []operation
}

const (
	requestSuffix  = "Request"
	responseSuffix = "Response"
)

func serviceOf(v Version, s Side) *service {
	for i := range services {
		if services[i].version == v && services[i].side == s {
			return &services[i]
		}
	}
	return nil
}

// namespace returns the name space of the WSDL. Its last slash is missing in table 2 of OCPP-S 1.6, so that it is
// read with and without.
func (s *service) namespace() string {
	letters := "Cs/"
	if s.side == ChargePoint {
		letters = "Cp/"
	}
	return "urn://Ocpp/" + letters + s.year + "/"
}

func (s *service) operation(name string) (operation, bool) {
	for _, o := range s.ops {
		if o.name == name {
			return o, true
		}
	}
	return operation{}, false
}

// Has tells whether a service of this version has an operation.
func Has(v Version, s Side, operation string) bool {
	svc := serviceOf(v, s)
	if svc == nil {
		return false
	}
	_, ok := svc.operation(operation)
	return ok
}

// Operations returns the names of the operations of a service.
func Operations(v Version, s Side) []string {
	var names []string
	if svc := serviceOf(v, s); svc != nil {
		for _, o := range svc.ops {
			names = append(names, o.name)
		}
	}
	return names
}
