package msg2_test

import (
	"fmt"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
)

// A CSMS asks for a reset; the station reads the frame and answers.
func Example() {
	raw := []byte(`[2,"42","Reset",{"type":"OnIdle","evseId":1}]`)
	frame, err := rpc.Parse(raw, rpc.V201, rpc.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request, known := msg2.NewRequest(frame.Action, msg2.V201)
	if !known {
		fmt.Printf("%s\n", rpc.AppendCallError(nil, frame.ID, rpc.NotImplemented, "unknown action"))
		return
	}
	var body rpc.Body
	body.Reset(frame.Payload, rpc.Limits{})
	if err := msg2.Decode(&body, request, msg2.V201); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(request.(*msg2.ResetRequest).EVSEID.Or(0))
	response := msg2.ResetResponse{Status: msg2.ResetStatusScheduled}
	answer, err := msg2.AppendJSON(rpc.OpenCallResult(nil, frame.ID), &response, msg2.V201)
	fmt.Printf("%s] %v\n", answer, err)
	// Output:
	// 1
	// [3,"42",{"status":"Scheduled"}] <nil>
}
