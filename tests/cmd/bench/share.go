package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

const profiled = 20 // seconds: a hundred samples each at most

var accounting = regexp.MustCompile(`accounting for [^,]+, ([0-9.]+)% of ([0-9.]+m?s) total`)

// share measures which part of the processor time of a tasks service under load
// is spent in the gate, from the profile that operators see.
func (w *world) share(ctx context.Context) ([]line, error) {
	id, err := w.task(ctx)
	if err != nil {
		return nil, err
	}
	profile, err := os.CreateTemp("", "bench-*.pprof")
	if err != nil {
		return nil, err
	}
	defer os.Remove(profile.Name())
	defer profile.Close()
	fetched := make(chan error, 1)
	go func() {
		fetched <- fetch(ctx, profile, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", direct("TASKS_METRICS", 9104), profiled))
	}()
	var f figures
	for len(fetched) == 0 {
		if f, err = w.load("tasks", w.request(http.MethodGet, "/"+id, nil)).measure(ctx, span); err != nil {
			return nil, err
		}
	}
	if err := <-fetched; err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-focus", `gate\.\(\*Gate\)\.Allow`, profile.Name()).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("pprof: %w\n%s", err, out)
	}
	m := accounting.FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("pprof says no share:\n%s", out)
	}
	return []line{{"the gate's part of a tasks request", fmt.Sprintf("%s%% of %s, at %.0f/s", m[1], m[2], f.rate), "1%", "of the processor time of tasks: get", ""}}, nil
}

// task makes one to get.
func (w *world) task(ctx context.Context) (string, error) {
	p := w.platform()
	owner, _, err := p.LogIn(ctx, w.company.FirstClient, "", w.company.Owner)
	if err != nil {
		return "", err
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Bench"})
	if err != nil || project.JSON201 == nil {
		return "", fmt.Errorf("project: %w", err)
	}
	task, err := owner.CreateTaskWithResponse(ctx, nil, bailiwick.TaskDraft{ProjectId: project.JSON201.Id, Title: "Measure"})
	if err != nil || task.JSON201 == nil {
		return "", fmt.Errorf("task: %w", err)
	}
	return task.JSON201.Id.String(), nil
}

func fetch(ctx context.Context, to io.Writer, at string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", at, resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}
