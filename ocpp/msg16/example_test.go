package msg16_test

import (
	"fmt"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
)

// A CSMS starts a transaction; the station reads the frame and answers.
func Example() {
	frame, err := rpc.Parse([]byte(`[2,"42","RemoteStartTransaction",{"idTag":"CAFE01","connectorId":1}]`), rpc.V16, rpc.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request, known := msg16.NewRequest(frame.Action)
	if !known {
		fmt.Printf("%s\n", rpc.AppendCallError(nil, frame.ID, rpc.NotImplemented, "unknown action"))
		return
	}
	var body rpc.Body
	body.Reset(frame.Payload, rpc.Limits{})
	if err := msg16.Decode(&body, request); err != nil {
		fmt.Println(err)
		return
	}
	start := request.(*msg16.RemoteStartTransactionRequest)
	fmt.Println(start.IdTag, start.ConnectorID.Or(0))
	answer, err := msg16.AppendJSON(rpc.OpenCallResult(nil, frame.ID),
		&msg16.RemoteStartTransactionResponse{Status: msg16.RemoteStartStopStatusAccepted})
	fmt.Printf("%s] %v\n", answer, err)
	// Output:
	// CAFE01 1
	// [3,"42",{"status":"Accepted"}] <nil>
}
