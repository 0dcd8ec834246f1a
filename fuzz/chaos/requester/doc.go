// Package requester asks a gateway over HTTP and OPC UA as clients in a plant do: over connections
// that are kept, several requests after one another or at once, with limits of their own, with
// idempotency keys and retries, and some of them go away before they have their reply. All of it goes
// into a history.
//
// What is asked is decided by [Planner] from a seed and a number; [Line] hands the numbers out at a
// rate. Requesters that wait for their replies are why fewer may be asked than that; they never ask more.
package requester
