package main

import (
	"flag"
	"strings"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station/local/virtual"
)

// fileOptions are the flags of evsed run that say where logs go to, where firmware comes from, and who is trusted there.
type fileOptions struct {
	hosts, roots string
	keys         []string
	said         virtual.Transfers // what they say, once they are checked
}

// Values of --file-roots.
const (
	rootsSystem = "system" // those of the operating system beside the station's
	rootsOwn    = "own"    // the station's alone
)

const fileUsage = "[--file-hosts NAME,*.NAME,NETWORK] [--file-roots system|own]"

func (o *fileOptions) register(fs *flag.FlagSet) {
	fs.StringVar(&o.hosts, "file-hosts", "", "")
	fs.StringVar(&o.roots, "file-roots", rootsSystem, "")
	if transfer.SFTP {
		fs.Func("file-host-key", "", func(k string) error {
			o.keys = append(o.keys, k)
			return nil
		})
	}
}

// check reads them.
func (o *fileOptions) check() (err error) {
	if o.said.Hosts, err = transfer.ParseHosts(o.hosts); err != nil {
		return usagef("--file-hosts: %w", err)
	}
	if o.roots != rootsSystem && o.roots != rootsOwn {
		return usagef("--file-roots %q: want %s or %s", o.roots, rootsSystem, rootsOwn)
	}
	for _, k := range o.keys {
		if host, key, ok := strings.Cut(k, " "); !ok || host == "" || !strings.HasPrefix(key, "SHA256:") {
			return usagef("--file-host-key %q: want \"HOST SHA256:BASE64\", the key as ssh-keygen -l shows it", k)
		}
	}
	o.said.OwnRoots, o.said.HostKeys = o.roots == rootsOwn, o.keys
	return nil
}
