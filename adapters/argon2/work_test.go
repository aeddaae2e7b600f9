package argon2

import "testing"

// noted is a worker that notes what it is given to do.
type noted struct {
	worker
	jobs []job
}

func (n *noted) do(j job) (result, error) {
	n.jobs = append(n.jobs, j)
	return n.worker.do(j)
}

// What is nobody's hash is compared with at the price of one of ours.
func TestNobodysHashIsTheSameWork(t *testing.T) {
	t.Parallel()
	n := &noted{worker: inside{}}
	h := New()
	for range cap(h.workers) {
		<-h.workers
	}
	h.workers <- n
	ours, err := h.Hash(t.Context(), "a password")
	if err != nil {
		t.Fatal(err)
	}
	var work []params
	for _, hash := range []string{ours, ""} {
		n.jobs = nil
		if same, err := h.Verify(t.Context(), hash, "another password"); same || err != nil || len(n.jobs) != 1 {
			t.Fatalf("%q: %v, %v in %d jobs", hash, same, err, len(n.jobs))
		}
		p, err := parse(n.jobs[0].Hash)
		if err != nil {
			t.Fatal(err)
		}
		work = append(work, p)
	}
	if a, b := work[0], work[1]; a.memory != b.memory || a.passes != b.passes || a.threads != b.threads {
		t.Errorf("the work is %+v and %+v", a, b)
	}
}
