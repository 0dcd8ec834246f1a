package history

import "time"

// Effective is how long a gateway may hold a request whose requester has stated a limit, in
// Request-Timeout, Prefer: wait or the TimeoutHint of OPC UA: 5 % less, and at least 20 ms, so that
// its reply is there before the requester gives up; never less than 1 ms. 0 stays 0: none stated.
func Effective(stated time.Duration) time.Duration {
	if stated <= 0 {
		return 0
	}
	return max(stated-max(20*time.Millisecond, stated/20), time.Millisecond)
}
