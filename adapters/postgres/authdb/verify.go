package authdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
)

// BrokenChain names the first entry of a tenant's audit trail that is not what
// was written, or is missing.
type BrokenChain struct {
	Tenant   uuid.UUID
	Sequence int64
}

// Error implements error.
func (b *BrokenChain) Error() string {
	return fmt.Sprintf("the audit trail of tenant %s is broken at entry %d", b.Tenant, b.Sequence)
}

// Head is the end of a tenant's audit trail: how many entries it has, and the
// hash of the last, on which all of them hang.
type Head struct {
	TenantID uuid.UUID
	Sequence int64
	Hash     []byte
}

const selectHeads = `select tenant_id, sequence, hash from audit_heads where tenant_id > $1 order by tenant_id limit 1000`

// VerifyAudit follows every tenant's chain from its first entry to its head. It
// hands each head to holds, and returns *BrokenChain at the first entry that
// does not hold.
func (s *Store) VerifyAudit(ctx context.Context, holds func(Head)) error {
	for after := uuid.Nil; ; {
		var heads []Head
		err := s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &heads, selectHeads, after) })
		if err != nil || len(heads) == 0 {
			return err
		}
		for _, h := range heads {
			if err := s.follow(ctx, h); err != nil {
				return err
			}
			holds(h)
			after = h.TenantID
		}
	}
}

// follow goes as far as the head was when it was read: more may have been written since.
func (s *Store) follow(ctx context.Context, h Head) error {
	hash := h.TenantID[:]
	for last := int64(0); last < h.Sequence; {
		rows, err := entries(ctx, s.system, h.TenantID, last, 1000)
		if err != nil {
			return err
		}
		for _, r := range rows {
			d := sha256.New()
			d.Write(hash)
			d.Write(binary.BigEndian.AppendUint64(nil, uint64(r.Sequence)))
			d.Write(r.Event)
			if hash = d.Sum(nil); r.Sequence != last+1 || !bytes.Equal(hash, r.Hash) || r.Sequence == h.Sequence && !bytes.Equal(hash, h.Hash) {
				return &BrokenChain{h.TenantID, last + 1}
			}
			last = r.Sequence
		}
		if len(rows) == 0 {
			return &BrokenChain{h.TenantID, last + 1}
		}
	}
	return nil
}
