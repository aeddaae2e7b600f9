package main

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"
)

func (w *world) withPassword(t *testing.T, pass, scope string) (int, map[string]any) {
	t.Helper()
	return w.post(t, "/auth/token", url.Values{"grant_type": {"password"}, "username": {email}, "password": {pass}, "scope": {scope}})
}

// firstParty lets the world's client use the password grant.
func (w *world) firstParty(t *testing.T) {
	t.Helper()
	w.send(t, "PUT", "/auth/v1/platform/clients/"+w.client.ID+"/first-party", map[string]any{"first_party": true}, 204, nil)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"password", "refresh_token"}}, 200, nil, "If-Match", `"2"`)
}

func TestPasswordGrantIsForFirstPartyClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if status, body := w.withPassword(t, password, "tasks"); status != 400 || body["error"] != "unauthorized_client" {
		t.Errorf("a client that is not marked: %d %v", status, body)
	}
	w.firstParty(t)
	time.Sleep(recentLife)
	status, body := w.withPassword(t, password, "tasks")
	access, _ := body["access_token"].(string)
	refresh, _ := body["refresh_token"].(string)
	who, err := w.verifier.Verify(t.Context(), access)
	if status != 200 || err != nil || who.User != w.user || !who.HasScope("tasks") || who.HasScope("users") || body["id_token"] != nil {
		t.Fatalf("%d %v: %+v, %v", status, body, who, err)
	}
	if status, _ := w.refresh(t, refresh); status != 200 {
		t.Errorf("refresh: %d", status)
	}
	for what, c := range map[string][2]string{"a wrong password": {"wrong password", "tasks"}, "the platform's scope": {password, "platform"}, "an ID token": {password, "openid"}, "nothing": {password, ""}} {
		if status, body := w.withPassword(t, c[0], c[1]); status != 400 || body["error"] != map[bool]string{true: "invalid_grant", false: "invalid_scope"}[c[1] == "tasks"] {
			t.Errorf("%s: %d %v", what, status, body)
		}
	}
	for range 8 {
		w.withPassword(t, "wrong password", "tasks")
	}
	resp := send(t, http.DefaultClient, w.url+"/auth/token", url.Values{"grant_type": {"password"}, "username": {email}, "password": {password}, "scope": {"tasks"}, "client_id": {w.client.ID}, "client_secret": {w.client.ClientSecret}})
	wait, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	if status, body := answerOf(resp); status != 429 || body["error"] != "invalid_grant" || wait < 1 || wait > 60 {
		t.Errorf("after many failures: %d %v, again after %d s", status, body, wait)
	}
	w.call(t, w.platform(t), "DELETE", "/auth/v1/platform/credentials/"+w.user.String(), nil, 204, nil)
	if w.active(t, access) {
		t.Error("its tokens outlive the person")
	}
}

// Its session is the program's own: no browser's logout, after which it might stay.
func TestPasswordGrantEndsWithItsSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.firstParty(t)
	time.Sleep(recentLife)
	_, body := w.withPassword(t, password, "auth offline_access")
	access, _ := body["access_token"].(string)
	refresh, _ := body["refresh_token"].(string)
	all := w.sessions(t, access)
	if len(all) != 1 {
		t.Fatalf("the sessions are %+v", all)
	}
	w.call(t, access, "DELETE", "/auth/v1/me/sessions/"+all[0].ID.String(), nil, 204, nil)
	if status, body := w.refresh(t, refresh); status != 400 {
		t.Errorf("refresh: %d %v", status, body)
	}
}
