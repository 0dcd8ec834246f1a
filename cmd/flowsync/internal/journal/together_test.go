package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestStartedTogether: of gateways that are started at once on a folder that is new one has the
// journal, and the others are told who.
func TestStartedTogether(t *testing.T) {
	const folders, gateways = 40, 3
	var all sync.WaitGroup
	for n := range folders {
		dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
		opened, errs := make([]*Journal, gateways), make([]error, gateways)
		var round sync.WaitGroup
		start := make(chan struct{})
		for i := range gateways {
			round.Go(func() {
				<-start
				opened[i], errs[i] = Open(Options{Dir: dir})
			})
		}
		all.Go(func() {
			close(start)
			round.Wait()
			one := 0
			for i, j := range opened {
				if j == nil {
					assert.ErrorContains(t, errs[i], "keys.db is in use: is another flowsync running with this --state?")
					continue
				}
				one++
				assert.NoError(t, put(t, j, record("k")))
				assert.NoError(t, j.Close())
			}
			assert.Equal(t, 1, one)
			left, err := os.ReadDir(dir)
			assert.NoError(t, err)
			assert.Len(t, left, 1)
		})
	}
	all.Wait()
}
