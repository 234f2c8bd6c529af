module github.com/evsed/evsed

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	go.etcd.io/bbolt v1.5.0
	golang.org/x/sys v0.49.0
)
