// Package process starts the processes of a campaign and does to them what happens to processes:
// they are killed, stopped, go on, and run out of file descriptors.
//
// Signals go to a process by its id, never by name, and only until it was waited for, so that no
// other process that got the same id is hit. A process whose parent ends is killed by the
// kernel (PR_SET_PDEATHSIG), which is why this package needs Linux: nothing is left behind, not even when
// the campaign itself is killed.
package process
