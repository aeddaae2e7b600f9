package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bailiwick.dev/domain/fault"
)

// translate turns what PostgreSQL says into a fault where a caller can act on
// it. The text of the original is logged, never shown.
func translate(err error) error {
	var known *fault.Error
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Wrap(fault.NotFound, "not_found", "there is no such thing", err)
	case errors.As(err, &pg):
		return fromCode(pg)
	case isConnection(err):
		return fault.Wrap(fault.Unavailable, "database_unavailable", "the database does not answer", err)
	}
	return err
}

func fromCode(err *pgconn.PgError) error {
	switch {
	case err.Code == "23505": // unique_violation
		return fault.Wrap(fault.Conflict, "already_exists", "there is one already", err)
	case err.Code == "23503": // foreign_key_violation
		return fault.Wrap(fault.NotFound, "reference_not_found", "something that the request refers to does not exist", err)
	case err.Code == "23514", strings.HasPrefix(err.Code, "22"): // check_violation, data exceptions
		return fault.Wrap(fault.Invalid, "invalid", "a value is out of range", err)
	case err.Code == "40001", err.Code == "40P01", err.Code == "55P03", err.Code == "57014", // serialization, deadlock, lock and statement timeout
		err.Code == "25P03", err.Code == "25P04", // idle in a transaction, or in it, for too long
		strings.HasPrefix(err.Code, "08"), strings.HasPrefix(err.Code, "53"), strings.HasPrefix(err.Code, "57P"):
		return fault.Wrap(fault.Unavailable, "database_unavailable", "the database is busy or restarting", err)
	}
	return err
}

func isConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.Timeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed")
}

// Violates reports whether err says that the named constraint refused a row.
func Violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
