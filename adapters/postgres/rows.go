package postgres

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// each reads one row after the other into a T, whose fields are named like the
// columns, snake_case with CamelCase, and hands it to use, which must not keep
// it.
//
// pgx looks for a way to scan each column anew for each query, which for a page
// of tasks took as long as PostgreSQL did. What is decided by T and the columns
// is therefore decided once, and bytes are decoded in place. Where we do not
// know a column's type, pgx scans the row.
func each[T any](rows pgx.Rows, use func(*T) error) error {
	defer rows.Close()
	var row T
	var fields []field
	v := reflect.ValueOf(&row).Elem()
	for first := true; rows.Next(); first = false {
		if first { // a query that failed has no columns
			fields = fieldsOf(v.Type(), rows.FieldDescriptions())
		}
		var err error
		if fields == nil {
			row, err = pgx.RowToStructByName[T](rows)
		} else {
			err = decode(v, fields, rows.RawValues())
		}
		if err == nil {
			err = use(&row)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

func decode(v reflect.Value, fields []field, columns [][]byte) error {
	for i, src := range columns {
		if err := fields[i].decode(v.FieldByIndex(fields[i].index).Addr().Interface(), src); err != nil {
			return fmt.Errorf("column %s: %w", fields[i].column, err)
		}
	}
	return nil
}

// field is where a column belongs and how its binary format (PostgreSQL's
// documentation, 55.7) is decoded. A nil source is NULL.
type field struct {
	column string
	oid    uint32
	index  []int
	decode func(dst any, src []byte) error
}

// known holds the fields for each type that was read, of the columns that were
// read last.
var known sync.Map

// fieldsOf returns a field for each column, or nil if pgx must scan them.
func fieldsOf(t reflect.Type, columns []pgconn.FieldDescription) []field {
	if k, ok := known.Load(t); ok && slices.EqualFunc(k.([]field), columns, func(f field, c pgconn.FieldDescription) bool {
		return f.column == c.Name && f.oid == c.DataTypeOID && isBinary(c)
	}) {
		return k.([]field)
	}
	fields := matched(t, columns)
	if fields != nil {
		known.Store(t, fields)
	}
	return fields
}

func matched(t reflect.Type, columns []pgconn.FieldDescription) []field {
	if t.Kind() != reflect.Struct || len(reflect.VisibleFields(t)) != len(columns) {
		return nil // pgx knows more kinds, and the errors
	}
	fields := make([]field, len(columns))
	for i, c := range columns {
		f, ok := t.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, strings.ReplaceAll(c.Name, "_", "")) })
		decode := decoders[kind{c.DataTypeOID, f.Type}]
		if !ok || decode == nil || !isBinary(c) {
			return nil
		}
		fields[i] = field{c.Name, c.DataTypeOID, f.Index, decode}
	}
	return fields
}

// isBinary reports whether a column comes in its type's binary format, which
// that of text always is.
func isBinary(c pgconn.FieldDescription) bool {
	return c.Format == pgtype.BinaryFormatCode || c.DataTypeOID == pgtype.TextOID
}

type kind struct {
	oid uint32
	typ reflect.Type
}

var decoders = map[kind]func(any, []byte) error{}

func init() {
	decodes(pgtype.TextOID, pgtype.TextArrayOID, func(src []byte) (string, error) { return string(src), nil })
	decodes(pgtype.UUIDOID, pgtype.UUIDArrayOID, uuid.FromBytes)
	decodes(pgtype.TimestamptzOID, pgtype.TimestamptzArrayOID, instant)
	decodes(pgtype.Int8OID, pgtype.Int8ArrayOID, func(src []byte) (int64, error) {
		if len(src) != 8 {
			return 0, errWidth
		}
		return int64(binary.BigEndian.Uint64(src)), nil
	})
	decodes(pgtype.BoolOID, pgtype.BoolArrayOID, func(src []byte) (bool, error) {
		if len(src) != 1 {
			return false, errWidth
		}
		return src[0] == 1, nil
	})
}

var errWidth = fmt.Errorf("a value of another width than its type's")

// instant decodes microseconds since 2000, as UTC.
func instant(src []byte) (time.Time, error) {
	const epoch = 946_684_800
	if len(src) != 8 {
		return time.Time{}, errWidth
	}
	us := int64(binary.BigEndian.Uint64(src))
	if us == 1<<63-1 || us == -1<<63 {
		return time.Time{}, fmt.Errorf("infinity is no time")
	}
	return time.Unix(epoch+us/1e6, us%1e6*1e3).UTC(), nil
}

// decodes makes decoders of a type for fields that hold a value, a value or
// none, and an array of values.
func decodes[T any](oid, array uint32, one func([]byte) (T, error)) {
	decoders[kind{oid, reflect.TypeFor[T]()}] = func(dst any, src []byte) (err error) {
		if src == nil {
			return fmt.Errorf("NULL where there must be a value")
		}
		*dst.(*T), err = one(src)
		return err
	}
	decoders[kind{oid, reflect.TypeFor[*T]()}] = func(dst any, src []byte) error {
		if src == nil {
			*dst.(**T) = nil
			return nil
		}
		v, err := one(src)
		*dst.(**T) = &v
		return err
	}
	decoders[kind{array, reflect.TypeFor[[]T]()}] = func(dst any, src []byte) (err error) {
		*dst.(*[]T), err = elements(src, one)
		return err
	}
}

// elements decodes an array of one dimension without NULLs.
func elements[T any](src []byte, one func([]byte) (T, error)) ([]T, error) {
	if src == nil {
		return nil, nil
	}
	const head, dimension = 12, 8
	if len(src) < head {
		return nil, errWidth
	}
	switch dimensions := binary.BigEndian.Uint32(src); {
	case dimensions == 0:
		return []T{}, nil
	case dimensions != 1 || len(src) < head+dimension:
		return nil, fmt.Errorf("an array of %d dimensions", dimensions)
	}
	n := binary.BigEndian.Uint32(src[head:])
	all := make([]T, 0, min(n, uint32(len(src)/4)))
	for src = src[head+dimension:]; n > 0; n-- {
		if len(src) < 4 {
			return nil, errWidth
		}
		width := int32(binary.BigEndian.Uint32(src))
		if src = src[4:]; width < 0 || int(width) > len(src) {
			return nil, fmt.Errorf("NULL or a cut element in an array")
		}
		v, err := one(src[:width])
		if err != nil {
			return nil, err
		}
		all, src = append(all, v), src[width:]
	}
	return all, nil
}
