package core

func newTestShard() (*shard, *Node) {
	sh := new(shard)
	sh.init(0, 0, 1, maxSlots, [32]byte{1})
	sh.counts = make([]nodeCounts, 1)
	return sh, &Node{options: NodeOptions{Name: "n", Topic: "n", Timeout: DefaultTimeout}, treq: "n/treq", tres: "n/tres"}
}
