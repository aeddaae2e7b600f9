package rest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// PageInput is embedded in the input of an operation that lists.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"Rows on a page"`
	Cursor string `query:"cursor" maxLength:"4000" doc:"next_cursor of the page before; opaque"`
}

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items" nullable:"false" doc:"The rows of this page"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Ask with it for the next page; absent on the last"`
}

const (
	keySize = 8 + 16
	macSize = 16
)

// Cursors makes cursors that only the same tenant can use, and only for the
// same list: they are authenticated with HMAC-SHA-256 over both.
type Cursors struct{ Key []byte }

// Request reads what a client asked for; list names the operation and its
// filters. A cursor that is foreign, changed or cut is a 400.
func (c Cursors) Request(who identity.Caller, list string, in PageInput) (page.Request, error) {
	r := page.Request{Limit: in.Limit}
	if r.Limit == 0 {
		r.Limit = page.DefaultLimit
	}
	if in.Cursor == "" {
		return r, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	end := len(raw) - macSize
	if err != nil || end < keySize || !hmac.Equal(raw[end:], c.mac(who, list, raw[:end])) {
		p := newProblem(http.StatusBadRequest, "invalid_cursor", "the cursor is not one that this list gave out")
		p.Errors = []ProblemField{{Parameter: "cursor", Code: "invalid_cursor", Detail: "begin again without a cursor"}}
		return r, p
	}
	r.After.At = time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC()
	r.After.ID = uuid.UUID(raw[8:keySize])
	r.After.Sort = string(raw[keySize:end])
	return r, nil
}

// Next returns the cursor after key, or none on the last page.
func (c Cursors) Next(who identity.Caller, list string, key *page.Key) string {
	if key == nil {
		return ""
	}
	raw := binary.BigEndian.AppendUint64(nil, uint64(key.At.UnixMicro()))
	raw = append(raw, key.ID[:]...)
	raw = append(raw, key.Sort...)
	return base64.RawURLEncoding.EncodeToString(append(raw, c.mac(who, list, raw)...))
}

func (c Cursors) mac(who identity.Caller, list string, key []byte) []byte {
	h := hmac.New(sha256.New, c.Key)
	h.Write(who.Tenant[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key))))
	h.Write(key)
	h.Write([]byte(list))
	return h.Sum(nil)[:macSize]
}

// PageOf shows a page of a list with its cursor.
func PageOf[T any](c Cursors, who identity.Caller, list string, r page.Result[T]) Page[T] {
	items := r.Items
	if items == nil {
		items = []T{}
	}
	return Page[T]{Items: items, NextCursor: c.Next(who, list, r.Next)}
}
