// Package history records what happened in a fault campaign, and checks that none of it is a lie.
package history
