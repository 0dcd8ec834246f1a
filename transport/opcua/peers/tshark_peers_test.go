//go:build peers

package peers

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/stretchr/testify/require"
)

// seen is what tshark made of a capture.
type seen struct {
	frames   int             // with OPC UA in them
	kinds    map[string]bool // HEL, ACK, OPN, MSG, CLO
	services map[int]bool    // by the node ids of their encodings
	wrong    []string        // malformed frames
	fins     int
}

// capture dissects what goes over a port until both sides of a connection have closed it.
type capture struct {
	t       *testing.T
	process *exec.Cmd
	done    chan seen
}

func startCapture(t *testing.T, port string) *capture {
	t.Helper()
	c := &capture{t: t, done: make(chan seen, 1)}
	c.process = exec.Command("tshark", "-i", "lo", "-f", "tcp port "+port, "-d", "tcp.port=="+port+",opcua", "-l", "-n", "-T", "fields",
		"-e", "frame.number", "-e", "tcp.flags.fin", "-e", "opcua.transport.type", "-e", "opcua.servicenodeid.numeric", "-e", "_ws.malformed", "-e", "_ws.expert.message")
	output, err := c.process.StdoutPipe()
	require.NoError(t, err)
	words, err := c.process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.process.Start(), "this test needs tshark: run scripts/peers install")
	began := make(chan string, 1)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		listenForStart(words, began)
	}()
	go func() { c.done <- dissected(output) }()
	t.Cleanup(func() {
		c.process.Process.Signal(os.Interrupt)
		<-heard
		c.process.Wait()
	})
	require.Empty(t, receive(t, began), "tshark cannot capture on the loopback interface: that needs root, or the capability CAP_NET_RAW on dumpcap")
	return c
}

// listenForStart reports nothing wrong when the capture has begun, or else what tshark says.
func listenForStart(words io.Reader, began chan<- string) {
	lines := bufio.NewScanner(words)
	var said strings.Builder
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Capture started") {
			began <- ""
		}
	}
	select {
	case began <- "ended: " + said.String():
	default:
	}
}

func dissected(output io.Reader) seen {
	s := seen{kinds: map[string]bool{}, services: map[int]bool{}}
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for s.fins < 2 && lines.Scan() {
		f := strings.Split(lines.Text()+"\t\t\t\t\t", "\t")
		if f[1] == "1" || f[1] == "True" {
			s.fins++
		}
		if f[2] != "" {
			s.frames++
		}
		for _, kind := range strings.FieldsFunc(f[2], func(r rune) bool { return r == ',' }) {
			s.kinds[kind] = true
		}
		for _, service := range strings.Split(f[3], ",") {
			n, _ := strconv.Atoi(service)
			s.services[n] = true
		}
		if f[4] != "" || strings.Contains(f[5], "Malformed") {
			s.wrong = append(s.wrong, lines.Text())
		}
	}
	return s
}

// tshark can read all that we send, in every service that there is.
func TestDissector(t *testing.T) {
	p := newPlant(t)
	wire := startCapture(t, p.port)
	p.respond("line.mayStart", mayStart)
	p.respond("line.everything", echo)
	p.respond("speed", echo)
	p.hold("line.slow")
	c := p.connect(dial{})
	everyService(c, p)
	c.close()
	got := receive(t, wire.done)
	require.Empty(t, got.wrong, "malformed, says tshark")
	require.Greater(t, got.frames, 50)
	for _, kind := range []string{"HEL", "ACK", "OPN", "MSG", "CLO"} {
		require.Contains(t, got.kinds, kind)
	}
	for _, n := range services {
		require.True(t, got.services[n], "%s is not in the capture", id.Name(uint32(n)))
	}
}

