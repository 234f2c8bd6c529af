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

// deviceCount is what a block device was made to do, for one event.
type deviceCount struct{ bytes, flushes float64 }

// laps of each writer while the device is watched; the first only warms up.
const deviceLaps = 8

// countDevice counts what each writer makes a device do, on a loop-mounted ext4 volume. Nil, and why, where this machine
// does not let us make one.
func countDevice(dir string) ([]deviceCount, string) {
	volume, err := mountVolume(dir)
	if err != nil {
		return nil, oneLine(err)
	}
	counts, err := volume.count()
	if err := errors.Join(err, volume.unmount()); err != nil {
		return nil, oneLine(err)
	}
	return counts, ""
}

// volume is an ext4 file system in a file.
type volume struct{ image, mount, device string }

const volumeSize = 192 << 20

func mountVolume(dir string) (*volume, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting a volume needs root")
	}
	v := &volume{image: filepath.Join(dir, "volume.img"), mount: filepath.Join(dir, "volume")}
	f, err := os.Create(v.image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(volumeSize), f.Close(), os.Mkdir(v.mount, 0o700)); err != nil {
		return nil, err
	}
	if _, err := command("mkfs.ext4", "-q", v.image); err != nil {
		return nil, err
	}
	if v.device, err = command("losetup", "--find", "--show", v.image); err != nil {
		return nil, err
	}
	if _, err := command("mount", v.device, v.mount); err != nil {
		_, detach := command("losetup", "--detach", v.device)
		return nil, errors.Join(err, detach)
	}
	return v, nil
}

func (v *volume) unmount() error {
	_, err := command("umount", v.mount)
	_, detach := command("losetup", "--detach", v.device)
	return errors.Join(err, detach, os.Remove(v.image))
}

func command(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, filepath.Base(strings.TrimSpace(string(out))))
	}
	return strings.TrimSpace(string(out)), nil
}

func (v *volume) count() ([]deviceCount, error) {
	rs, err := rivals(v.mount)
	if err != nil {
		return nil, err
	}
	for i := range deviceLaps {
		for _, r := range rs {
			used, err := v.watch(r)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			if i > 0 {
				r.device.bytes += used.bytes
				r.device.flushes += used.flushes
			}
		}
	}
	out := make([]deviceCount, len(rs))
	for i, r := range rs {
		const n = (deviceLaps - 1) * lapEvents
		out[i] = deviceCount{r.device.bytes / n, r.device.flushes / n}
		if err := r.keeper.close(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// watch lets r keep some events and returns what the device did for them, and for nobody else: all that is dirty is
// written before.
func (v *volume) watch(r *rival) (deviceCount, error) {
	if _, err := command("sync", "--file-system", v.mount); err != nil {
		return deviceCount{}, err
	}
	before, err := v.counters()
	if err != nil {
		return deviceCount{}, err
	}
	for range lapEvents {
		if err := r.one(); err != nil {
			return deviceCount{}, err
		}
	}
	after, err := v.counters()
	return deviceCount{after.bytes - before.bytes, after.flushes - before.flushes}, err
}

// counters reads the block device's statistics: field 7 is 512-byte sectors written, field 16 flushes.
func (v *volume) counters() (deviceCount, error) {
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
