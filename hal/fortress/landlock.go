package fortress

import (
	"errors"
	"io/fs"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Rights on files. Those to make device nodes are never given.
const (
	readFile  = ll.AccessFSReadFile
	readAll   = readFile | ll.AccessFSReadDir
	writeFile = readFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	writeAll  = readAll | writeFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir | ll.AccessFSMakeReg |
		ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeSym | ll.AccessFSRefer
	control = writeFile | ll.AccessFSIoctlDev
	execute = readFile | ll.AccessFSExecute
	handled = writeAll | control | execute | ll.AccessFSMakeChar | ll.AccessFSMakeBlock
)

// lockLand confines the process to files and ports of the plan, as far as this kernel's landlock can.
func (p Plan) lockLand(r *Report) error {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi <= 0 {
		return errors.New("this kernel has none, or it is not switched on")
	}
	rules, err := p.rules()
	if err != nil {
		return err
	}
	net := landlock.AccessNetSet(ll.AccessNetBindTCP)
	if p.Offline {
		net |= ll.AccessNetConnectTCP
	}
	c := landlock.Config{HandledAccessFS: handled, HandledAccessNet: net}
	if p.Alone {
		c.Scoped = ll.ScopeAbstractUnixSocket | ll.ScopeSignal
	}
	if err := c.BestEffort().Restrict(rules...); err != nil {
		return err
	}
	r.Landlock = abi
	return nil
}

// rules are the plan in landlock's words.
func (p Plan) rules() (rules []landlock.Rule, err error) {
	for _, kind := range []struct {
		paths     []string
		file, dir landlock.AccessFSSet
	}{
		{p.Write, writeFile, writeAll}, {p.Read, readFile, readAll}, {p.Device, control, control | ll.AccessFSReadDir}, {append(p.Execute, libraries...), execute, readAll | execute},
	} {
		for _, path := range kind.paths {
			info, err := os.Stat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			access := kind.file
			if info.IsDir() {
				access = kind.dir
			}
			rules = append(rules, landlock.PathAccess(access, path))
		}
	}
	for _, port := range p.Bind {
		rules = append(rules, landlock.BindTCP(port))
	}
	return rules, nil
}