var services = []int{
	id.ServiceFault_Encoding_DefaultBinary,
	id.FindServersRequest_Encoding_DefaultBinary, id.FindServersResponse_Encoding_DefaultBinary,
	id.GetEndpointsRequest_Encoding_DefaultBinary, id.GetEndpointsResponse_Encoding_DefaultBinary,
	id.OpenSecureChannelRequest_Encoding_DefaultBinary, id.OpenSecureChannelResponse_Encoding_DefaultBinary,
	id.CloseSecureChannelRequest_Encoding_DefaultBinary,
	id.CreateSessionRequest_Encoding_DefaultBinary, id.CreateSessionResponse_Encoding_DefaultBinary,
	id.ActivateSessionRequest_Encoding_DefaultBinary, id.ActivateSessionResponse_Encoding_DefaultBinary,
	id.CloseSessionRequest_Encoding_DefaultBinary, id.CloseSessionResponse_Encoding_DefaultBinary,
	id.CancelRequest_Encoding_DefaultBinary, id.CancelResponse_Encoding_DefaultBinary,
	id.BrowseRequest_Encoding_DefaultBinary, id.BrowseResponse_Encoding_DefaultBinary,
	id.BrowseNextRequest_Encoding_DefaultBinary, id.BrowseNextResponse_Encoding_DefaultBinary,
	id.TranslateBrowsePathsToNodeIDsRequest_Encoding_DefaultBinary, id.TranslateBrowsePathsToNodeIDsResponse_Encoding_DefaultBinary,
	id.RegisterNodesRequest_Encoding_DefaultBinary, id.RegisterNodesResponse_Encoding_DefaultBinary,
	id.UnregisterNodesRequest_Encoding_DefaultBinary, id.UnregisterNodesResponse_Encoding_DefaultBinary,
	id.ReadRequest_Encoding_DefaultBinary, id.ReadResponse_Encoding_DefaultBinary,
	id.WriteRequest_Encoding_DefaultBinary, id.WriteResponse_Encoding_DefaultBinary,
	id.CallRequest_Encoding_DefaultBinary, id.CallResponse_Encoding_DefaultBinary,
	id.CreateSubscriptionRequest_Encoding_DefaultBinary, id.CreateSubscriptionResponse_Encoding_DefaultBinary,
	id.ModifySubscriptionRequest_Encoding_DefaultBinary, id.ModifySubscriptionResponse_Encoding_DefaultBinary,
	id.SetPublishingModeRequest_Encoding_DefaultBinary, id.SetPublishingModeResponse_Encoding_DefaultBinary,
	id.PublishRequest_Encoding_DefaultBinary, id.PublishResponse_Encoding_DefaultBinary,
	id.RepublishRequest_Encoding_DefaultBinary, id.RepublishResponse_Encoding_DefaultBinary,
	id.TransferSubscriptionsRequest_Encoding_DefaultBinary, id.TransferSubscriptionsResponse_Encoding_DefaultBinary,
	id.DeleteSubscriptionsRequest_Encoding_DefaultBinary, id.DeleteSubscriptionsResponse_Encoding_DefaultBinary,
	id.CreateMonitoredItemsRequest_Encoding_DefaultBinary, id.CreateMonitoredItemsResponse_Encoding_DefaultBinary,
	id.ModifyMonitoredItemsRequest_Encoding_DefaultBinary, id.ModifyMonitoredItemsResponse_Encoding_DefaultBinary,
	id.SetMonitoringModeRequest_Encoding_DefaultBinary, id.SetMonitoringModeResponse_Encoding_DefaultBinary,
	id.DeleteMonitoredItemsRequest_Encoding_DefaultBinary, id.DeleteMonitoredItemsResponse_Encoding_DefaultBinary,
}

// everyService uses all that the server can, and some that it cannot.
func everyService(c *client, p *plant) {
	c.ask("FindServers", map[string]any{"endpointUrl": p.url}, nil)
	c.do("endpoints", nil, nil)
	c.crawl("i=85", 1)
	c.ask("TranslateBrowsePathsToNodeIds", map[string]any{"browsePaths": []any{map[string]any{"startingNode": "i=85", "relativePath": map[string]any{
		"elements": []any{map[string]any{"referenceTypeId": "i=33", "includeSubtypes": true, "targetName": map[string]any{"namespaceIndex": 1, "name": "plant"}}},
	}}}}, nil)
	c.ask("RegisterNodes", map[string]any{"nodesToRegister": []string{node("speed")}}, nil)
	c.ask("UnregisterNodes", map[string]any{"nodesToUnregister": []string{node("speed")}}, nil)
	var many []map[string]any
	for i := range 3000 { // answered in chunks
		many = append(many, attribute(node("line.mayStart"), 1+i%27))
	}
	c.readAttributes(many...)

	require.Equal(p.t, "Good", c.write("speed", double(3)))
	require.Equal(p.t, "Good", c.call("line.mayStart", text("A 17"), int32s(3)).StatusCode)
	require.Equal(p.t, "Good", c.call("line.everything", ofEveryType()...).StatusCode)
	require.Equal(p.t, "BadArgumentsMissing", c.call("line.mayStart").StatusCode)
	require.Equal(p.t, "BadTimeout", c.call("line.slow", int32s(3)).StatusCode)
	require.Equal(p.t, "BadServiceUnsupported", c.status(request{Service: "QueryFirst", Fields: map[string]any{"nodeTypes": []any{}}}))
	withText := calls(methodCall("line.mayStart"))
	withText.Diagnostics = operationLevelAdditionalInfo
	require.Equal(p.t, "Good", c.status(withText))
	c.ask("Cancel", map[string]any{"requestHandle": 1}, nil)
	subscriptionServices(c, p)
}

func subscriptionServices(c *client, p *plant) {
	s := c.subscribe(50*time.Millisecond, 3)
	item := c.monitorAs(s, 1, absolute(1), "counter").MonitoredItemID
	n := c.publish().NotificationMessage.SequenceNumber
	c.ask("Republish", map[string]any{"subscriptionId": s, "retransmitSequenceNumber": n}, nil)
	c.publish(acknowledgement{s, n})
	c.ask("ModifyMonitoredItems", map[string]any{"subscriptionId": s, "itemsToModify": []any{map[string]any{
		"monitoredItemId": item, "requestedParameters": map[string]any{"samplingInterval": 100, "queueSize": 5},
	}}}, nil)
	c.ask("SetMonitoringMode", map[string]any{"subscriptionId": s, "monitoringMode": 1, "monitoredItemIds": []uint32{item}}, nil)
	c.ask("SetPublishingMode", map[string]any{"publishingEnabled": true, "subscriptionIds": []uint32{s}}, nil)
	c.ask("ModifySubscription", map[string]any{"subscriptionId": s, "requestedPublishingInterval": 100, "requestedLifetimeCount": 300, "requestedMaxKeepAliveCount": 3}, nil)
	c.ask("TransferSubscriptions", map[string]any{"subscriptionIds": []uint32{s + 77}}, nil)
	c.ask("DeleteMonitoredItems", map[string]any{"subscriptionId": s, "monitoredItemIds": []uint32{item}}, nil)
	c.ask("DeleteSubscriptions", map[string]any{"subscriptionIds": []uint32{s}}, nil)
}
