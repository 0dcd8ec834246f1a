//go:build !race

package e2e

// raceEnabled says that the race detector runs, and with it everything more slowly.
const raceEnabled = false
