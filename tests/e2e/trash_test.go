package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// An operator finds the schedule that empties the trash, and sees that it works.
func TestTrashIsEmptiedBySchedule(t *testing.T) {
	var found struct {
		Schedule struct {
			Spec struct {
				Interval []struct {
					Interval string `json:"interval"`
				} `json:"interval"`
			} `json:"spec"`
		} `json:"schedule"`
	}
	for deadline := time.Now().Add(20 * time.Second); len(found.Schedule.Spec.Interval) == 0 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		resp, err := http.Get(address(8233) + "/api/v1/namespaces/default/schedules/purge-trash")
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&found)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if every := found.Schedule.Spec.Interval; len(every) != 1 || every[0].Interval != "3600s" {
		t.Errorf("the schedule is %+v, want every hour", found)
	}
}
