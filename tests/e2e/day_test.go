package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ledongthuc/pdf"
	"github.com/xuri/excelize/v2"

	"bailiwick.dev/tests/story"
)

func TestFirstDay(t *testing.T) {
	d, err := platform.Run(within(t, 2*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(d.XLSX))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(joined(rows), "Carry desk "); got != story.Tasks {
		t.Errorf("the XLSX holds %d rows, want %d", got, story.Tasks)
	}
	doc, err := pdf.NewReader(bytes.NewReader(d.PDF), int64(len(d.PDF)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := doc.GetPlainText()
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(text); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(all.String(), "Carry desk "); got != story.Tasks {
		t.Errorf("the PDF holds %d rows, want %d", got, story.Tasks)
	}
	findWorkflows(t, d.Company.ID)
}

func joined(rows [][]string) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Join(r, "\t") + "\n")
	}
	return b.String()
}

// findWorkflows searches as an operator does in the Temporal UI, through the
// UI's own API: by tenant, and by kind.
func findWorkflows(t *testing.T, tenant string) {
	t.Helper()
	for kind, prefix := range map[string]string{"onboarding": "onboarding/", "report": "report/" + tenant + "/"} {
		query := url.QueryEscape(`TenantId="` + tenant + `" and Kind="` + kind + `"`)
		var found struct {
			Executions []struct {
				Execution struct {
					WorkflowID string `json:"workflowId"`
				} `json:"execution"`
			} `json:"executions"`
		}
		for deadline := time.Now().Add(20 * time.Second); len(found.Executions) == 0 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
			resp, err := http.Get(address(8233) + "/api/v1/namespaces/default/workflows?query=" + query) // visibility comes a moment later
			if err != nil {
				t.Fatal(err)
			}
			err = json.NewDecoder(resp.Body).Decode(&found)
			_ = resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(found.Executions) == 0 || !strings.HasPrefix(found.Executions[0].Execution.WorkflowID, prefix) {
			t.Errorf("%s: found %+v, want an id that begins with %s", kind, found.Executions, prefix)
		}
	}
}
