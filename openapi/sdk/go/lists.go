package bailiwick

import (
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
)

// Rows yields every row of a list. fetch asks for the page that begins at
// cursor, nil for the first; Rows calls it when the page before was used up:
//
//	for task, err := range bailiwick.Rows[bailiwick.Task](func(cursor *string) (*http.Response, error) {
//		return client.ListTasks(ctx, &bailiwick.ListTasksParams{Cursor: cursor})
//	}) { … }
//
// It ends with the first error, which it yields: a *Problem where the platform
// tells of one.
func Rows[T any](fetch func(cursor *string) (*http.Response, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := (*string)(nil); ; {
			rows, next, err := pageOf[T](fetch, cursor)
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if cursor = next; next == nil {
				return
			}
		}
	}
}

func pageOf[T any](fetch func(cursor *string) (*http.Response, error), cursor *string) ([]T, *string, error) {
	resp, err := fetch(cursor)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = Check(resp, body, http.StatusOK)
	}
	var page struct {
		Items      []T     `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	return page.Items, page.NextCursor, err
}

// Exported yields every task of an export in NDJSON as it arrives:
//
//	for task, err := range bailiwick.Exported(client.ExportTasks(ctx, nil)) { … }
//
// It ends with the first error, which it yields; an export that breaks off ends
// with one.
func Exported(resp *http.Response, err error) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		if err != nil {
			yield(Task{}, err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(resp.Body) // what is missing of a problem is not told
			yield(Task{}, Check(resp, body, http.StatusOK))
			return
		}
		for lines := json.NewDecoder(resp.Body); ; {
			var t Task
			err := lines.Decode(&t)
			if errors.Is(err, io.EOF) || !yield(t, err) || err != nil {
				return
			}
		}
	}
}
