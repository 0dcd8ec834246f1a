package space

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
)

// statusOf reads ServerStatus, and checks that its components say the same.
func statusOf(t *testing.T, s *Space) *ua.ServerStatusDataType {
	t.Helper()
	status := s.standard(id.Server_ServerStatus).Load().Value.ExtensionObject().Value.(*ua.ServerStatusDataType)
	for number, want := range map[uint32]any{
		id.Server_ServerStatus_StartTime:           status.StartTime,
		id.Server_ServerStatus_CurrentTime:         status.CurrentTime,
		id.Server_ServerStatus_State:               int32(status.State),
		id.Server_ServerStatus_SecondsTillShutdown: status.SecondsTillShutdown,
		id.Server_ServerStatus_ShutdownReason:      status.ShutdownReason,
	} {
		assert.Equal(t, want, s.standard(number).Load().Value.Value(), id.Name(number))
	}
	return status
}

func TestStatusOfARunningServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(testInfo())
		time.Sleep(time.Second) // of the bubble: invented time
		status := statusOf(t, s)
		assert.Equal(t, &ua.ServerStatusDataType{
			StartTime: testInfo().Started, CurrentTime: time.Now(), State: ua.ServerStateRunning,
			BuildInfo: &ua.BuildInfo{
				ProductURI: "urn:product", ManufacturerName: "us", ProductName: "flowsync", SoftwareVersion: "1.2.3",
			},
			ShutdownReason: &ua.LocalizedText{},
		}, status)
		s.SetDraining(0)
		assert.Equal(t, ua.ServerStateRunning, status.State, "what was read does not change")
	})
}

func TestStatusOfADrainingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(testInfo())
		w := &recorder{}
		assert.Equal(t, int32(ua.ServerStateRunning), s.standard(id.Server_ServerStatus_State).Watch(w).Value.Value())
		s.SetDraining(90 * time.Second)
		assert.Equal(t, []any{int32(ua.ServerStateShutdown)}, w.heard(), "watchers hear of it")
		for _, c := range []struct {
			wait time.Duration
			left uint32
		}{{0, 90}, {30500 * time.Millisecond, 60}, {59 * time.Second, 1}, {time.Second, 0}, {time.Hour, 0}} {
			time.Sleep(c.wait)
			status := statusOf(t, s)
			assert.Equal(t, ua.ServerStateShutdown, status.State)
			assert.Equal(t, c.left, status.SecondsTillShutdown)
			assert.NotEmpty(t, status.ShutdownReason.Text)
		}
	})
}

func TestOnlyWhatRunsWithTheClockIsLive(t *testing.T) {
	s := plant(t)
	live := map[string]bool{}
	for _, n := range s.nodes {
		if n.Live() {
			live[n.BrowseName.Name] = true
			assert.Equal(t, testInfo().MinSupportedSampleRate, n.MinSampling)
		}
	}
	assert.Equal(t, map[string]bool{"ServerStatus": true, "CurrentTime": true, "SecondsTillShutdown": true}, live)
}

func TestStoreLeavesLiveNodesAlone(t *testing.T) {
	s := New(testInfo())
	n, w := s.standard(id.Server_ServerStatus_CurrentTime), &recorder{}
	first := n.Watch(w)
	assert.False(t, first.Value.Time().IsZero())
	n.Store(&ua.DataValue{Value: ua.MustVariant(time.Time{})})
	assert.False(t, n.Load().Value.Time().IsZero())
	assert.Empty(t, w.heard())
}
