package commission

import (
	"slices"
	"strings"
)

// maxMappings is how many mappings are searched for circles: every pair is compared.
const maxMappings = 2000

// checkCircles warns of mappings that feed each other in a circle. It may be meant, when rules
// end it.
func checkCircles(r *report, model *Model) {
	var all []*Mapping
	for _, s := range model.Services {
		all = append(all, s.Mappings...)
	}
	if len(all) > maxMappings {
		r.warnf(all[0].Pos, "there are more than %d mappings: it is not checked whether they feed each other in a circle", maxMappings)
		return
	}
	feeds := feedsOf(all)
	for _, knot := range knots(feeds) {
		var names []string
		for _, i := range circle(feeds, knot) {
			names = append(names, clip(all[i].ID))
		}
		r.warnf(all[knot[0]].Pos, "mappings feed each other in a circle: %s → %s: make sure that a filter ends it", strings.Join(names, " → "), names[0])
	}
}

// feedsOf says for each mapping which others may receive what it publishes.
func feedsOf(all []*Mapping) [][]int {
	filters := make([][][]string, len(all))
	for i, m := range all {
		for _, in := range m.Inputs {
			filters[i] = append(filters[i], strings.Split(in.Filter, "/"))
		}
	}
	feeds := make([][]int, len(all))
	for i, m := range all {
		out := outletOf(m)
		for j := range all {
			if i != j && slices.ContainsFunc(filters[j], out.reaches) {
				feeds[i] = append(feeds[i], j)
			}
		}
	}
	return feeds
}

// knots are the groups of more than one in which each feeds each, directly or not: the strongly
// connected components (Tarjan 1972). Each is sorted, and they are in the order of their first.
func knots(feeds [][]int) [][]int {
	var found [][]int
	var stack []int
	number, low, counter := make([]int, len(feeds)), make([]int, len(feeds)), 0
	onStack := make([]bool, len(feeds))
	var visit func(i int)
	visit = func(i int) { // recurses as deep as there are mappings, which maxMappings bounds
		counter++
		number[i], low[i] = counter, counter
		stack, onStack[i] = append(stack, i), true
		for _, next := range feeds[i] {
			if number[next] == 0 {
				visit(next)
				low[i] = min(low[i], low[next])
			} else if onStack[next] {
				low[i] = min(low[i], number[next])
			}
		}
		if low[i] != number[i] {
			return
		}
		at := slices.Index(stack, i)
		knot := slices.Sorted(slices.Values(stack[at:]))
		stack = stack[:at]
		for _, member := range knot {
			onStack[member] = false
		}
		if len(knot) > 1 {
			found = append(found, knot)
		}
	}
	for i := range feeds {
		if number[i] == 0 {
			visit(i)
		}
	}
	slices.SortFunc(found, func(a, b []int) int { return a[0] - b[0] })
	return found
}

// circle is the shortest through the first of a knot.
func circle(feeds [][]int, knot []int) []int {
	start := knot[0]
	from := map[int]int{}
	for queue := []int{start}; ; queue = queue[1:] {
		i := queue[0]
		for _, next := range feeds[i] {
			if next == start {
				path := []int{i}
				for i != start {
					i = from[i]
					path = append(path, i)
				}
				slices.Reverse(path)
				return path
			}
			if _, seen := from[next]; !seen {
				from[next] = i
				queue = append(queue, next)
			}
		}
	}
}
