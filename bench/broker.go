package bench

import (
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strings"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// MochiName is the name of [Mochi].
const MochiName = "mochi"

// Mochi starts the MQTT broker mochi as it comes.
func Mochi(Config) (Server, error) {
	b := broker.New(&broker.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(Everybody), nil); err != nil {
		return Server{}, err
	}
	listener := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.AddListener(listener); err != nil {
		return Server{}, err
	}
	if err := b.Serve(); err != nil {
		return Server{}, err
	}
	return Server{Address: listener.Address(), Stop: b.Close}, nil
}

// Everybody is a hook of mochi's that allows everybody everything. (The one that it comes with
// brings a library for the rules of others.)
type Everybody struct{ broker.HookBase }

// ID implements [broker.Hook].
func (*Everybody) ID() string { return "everybody" }

// Provides implements [broker.Hook].
func (*Everybody) Provides(event byte) bool {
	return event == broker.OnConnectAuthenticate || event == broker.OnACLCheck
}

// OnConnectAuthenticate implements [broker.Hook].
func (*Everybody) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }

// OnACLCheck implements [broker.Hook].
func (*Everybody) OnACLCheck(*broker.Client, string, bool) bool { return true }

// mosquitto starts the broker of this name, without the limits that would make it drop messages.
func (s *Site) mosquitto() (address string, err error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	file, err := s.File("mosquitto.conf", fmt.Sprintf(`listener %d 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
`, port))
	if err != nil {
		return "", err
	}
	program, err := exec.LookPath("mosquitto")
	if err != nil { // where Debian has it
		program = "/usr/sbin/mosquitto"
	}
	running := func(line string) bool { return strings.Contains(line, " running") }
	return fmt.Sprintf("127.0.0.1:%d", port), s.Run(Broker, running, program, "-c", file)
}

// freePort finds a port for whoever does not tell which one he got.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
