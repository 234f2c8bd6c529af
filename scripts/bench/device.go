package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// deviceCount is what a block device was made to do.
type deviceCount struct{ bytes, flushes float64 }

func (c deviceCount) plus(d deviceCount) deviceCount {
	return deviceCount{c.bytes + d.bytes, c.flushes + d.flushes}
}
func (c deviceCount) minus(d deviceCount) deviceCount {
	return deviceCount{c.bytes - d.bytes, c.flushes - d.flushes}
}
func (c deviceCount) of(n int) deviceCount {
	return deviceCount{c.bytes / float64(n), c.flushes / float64(n)}
}

// volume is an ext4 file system in a file, on a block device of its own. Its counters are those of who writes into it.
type volume struct{ image, mount, device string }

const volumeSize = 64 << 20

// mountVolume makes a volume below dir. Its blocks are of 4 KiB, as those of any larger volume are: mkfs would take 1 KiB for
// one so small, and count a quarter of what ext4 itself writes. Nothing of it is left for ext4 to write later, and every block
// of the image is on the disk below before anything is measured.
func mountVolume(dir, name, options string) (*volume, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting a volume needs root")
	}
	v := &volume{image: filepath.Join(dir, name+".img"), mount: filepath.Join(dir, name)}
	if err := errors.Join(fillImage(v.image), os.Mkdir(v.mount, 0o700)); err != nil {
		return nil, err
	}
	if _, err := command("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", v.image); err != nil {
		return nil, err
	}
	device, err := command("losetup", "--find", "--show", v.image)
	if err != nil {
		return nil, err
	}
	v.device = device
	if _, err := command("mount", "-o", options, v.device, v.mount); err != nil {
		_, detach := command("losetup", "--detach", v.device)
		return nil, errors.Join(err, detach)
	}
	return v, nil
}

func fillImage(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for at := int64(0); at < volumeSize && err == nil; at += int64(len(block)) {
		_, err = f.WriteAt(block, at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func (v *volume) unmount() error {
	_, err := command("umount", v.mount)
	_, detach := command("losetup", "--detach", v.device)
	return errors.Join(err, detach, os.Remove(v.image))
}

// mountVolumes makes one volume for each name; why says why there are none.
func mountVolumes(dir, options string, names ...string) (volumes []*volume, why string) {
	for _, name := range names {
		v, err := mountVolume(dir, name, options)
		if err != nil {
			return nil, oneLine(errors.Join(err, unmountAll(volumes)))
		}
		volumes = append(volumes, v)
	}
	return volumes, ""
}

func unmountAll(volumes []*volume) error {
	var errs []error
	for _, v := range volumes {
		errs = append(errs, v.unmount())
	}
	return errors.Join(errs...)
}

func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, filepath.Base(strings.TrimSpace(string(out))))
	}
	return strings.TrimSpace(string(out)), nil
}

// sync writes everything that is dirty, what ext4 would have written later included. Without a volume it does nothing.
func (v *volume) sync() error {
	if v == nil {
		return nil
	}
	_, err := command("sync", "--file-system", v.mount)
	return err
}

// counters reads the block device's statistics: field 7 is 512-byte sectors written, field 16 flushes. Without a volume they
// are zero.
func (v *volume) counters() (deviceCount, error) {
	if v == nil {
		return deviceCount{}, nil
	}
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(v.device), "stat"))
	if err != nil {
		return deviceCount{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 16 {
		return deviceCount{}, errors.New("this kernel counts no flushes")
	}
	sectors, err := strconv.ParseFloat(fields[6], 64)
	flushes, err2 := strconv.ParseFloat(fields[15], 64)
	return deviceCount{sectors * 512, flushes}, errors.Join(err, err2)
}

// watch counts what the device does for fn.
func (v *volume) watch(fn func() error) (deviceCount, error) {
	before, err := v.counters()
	if err != nil {
		return deviceCount{}, err
	}
	if err := fn(); err != nil {
		return deviceCount{}, err
	}
	after, err := v.counters()
	return after.minus(before), err
}
