// Package rauc installs whole images by RAUC, over D-Bus: the same interface as the slots of the evsed binary.
//
//	Stage      bytes into a spool file, which a later attempt goes on with
//	Check      Info: RAUC holds the bundle's signature against its keyring; compatible and version are looked at
//	Activate   InstallBundle until Completed: RAUC writes the slot that does not run, and tells the boot loader to try it
//	Good       Mark good booted: the boot loader stays with it
//	Rollback   Mark active, what was good before; Mark bad, what is on trial
//
// What the boot loader did in between shows in which slot is booted: a note says from which slot the update came and in which
// boot that was. See docs/design/0023-rauc.md for who checks what.
package rauc
