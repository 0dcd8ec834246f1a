package transporttest

import "time"

// SetPatience is for child processes in which a case must fail.
func SetPatience(d time.Duration) { patience = d }
