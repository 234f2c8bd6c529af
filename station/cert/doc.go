// Package cert is the certificate store of a station (OCPP 2.x block M, A02, A03; the security whitepaper of 1.6): which
// roots it trusts for what, and which certificates are its own. Private keys are not here: they are named.
//
// Everything is pure: time, chains and key names are handed in, what follows comes back as values, and nothing draws
// randomness.
//
//	InstallCertificate            CertificateSigned                    SeedCertificate
//	        |                             |                                   |
//	   Parse, CheckRoot          ParseChain, CheckOwn                         |
//	        |                             |                                   |
//	        +-------> Store <-------------+-----------------------------------+
//	                    |
//	        root:  newest first, a fallback last until the newest has served (M05.FR.12-14)
//	        own:   one in force, one on trial until it has connected (A02.FR.08-10, A02.FR.28)
package cert
