// Package update is the state machine of a firmware update (block L): what was asked, how far it is, and what the CSMS is to
// hear. It is pure: who downloads, checks and activates an image is told by a Turn and answers by a method.
//
//	       Begin
//	         |
//	DownloadScheduled --> Downloading <--> DownloadPaused
//	                        |      \
//	                   Downloaded   DownloadFailed
//	                        |
//	     SignatureVerified or InvalidSignature
//	                        |
//	InstallScheduled --> Installing --> InstallationFailed, InstallVerificationFailed
//	                        |
//	                 InstallRebooting  (the image is activated, the station restarts)
//	                        |
//	                    Installed or InstallationFailed, told by the firmware that runs then
//
// Every state is told when it is entered, with the number of the request (L01.FR.01, L01.FR.10). What Kept returns goes to flash
// in the same batch as the status, so that a power cut at any point goes on from what the CSMS was told.
package update
