package subscription

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Nodes of the rig's space.
var (
	speed   = ua.NewStringNodeID(1, "speed") // Double, 0…200
	level   = ua.NewStringNodeID(1, "level") // Int64, without EURange
	list    = ua.NewStringNodeID(1, "list")  // array of Int32
	text    = ua.NewStringNodeID(1, "text")  // String
	slow    = ua.NewStringNodeID(1, "slow")  // Double, at least 1 s between samples
	plant   = ua.NewStringNodeID(1, "plant") // Object
	clock   = ua.NewNumericNodeID(0, id.Server_ServerStatus_CurrentTime)
	unknown = ua.NewStringNodeID(1, "unknown")
)

const ms = time.Millisecond

// always is that of a channel which stays the session's.
func always() bool { return true }

// rig is a manager, its space, and the sessions of a test.
type rig struct {
	t     testing.TB
	space *space.Space
	m     *Manager
}

func newRig(t testing.TB, o Options) *rig {
	t.Helper()
	s := space.New(space.Info{ApplicationURI: "urn:test"})
	add := func(parent *ua.NodeID, n *space.Node) {
		n.BrowseName = &ua.QualifiedName{NamespaceIndex: 1, Name: n.ID.StringID()}
		require.NoError(t, s.Add(parent, n))
	}
	add(ua.NewTwoByteNodeID(id.ObjectsFolder), &space.Node{ID: plant, Class: ua.NodeClassObject})
	variable := func(nodeID *ua.NodeID, dataType uint8, rank int32, n *space.Node) {
		n.ID, n.Class, n.DataType, n.ValueRank = nodeID, ua.NodeClassVariable, ua.NewTwoByteNodeID(dataType), rank
		add(plant, n)
	}
	variable(speed, id.Double, -1, &space.Node{EURange: &ua.Range{Low: 0, High: 200}})
	variable(level, id.Int64, -1, &space.Node{})
	variable(list, id.Int32, 1, &space.Node{})
	variable(text, id.String, -1, &space.Node{})
	variable(slow, id.Double, -1, &space.Node{MinSampling: 1000})
	o.Space = s
	m := NewManager(o)
	t.Cleanup(m.Close)
	return &rig{t: t, space: s, m: m}
}

// store gives a node a value.
func (r *rig) store(nodeID *ua.NodeID, v any) {
	r.space.Find(nodeID).Store(&ua.DataValue{Value: ua.MustVariant(v)})
}

// reply is what a Publish request got.
type reply struct {
	*ua.PublishResponse
	status ua.StatusCode
	at     time.Duration // since the session was opened
}

// session is an owner and the client behind it.
type session struct {
	*Owner
	rig     *rig
	opened  time.Time
	mu      sync.Mutex
	replies []reply
}

func (r *rig) open(user string) *session {
	return &session{Owner: r.m.NewOwner(user), rig: r, opened: time.Now()}
}

// publish sends n Publish requests.
func (s *session) publish(n int) {
	for range n {
		s.request(&ua.PublishRequest{}, 0)
	}
}

func (s *session) request(r *ua.PublishRequest, timeout time.Duration) {
	s.Publish(r, timeout, always, func(m *ua.PublishResponse, status ua.StatusCode) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.replies = append(s.replies, reply{m, status, time.Since(s.opened)})
	})
}

// take returns what came since the last time.
func (s *session) take() []reply {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.replies
	s.replies = nil
	return got
}

// one is the only reply that came.
func (s *session) one() reply {
	s.rig.t.Helper()
	got := s.take()
	require.Len(s.rig.t, got, 1)
	require.Equal(s.rig.t, ua.StatusOK, got[0].status)
	return got[0]
}

func (s *session) none() {
	s.rig.t.Helper()
	require.Empty(s.rig.t, s.take())
}

// subscribe makes a subscription of 100 ms, 3 cycles of keep-alive and 9 of life, unless the
// function changes that.
func (s *session) subscribe(change ...func(*ua.CreateSubscriptionRequest)) uint32 {
	s.rig.t.Helper()
	r := &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: 100, RequestedLifetimeCount: 9, RequestedMaxKeepAliveCount: 3, PublishingEnabled: true,
	}
	for _, c := range change {
		c(r)
	}
	m, status := s.Create(r)
	require.Equal(s.rig.t, ua.StatusOK, status)
	return m.SubscriptionID
}

// want is an item with a queue of 10, sampled at each change, unless the function changes that.
func want(nodeID *ua.NodeID, change ...func(*ua.MonitoredItemCreateRequest)) *ua.MonitoredItemCreateRequest {
	r := &ua.MonitoredItemCreateRequest{
		ItemToMonitor:  &ua.ReadValueID{NodeID: nodeID, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
		MonitoringMode: ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{
			ClientHandle: 7, SamplingInterval: 0, QueueSize: 10, DiscardOldest: true, Filter: ua.NewExtensionObject(nil),
		},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func (s *session) create(subscription uint32, items ...*ua.MonitoredItemCreateRequest) []*ua.MonitoredItemCreateResult {
	s.rig.t.Helper()
	m, status := s.CreateItems(&ua.CreateMonitoredItemsRequest{
		SubscriptionID: subscription, TimestampsToReturn: ua.TimestampsToReturnBoth, ItemsToCreate: items,
	})
	require.Equal(s.rig.t, ua.StatusOK, status)
	require.Len(s.rig.t, m.Results, len(items))
	return m.Results
}

// monitor makes one item and returns its id.
func (s *session) monitor(subscription uint32, item *ua.MonitoredItemCreateRequest) uint32 {
	s.rig.t.Helper()
	r := s.create(subscription, item)[0]
	require.Equal(s.rig.t, ua.StatusOK, r.StatusCode)
	return r.MonitoredItemID
}

// changes are the notifications of a reply.
func (r reply) changes() []*ua.MonitoredItemNotification {
	if r.PublishResponse == nil || len(r.NotificationMessage.NotificationData) == 0 {
		return nil
	}
	n, _ := r.NotificationMessage.NotificationData[0].Value.(*ua.DataChangeNotification)
	if n == nil {
		return nil
	}
	return n.MonitoredItems
}

// values are the values in a reply; a Bad one without value is its status.
func (r reply) values() []any {
	var out []any
	for _, c := range r.changes() {
		if c.Value.Value == nil {
			out = append(out, c.Value.Status)
		} else {
			out = append(out, c.Value.Value.Value())
		}
	}
	return out
}

// became is the status in a StatusChangeNotification.
func (r reply) became() ua.StatusCode {
	n, ok := r.NotificationMessage.NotificationData[0].Value.(*ua.StatusChangeNotification)
	if !ok {
		return ua.StatusBadNotFound
	}
	return n.Status
}

// assertEncodes checks what a nil pointer in a response would break.
func (r reply) assertEncodes(t testing.TB) {
	t.Helper()
	m := *r.PublishResponse
	m.ResponseHeader = &ua.ResponseHeader{ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil)}
	b, err := ua.Encode(&m)
	require.NoError(t, err)
	var back ua.PublishResponse
	n, err := ua.Decode(b, &back)
	require.NoError(t, err)
	assert.Equal(t, len(b), n)
	assert.Equal(t, m.SubscriptionID, back.SubscriptionID)
	assert.Len(t, back.NotificationMessage.NotificationData, len(m.NotificationMessage.NotificationData))
}
