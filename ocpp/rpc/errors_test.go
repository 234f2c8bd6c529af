package rpc

import "testing"

// 1.6 keeps the words that it misspelt; a code that it has not becomes the one for anything else.
func TestErrorCodesAreSpeltAsTheVersionHasThem(t *testing.T) {
	for _, c := range []struct{ code, old ErrorCode }{
		{FormatViolation, "FormationViolation"}, {OccurrenceConstraintViolation, "OccurenceConstraintViolation"},
		{RpcFrameworkError, GenericError}, {MessageTypeNotSupported, GenericError}, {NotImplemented, NotImplemented},
		{NotSupported, NotSupported}, {SecurityError, SecurityError}, {PropertyConstraintViolation, PropertyConstraintViolation},
		{TypeConstraintViolation, TypeConstraintViolation}, {ProtocolError, ProtocolError}, {InternalError, InternalError},
	} {
		if got := c.code.In(V16); got != c.old {
			t.Errorf("%s is %s in 1.6, want %s", c.code, got, c.old)
		}
		if got := c.code.In(V201); got != c.code {
			t.Errorf("%s is %s in 2.0.1", c.code, got)
		}
	}
}
