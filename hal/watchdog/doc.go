// Package watchdog feeds the kernel's watchdog.
package watchdog
