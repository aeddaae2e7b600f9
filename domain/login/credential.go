package login

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// The bounds of a password, in characters.
const (
	MinPassword = 8
	MaxPassword = 128
)

// Credential is what a person logs in with.
type Credential struct {
	User    identity.UserID
	Email   string // normalised, unique within the tenant
	Name    string
	Hash    string // of the password, as PHC string
	Enabled bool
}

// CheckPassword returns fault.Invalid, pointing at /password, for a password
// that is too short, too long, common, or made of the e-mail address.
func CheckPassword(password, email string) error {
	var c fault.Check
	n := utf8.RuneCountInString(password)
	c.That(n >= MinPassword && n <= MaxPassword && utf8.ValidString(password), "/password", "length", "a password has 8 to 128 characters")
	plain := strings.ToLower(password)
	c.That(!common[strings.Map(simplify, plain)], "/password", "common", "this password is among the first that are tried; choose another")
	local, _, _ := strings.Cut(email, "@")
	c.That(len(local) < 4 || strings.Trim(strings.ReplaceAll(plain, local, ""), "0123456789!.-_ ") != "", "/password", "email", "a password is more than the e-mail address")
	return c.Err()
}

// simplify drops what people add to a common password.
func simplify(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return r
	}
	return -1
}

// common are the passwords of eight characters or more that lists of leaked
// ones begin with.
var common = set(`password password1 password12 password123 password1234 passw0rd p4ssword 12345678 123456789 1234567890 12345678910
	0123456789 87654321 987654321 11111111 111111111 1111111111 00000000 88888888 99999999 12341234 123123123 123321123 11223344 1q2w3e4r
	1q2w3e4r5t 1qaz2wsx 1qazxsw2 qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwertz123 azertyuiop asdfghjk asdfghjkl zxcvbnm1 zxcvbnm123
	q1w2e3r4 q1w2e3r4t5 abcd1234 abc12345 a1b2c3d4 abcdefgh abcdefghi aa123456 a12345678 iloveyou iloveyou1 iloveyou2 sunshine sunshine1 princess
	princess1 football football1 baseball baseball1 basketball superman superman1 batman123 starwars starwars1 trustno1 welcome1 welcome12
	welcome123 letmein1 letmein123 admin123 admin1234 administrator changeme changeme1 changeme123 default1 master123 dragon123 monkey123
	shadow123 michael1 jennifer jordan23 whatever whatever1 computer computer1 internet internet1 samsung1 charlie1 liverpool liverpool1 chelsea1
	arsenal1 barcelona realmadrid pokemon1 mustang1 corvette mercedes porsche911 midnight november december september february summer2024
	summer2025 summer2026 winter2024 winter2025 winter2026 spring2025 spring2026 autumn2025 autumn2026 secret123 test1234 testtest user1234
	guest123 root1234 toor1234 hello123 hellohello freedom1 blink182 metallica slipknot cocacola chocolate butterfly strawberry elephant
	passwort passwort1 passwort123 motdepasse contrasena hallo123 geheim123 schatz123 dearbook`)

func set(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}
