package main

import "testing"

func TestFilesHaveNamesForEveryClient(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"tasks.pdf":     `attachment; filename=tasks.pdf`,
		`"März" 1.xlsx`: `attachment; filename="\"M_rz\" 1.xlsx"; filename*=utf-8''%22M%C3%A4rz%22%201.xlsx`,
	} {
		if got := attachment(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
