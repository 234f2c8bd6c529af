package dialect16

import (
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// authorize asks about a tag (1.6, 4.1).
func authorize(b *station.Authorize) msg16.Message {
	return &msg16.AuthorizeRequest{IdTag: idTag(b.Token)}
}

func (d *Dialect) authorizeReply(payload string) (station.Reply, error) {
	var m msg16.AuthorizeResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.TokenReply{Has: true, Info: tokenInfoOf(&m.IdTagInfo)}, nil
}
