//go:build !linux

package load

import "time"

// pause waits about so long. How late it is, the lag in the report says.
func pause(d time.Duration) { <-time.After(d) }
