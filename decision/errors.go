package decision

import (
	"fmt"
	"strings"
)

// Reason classifies why a decision is refused. It is stored with the rejected
// row and is the label of the metrics, so the set is closed.
type Reason string

const (
	Missing      Reason = "missing"
	WrongType    Reason = "wrong_type"
	NotFinite    Reason = "not_finite"
	OutOfRange   Reason = "out_of_range"
	NotInEnum    Reason = "not_in_enum"
	TooLong      Reason = "too_long"
	InvalidText  Reason = "invalid_text"
	BadUUID      Reason = "bad_uuid"
	DuplicateKey Reason = "duplicate_key"
	Unlabelable  Reason = "unlabelable"
	RawVMID      Reason = "raw_vm_id"
	TooOld       Reason = "too_old"
	TooFarAhead  Reason = "too_far_ahead"
	Forgotten    Reason = "forgotten"
	Refused      Reason = "refused"
	Unreadable   Reason = "unreadable"
)

var reasonTable = []struct {
	reason  Reason
	meaning string
}{
	{Missing, "a required field is not there"},
	{WrongType, "an attribute of another type"},
	{NotFinite, "NaN or ±Infinity"},
	{OutOfRange, "outside the field's range"},
	{NotInEnum, "none of the words allowed"},
	{TooLong, "more characters than the column holds"},
	{InvalidText, "a NUL, or not UTF-8"},
	{BadUUID, "not a UUID"},
	{DuplicateKey, "the attribute is there twice"},
	{Unlabelable, "neither algorithm was measured, so there is no label"},
	{RawVMID, "a VM id that is no pseudonym, where raw ones are not allowed"},
	{TooOld, "older than the retention; only id and time are kept"},
	{TooFarAhead, "further in the future than the allowed skew; only id and time are kept"},
	{Forgotten, "of a VM that was erased; only id and time are kept"},
	{Refused, "the table would not take it; sqlstate and detail say why"},
	{Unreadable, "what the queue on disk held cannot be read; the original is the item as it lay there"},
}

// OfProcessor reports whether r is one of the reasons that a decision itself can
// give; the others are for the exporter, which knows the table, to give.
func (r Reason) OfProcessor() bool {
	switch r {
	case TooOld, TooFarAhead, Forgotten, Refused, Unreadable:
		return false
	}
	return r.Known()
}

// Known reports whether r is one of the reasons.
func (r Reason) Known() bool {
	for i := range reasonTable {
		if reasonTable[i].reason == r {
			return true
		}
	}
	return false
}

// FieldError says which field of a decision breaks which rule. Identity
// fields' values are withheld, so that an error can be logged and stored.
type FieldError struct {
	Reason Reason
	Key    string // attribute key, or "timestamp" for the record's own
	Value  string // cut at 64 bytes; "" where there is none
	Rule   string
}

func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: %s", e.Key, e.Rule)
	}
	return fmt.Sprintf("%s: %s, got %s", e.Key, e.Rule, e.Value)
}

const shownBytes = 64

// problem makes the field's error for a value.
func (f *Field) problem(reason Reason, value, rule string) *FieldError {
	switch {
	case f.Role == RoleIdentity && value != "":
		value = "(withheld)"
	case len(value) > shownBytes:
		value = strings.ToValidUTF8(value[:shownBytes], "") + "…"
	}
	value = strings.ReplaceAll(strings.ToValidUTF8(value, "\uFFFD"), "\x00", "\uFFFD")
	return &FieldError{Reason: reason, Key: f.Name(), Value: value, Rule: rule}
}

// MissingError is the error for a required field that is not there.
func (f *Field) MissingError() *FieldError { return f.problem(Missing, "", "is required") }

// DuplicateError is the error for an attribute that is there twice.
func (f *Field) DuplicateError() *FieldError {
	return f.problem(DuplicateKey, "", "must be there only once")
}

// RawError is the error for a VM id that is no pseudonym; rule says which would be.
func (f *Field) RawError(rule string) *FieldError { return f.problem(RawVMID, "", rule) }

// TypeError is the error for an attribute of another type; got describes it.
func (f *Field) TypeError(got string) *FieldError {
	return f.problem(WrongType, got, "must be a "+f.Kind.String())
}
