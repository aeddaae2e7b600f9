package rest_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/dunglas/httpsfv"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
)

// The fields are as draft-ietf-httpapi-ratelimit-headers has them: lists of
// strings (RFC 9651) with integers as parameters.
func TestRateLimitFieldsAreStructured(t *testing.T) {
	t.Parallel()
	h, issuer := listing(t, rest.Config{RateLimit: 2})
	token := issuer.Token(t, caller())
	for i, left := range []int64{1, 0, 0} { // the third is refused
		r := resttest.Do(t, h, token, "GET", "/things/v1/things", nil)
		policy, limit := quotaOf(t, r.Header, "RateLimit-Policy", "q", "w"), quotaOf(t, r.Header, "RateLimit", "r", "t")
		if policy["q"] != 2 || policy["w"] != 60 || limit["r"] != left || limit["t"] < 1 || limit["t"] > 60 {
			t.Errorf("request %d: %v of %v, want %d left of 2 a minute", i, limit, policy, left)
		}
	}
}

// quotaOf reads a field of one quota, whose parameters are the ones named.
func quotaOf(t *testing.T, h http.Header, field string, names ...string) map[string]int64 {
	t.Helper()
	list, err := httpsfv.UnmarshalList(h.Values(field))
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %q, %v, want a list of one", field, h.Values(field), err)
	}
	item, ok := list[0].(httpsfv.Item)
	if name, text := item.Value.(string); !ok || !text || name != "client" || !slices.Equal(item.Params.Names(), names) {
		t.Fatalf("%s: %q, want the string client with the parameters %v", field, h.Get(field), names)
	}
	values := map[string]int64{}
	for _, name := range names {
		v, _ := item.Params.Get(name)
		n, whole := v.(int64)
		if !whole || n < 0 {
			t.Errorf("%s: %s is %v, want a whole number", field, name, v)
		}
		values[name] = n
	}
	return values
}
