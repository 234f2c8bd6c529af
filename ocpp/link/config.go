package link

import (
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// Defaults of values that the configuration leaves open, and the bounds that keep a hostile or mistaken value harmless.
const (
	DefaultMessageTimeout     = 30 * time.Second
	DefaultMessageAttempts    = 3
	DefaultAttemptInterval    = 60 * time.Second
	DefaultConnectionAttempts = 3

	// DefaultFrame is the longest message of a CSMS that is kept whole while it is read, in bytes. The longest that a
	// station is asked to take, variables and reports, are 64 KiB (BytesPerMessage of the device model); lists of tokens
	// are read in parts. A message and its copy, and what is read out of it, stay far below 1 MiB.
	DefaultFrame = 128 << 10

	MinMessageTimeout = time.Second
	MaxMessageTimeout = time.Hour
	MinBackOff        = time.Second    // a station never hammers its CSMS, whatever it was told
	MaxBackOff        = 24 * time.Hour // a station always comes back
)

// Config is what the link is told by the device model. Link.Configure replaces it as a whole.
type Config struct {
	Identity string // the station's identity (part 4, 3.1.1); a profile's own identity goes before it

	// Profiles in the order of NetworkConfigurationPriority; only slots that are set.
	Profiles           []Profile
	ConnectionAttempts int // NetworkProfileConnectionAttempts; < 1 is DefaultConnectionAttempts

	MessageTimeout  time.Duration // MessageTimeout(Default), for profiles that have none; <= 0 is DefaultMessageTimeout
	MessageAttempts int           // MessageAttempts(TransactionEvent); < 1 is DefaultMessageAttempts
	AttemptInterval time.Duration // MessageAttemptInterval(TransactionEvent); <= 0 is DefaultAttemptInterval

	PingInterval   time.Duration // WebSocketPingInterval; <= 0: no pings of ours (part 4, 8.4)
	BackOffMinimum time.Duration // RetryBackOffWaitMinimum
	BackOffRange   time.Duration // RetryBackOffRandomRange
	BackOffRepeat  int           // RetryBackOffRepeatTimes

	Quirks Quirks // of the CSMS
	Limits rpc.Limits

	Level int   // the lowest security profile that may be used: none below is dialled, whatever Profiles holds (A00.FR.005)
	Trust Trust // for security profiles 2 and 3
	Clock Clock // by which certificates are judged
}

// Profile is a network connection profile and the configuration slot that holds it.
type Profile struct {
	Slot int
	station.NetworkProfile
}

// engine returns the part of c that the engine needs while p is in use.
func (c Config) engine(p Profile) EngineConfig {
	timeout := p.MessageTimeout
	if timeout <= 0 {
		timeout = c.MessageTimeout
	}
	return EngineConfig{
		MessageTimeout:  timeout,
		MessageAttempts: c.MessageAttempts,
		AttemptInterval: c.AttemptInterval,
		Quirks:          c.Quirks,
		Limits:          c.Limits,
	}
}

// identity returns the identity under which p connects.
func (c Config) identity(p Profile) string {
	if p.Identity != "" {
		return p.Identity
	}
	return c.Identity
}

// EngineConfig is what the engine is told by the device model. Zero values mean the defaults.
type EngineConfig struct {
	MessageTimeout  time.Duration
	MessageAttempts int
	AttemptInterval time.Duration
	Quirks          Quirks
	Limits          rpc.Limits
}

func (c EngineConfig) filled() EngineConfig {
	if c.MessageTimeout <= 0 {
		c.MessageTimeout = DefaultMessageTimeout
	}
	c.MessageTimeout = min(max(c.MessageTimeout, MinMessageTimeout), MaxMessageTimeout)
	if c.MessageAttempts < 1 {
		c.MessageAttempts = DefaultMessageAttempts
	}
	if c.AttemptInterval <= 0 {
		c.AttemptInterval = DefaultAttemptInterval
	}
	c.AttemptInterval = min(c.AttemptInterval, MaxBackOff)
	c.Limits.Frame = frameLimit(c.Limits)
	return c
}

func frameLimit(l rpc.Limits) int {
	if l.Frame <= 0 {
		return DefaultFrame
	}
	return l.Frame
}
