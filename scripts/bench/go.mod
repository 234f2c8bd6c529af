module github.com/evsed/evsed/scripts/bench

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/evsed/evsed v0.0.0
	github.com/lorenzodonini/ocpp-go v0.19.0
	go.etcd.io/bbolt v1.5.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/go-playground/locales v0.12.1 // indirect
	github.com/go-playground/universal-translator v0.16.0 // indirect
	github.com/gorilla/mux v1.8.1 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/leodido/go-urn v1.1.0 // indirect
	github.com/relvacode/iso8601 v1.6.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	gopkg.in/go-playground/validator.v9 v9.30.0 // indirect
)

replace github.com/evsed/evsed => ../..
