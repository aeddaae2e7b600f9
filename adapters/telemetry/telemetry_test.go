package telemetry_test

import (
	"strings"
	"testing"

	"bailiwick.dev/adapters/telemetry"
)

// What cannot be read ends the start, and is not shown: it may be a key.
func TestWrongSettingOfTheCollectorsIsToldWithoutItsValue(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_HEADERS":         "authorization:Bearer KEY",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":  "authorization=Bearer%zz KEY",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://u:KEY@%zz:1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
			t.Setenv(name, value)
			if _, err := telemetry.Traces(t.Context(), "test"); err == nil || strings.Contains(err.Error(), "KEY") {
				t.Errorf("%v, want an error without the value", err)
			}
		})
	}
}
