package dialect2

import (
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

// authorize asks about a token (C01).
func (d *Dialect) authorize(b *station.Authorize) msg2.Message {
	return &msg2.AuthorizeRequest{IdToken: d.idToken(b.Token, b.Info)}
}

func (d *Dialect) authorizeReply(payload string) (station.Reply, error) {
	var m msg2.AuthorizeResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.TokenReply{Has: true, Info: tokenInfoOf(&m.IdTokenInfo)}, nil
}
