// Package diag decides how a log comes to the CSMS (N01): one upload at a time, tried again when it fails, told when it
// begins and when it ends. What an upload is - a file, a wire - is known outside; Uploads says when one starts and stops,
// and is told how it went.
//
//	         Begin                    Ended, failed, tries left
//	none ------------> running ---------------------------------> waiting
//	  ^                |  ^  ^------- Begin: the older is cancelled -|  |
//	  |    Ended       |  |                                             |
//	  +----------------+  +----------- Due, when its time has come -----+
//
// A CSMS may ask as often as it likes; the station begins no more than a burst of uploads in a row, and after that one in
// every while.
package diag
