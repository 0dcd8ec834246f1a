package commission

import (
	"fmt"
	"strings"
)

// maxKnown bounds the names that the nearest is looked for among: beyond, it takes too long.
const maxKnown = 2000

// didYouMean names what is nearest to name, or all there is if nothing is near and they are few.
func didYouMean(name string, known []string) string {
	if best := nearest(name, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 || len(known) > 24 {
		return ""
	}
	return "want one of " + strings.Join(known, ", ")
}

// nearest is the name that a misspelt one differs least from, or empty if none is near.
func nearest(name string, known []string) string {
	if len(known) > maxKnown {
		return ""
	}
	best, distance := "", min(1+max(2, len(name)/3), len(name)) // something must be left of it
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's, or limit if it is not smaller.
func editDistance(a, b string, limit int) int {
	if len(a) > 100 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
