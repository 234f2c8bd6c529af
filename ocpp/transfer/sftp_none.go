//go:build !sftp

package transfer

import (
	"fmt"
	"net/url"
)

// SFTP says whether this build speaks it.
const SFTP = false

var errSFTP = fmt.Errorf("%w: sftp, for which evsed is built with the tag sftp", ErrScheme)

func (*Client) getSFTP(*watch, *url.URL, *intake) error { return errSFTP }

func (*Client) putSFTP(*watch, *url.URL, File) error { return errSFTP }
