// Package gpio drives and reads lines by their names, over the kernel's character devices (GPIO uAPI version 2, Linux 5.10).
package gpio
