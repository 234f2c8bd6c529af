package model

import "strconv"

// Attribute is one of the values that a variable can have (OCPP AttributeEnumType). The zero value is the one
// that a message means when it names none (B05.FR.12, B06.FR.11).
type Attribute uint8

// The attributes. Controllers have the actual value only (part 1, 4.3), and so has every row of this station.
const (
	Actual Attribute = iota
	Target
	MinSet
	MaxSet
	attributeCount
)

var attributeNames = [attributeCount]string{"Actual", "Target", "MinSet", "MaxSet"}

func (a Attribute) String() string {
	if a >= attributeCount {
		return "attribute(" + strconv.Itoa(int(a)) + ")"
	}
	return attributeNames[a]
}

// ParseAttribute returns the attribute of an OCPP word; no word means Actual.
func ParseAttribute(word string) (Attribute, bool) {
	if word == "" {
		return Actual, true
	}
	for i, name := range attributeNames {
		if name == word {
			return Attribute(i), true
		}
	}
	return Actual, false
}

// Mutability says what a CSMS may do with an attribute (OCPP MutabilityEnumType). The zero value is OCPP's default.
type Mutability uint8

// The mutabilities.
const (
	ReadWrite Mutability = iota
	ReadOnly
	WriteOnly
)

func (m Mutability) String() string { return [...]string{"ReadWrite", "ReadOnly", "WriteOnly"}[m] }

// DataType is the type of a variable (OCPP DataEnumType). TypePassword is a string that is kept secret and may
// hold the characters of passwordString only; on the wire its type is string.
type DataType uint8

// The data types.
const (
	TypeString DataType = iota
	TypeDecimal
	TypeInteger
	TypeDateTime
	TypeBoolean
	TypeOptionList
	TypeSequenceList
	TypeMemberList
	TypePassword
)

func (t DataType) String() string {
	return [...]string{"string", "decimal", "integer", "dateTime", "boolean", "OptionList", "SequenceList", "MemberList", "string"}[t]
}

func (t DataType) isList() bool { return t == TypeSequenceList || t == TypeMemberList }

// Decimal is a number in thousandths.
type Decimal int64

// String returns the shortest decimal notation: "22000", "-1.5".
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends what String returns.
func (d Decimal) Append(b []byte) []byte {
	n := uint64(d)
	if d < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendUint(b, n/1000, 10)
	frac := n % 1000
	if frac == 0 {
		return b
	}
	b = append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// Limit is a bound that may be absent.
type Limit struct {
	Value Decimal
	Set   bool
}

func at(n int) Limit { return Limit{Value: Decimal(n) * 1000, Set: true} }

// Characteristics are the fixed facts of a variable (OCPP VariableCharacteristicsType). MaxLimit bounds a number,
// or the length in characters of a string or list. ValuesList is comma separated. MaxElements 0 means no bound;
// only 2.1 can say it.
type Characteristics struct {
	DataType           DataType
	Unit               string
	MinLimit, MaxLimit Limit
	MaxElements        int
	ValuesList         string
	SupportsMonitoring bool
}

// Reason is a statusInfo.reasonCode of the OCPP appendix; "" says nothing.
type Reason string

// The reason codes that this package gives.
const (
	ReasonInvalidValue    Reason = "InvalidValue"
	ReasonNotFound        Reason = "NotFound"
	ReasonReadOnly        Reason = "ReadOnly"
	ReasonTooLarge        Reason = "TooLargeElement"
	ReasonTooManyElements Reason = "TooManyElements"
	ReasonValueOutOfRange Reason = "ValueOutOfRange"
	ReasonWriteOnly       Reason = "WriteOnly"
)
